#!/usr/bin/env bash
# `make autobahn`: the cases of the Autobahn WebSocket testsuite, against Ottla's carriage of WebSockets (server/src/http/ws/) in a
# server that echoes (server/examples/echo.rs). About a minute and a half after the build. It ends what it started, and only that.
#
#   autobahn.sh                 all but compression, which Ottla does not offer
#   autobahn.sh --cases 5.,6.4  only cases that begin so
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh autobahn
cargo build --quiet --workspace --exclude frontend --example echo

coproc echo { exec "$CARGO_TARGET_DIR/debug/examples/echo"; }
# shellcheck disable=SC2154 # coproc sets it
pid=$echo_PID
stop() {
  trap - EXIT INT TERM
  kill "$pid" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM
# It says where it listens.
read -r address <&"${echo[0]}" || fail "The echo server did not start."

"$OTTLA_CACHE/autobahn/bin/python" scripts/autobahn/fuzz.py "ws://$address/" --report "$OTTLA_CACHE/autobahn/report.json" "$@"
