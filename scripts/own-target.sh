#!/usr/bin/env bash
# Makes sure that what was built for another checkout of Ottla in the same target folder is not taken for this one's.
# cargo tells them apart by the files' times alone, and an older checkout's look unchanged. Dependencies stay.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

owner="$CARGO_TARGET_DIR/checkout"
[[ "$(cat "$owner" 2>/dev/null)" != "$ROOT" ]] || exit 0
if [[ -f $owner ]]; then
  cargo clean --quiet --workspace
  for profile in dev wasm-release; do
    cargo clean --quiet --workspace --target-dir "$CARGO_TARGET_DIR/front" --target wasm32-unknown-unknown --profile "$profile"
  done
fi
echo "$ROOT" >"$owner"
