#!/usr/bin/env bash
# Installs what is missing to build and run (`setup.sh run`), to have a real Kafka (`setup.sh kafka`) or a real browser
# (`setup.sh browser`), for the WebSocket testsuite (`setup.sh autobahn`), to try the HTTP API (`setup.sh schemathesis`), a Kafka with
# ZooKeeper (`setup.sh kafka-zookeeper`), a reverse proxy (`setup.sh proxy`), or all but those for the tests (`setup.sh test`, the default).
# It changes nothing that is already there, and takes under a second when nothing is missing. All that it fetches
# lands in the cache folder, but for Debian's packages (as root, or with sudo that asks for no password) and Rust's
# toolchain. Where it can't install something it says how to do it by hand, and stops.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

case "${1:-test}" in
  run) parts=(system rust tools) ;;
  kafka) parts=(kafka) ;;
  kafka-zookeeper) parts=(kafka kafka-zookeeper) ;;
  proxy) parts=(proxy) ;;
  autobahn) parts=(system rust tools autobahn) ;;
  schemathesis) parts=(system rust tools schemathesis) ;;
  browser) parts=(browser) ;;
  test) parts=(system rust tools kafka python promtool browser) ;;
  *) fail "setup.sh run | kafka | kafka-zookeeper | browser | proxy | autobahn | schemathesis | test" ;;
esac

doing=
trap '[[ -z $doing ]] || say "✗ Set-up stopped at: $doing. Mend what is said above, then run it again."' EXIT

# Says what happens next, runs it, and says how long it took.
step() {
  local began=$SECONDS
  doing=$1
  shift
  say "▸ $doing"
  "$@"
  say "  done in $((SECONDS - began)) s"
  doing=
}

as_root=()
[[ $(id -u) == 0 ]] || as_root=(sudo -n)

# Debian's and Ubuntu's packages; on other systems the words of the second argument say what to install.
packages() {
  local what=$1 other=$2
  shift 2
  if ! has apt-get || ! "${as_root[@]}" true 2>/dev/null; then
    fail "Missing for $what. Install it by hand, then run this again:
  Debian, Ubuntu:  sudo apt-get install $*
  other systems:   $other"
  fi
  step "Debian packages for $what: $*" install_packages "$@"
}

install_packages() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 || say "  (the package lists could not be renewed)"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >&2
}

for part in "${parts[@]}"; do
  # shellcheck source=/dev/null
  source "scripts/setup/$part.sh"
done
