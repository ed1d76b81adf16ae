#!/usr/bin/env bash
# Checks that dependencies point one way (docs/ARCHITECTURE.md, "Rooms"): which room may know which, which libraries stay
# in which room, and that no Kafka client gets into the WebAssembly. It compiles nothing.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

cargo metadata --format-version 1 --no-deps | node scripts/check-rooms.mjs

in_browser="$(cargo tree --package frontend --target wasm32-unknown-unknown --edges normal --prefix none)"
! grep -E '^(rdkafka|nisshi|tokio-tungstenite|axum|engine|kafka) ' <<<"$in_browser" || fail "These are in the WebAssembly, and must not be."
echo "Each room knows only those that it may."
