# shellcheck shell=bash
# Sourced by setup.sh. A reverse proxy for `make topology`: Caddy, the one of docker-compose.yml. One that is installed is taken;
# else Debian's package is unpacked into the cache and not installed, for that would start it as a service of this machine.

proxy="$OTTLA_CACHE/caddy"

unpack_caddy() {
  rm -rf "$proxy"
  mkdir -p "$proxy"
  (
    cd "$proxy" || exit
    # shellcheck disable=SC2154 # setup.sh sets as_root
    apt-get -qq download caddy || { "${as_root[@]}" apt-get -qq update && apt-get -qq download caddy; }
    dpkg-deb --extract caddy_*.deb .
    rm caddy_*.deb
  ) >&2
}

if ! has caddy && [[ ! -x $proxy/usr/bin/caddy ]]; then
  if ! has apt-get || ! has dpkg-deb; then
    fail "Missing for the topology: Caddy 2.6 or newer, see https://caddyserver.com. Then run this again."
  fi
  step "Caddy from Debian's package, into the cache" unpack_caddy
fi
