#!/usr/bin/env bash
# Clippy with warnings as errors: what runs on the server, then what runs in the browser. Never both at once, for the page's
# two features exclude each other.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
scripts/own-target.sh

cargo clippy --workspace --exclude frontend --all-targets -- --deny warnings
# In the page's own folder and profile, so that its build and this share the procedural macros.
cargo clippy --package frontend --target wasm32-unknown-unknown --profile wasm-release \
  --target-dir "$CARGO_TARGET_DIR/front" -- --deny warnings
