#!/usr/bin/env bash
# Checks that dependencies point one way (docs/ARCHITECTURE.md, "Rooms"): which room may know which, which libraries stay
# in which room, and that no Kafka client gets into the WebAssembly. It compiles nothing.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

# Which room may know which. Tests and build scripts may know more.
may_know() {
  case $1 in
    wire) echo ;;
    kafka | feed | client) echo wire ;;
    engine) echo wire kafka feed ;;
    app) echo wire engine ;;
    server) echo wire engine app client ;;
    frontend) echo app ;;
    load) echo wire kafka client ;;
    *) fail "$1 is no room that this check knows." ;;
  esac
}

# Libraries that stay in some rooms.
belongs_to() {
  case $1 in
    # The checker must not rely on what it checks.
    rdkafka) echo kafka load ;;
    nisshi-broker | nisshi-storage) echo kafka ;;
    axum | leptos_axum) echo app server ;;
    leptos) echo app server frontend ;;
    web-sys) echo app ;;
    # The server takes its frame headers alone.
    tokio-tungstenite) echo client server ;;
    # TLS towards browsers is a proxy's, towards Kafka librdkafka's.
    tokio-rustls | rustls-platform-verifier) echo client ;;
    cel) echo feed ;;
    *) return 1 ;;
  esac
}

depends_on() {
  local features=()
  [[ $1 != app ]] || features=(--features "ssr hydrate")
  cargo tree --quiet --package "$1" "${features[@]}" --edges normal --depth 1 --prefix none --format '{p}' |
    tail -n +2 | cut -d' ' -f1
}

rooms="$(cargo tree --quiet --workspace --depth 0 --prefix none --format '{p}' | cut -d' ' -f1 | sort -u)"
wrong=0
complain() {
  echo "$*" >&2
  wrong=1
}
for room in $rooms; do
  known=" $(may_know "$room") "
  while read -r other; do
    if grep -qx "$other" <<<"$rooms"; then
      [[ $known == *" $other "* ]] || complain "$room may not depend on $other"
    elif owners="$(belongs_to "$other")"; then
      [[ " $owners " == *" $room "* ]] || complain "$other belongs to $owners, not to $room"
    fi
  done < <(depends_on "$room")
done

in_browser="$(cargo tree --quiet --package frontend --target wasm32-unknown-unknown --edges normal --prefix none | cut -d' ' -f1 | sort -u)"
for never in rdkafka nisshi-broker tokio-tungstenite rustls axum kafka engine cel; do
  ! grep -qx "$never" <<<"$in_browser" || complain "$never is in the WebAssembly"
done

[[ $wrong == 0 ]] || exit 1
echo "Each room knows only those that it may."
