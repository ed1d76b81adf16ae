# shellcheck shell=bash
# Sourced by setup.sh. promtool, which tries the alerts of deploy/prometheus/ (scripts/check-deploy.sh). One that is installed is taken;
# else it is taken out of Debian's package of Prometheus, which is not installed, for that would start a service of this machine.

unpack_promtool() {
  local work
  work="$(mktemp -d)"
  (
    cd "$work" || exit
    # shellcheck disable=SC2154 # setup.sh sets as_root
    apt-get -qq download prometheus || { "${as_root[@]}" apt-get -qq update && apt-get -qq download prometheus; }
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
    install -D usr/bin/promtool "$OTTLA_CACHE/tools/bin/promtool"
  ) >&2
  rm -rf "$work"
}

if ! has promtool; then
  if ! has apt-get || ! has dpkg-deb; then
    fail "Missing for the alerts' tests: promtool of Prometheus 2.40 or newer, see https://prometheus.io/download. Then run this again."
  fi
  step "promtool from Debian's package of Prometheus (19 MB), into the cache" unpack_promtool
fi
