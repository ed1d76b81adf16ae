#!/usr/bin/env bash
# Builds the program and the page: $CARGO_TARGET_DIR/debug/ottla and ottla-load, with the page's files, hashed and compressed,
# in $CARGO_TARGET_DIR/site. It installs nothing; scripts/setup.sh does.
#
#   build.sh [--optimised]     with Ottla's own code optimised in full (scripts/optimised.sh): what is shipped, and slower to build
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
optimised=()
case "${1:-}" in
  "") ;;
  --optimised)
    # shellcheck source=scripts/optimised.sh
    source scripts/optimised.sh
    ;;
  *) fail "build.sh [--optimised]" ;;
esac
scripts/own-target.sh

say "▸ The page"
mkdir -p "$(dirname "$OTTLA_BIN")"
cargo leptos build --frontend-only
rm -f "$OTTLA_SITE"/pkg/*.ts
# Without the names of the glue's functions, which nobody reads: nearly a kilobyte in brotli. The tool is rustc's own.
sysroot="$(rustc --print sysroot)"
objcopy=("$sysroot"/lib/rustlib/*/bin/rust-objcopy)
for wasm in "$OTTLA_SITE"/pkg/*.wasm; do
  LD_LIBRARY_PATH="$sysroot/lib" "${objcopy[0]}" --remove-section=name "$wasm"
done

# All programs at once, as the tests build them: alone, each would want its dependencies with other features.
say "▸ The programs"
cargo build --workspace --exclude frontend --bins "${optimised[@]}"

# What the server sends to whoever takes it. At the strongest setting: this happens once, sending happens often.
compressible() {
  find "$OTTLA_SITE" -type f \( -name '*.wasm' -o -name '*.js' -o -name '*.css' -o -name '*.svg' -o -name '*.txt' \) -print0
}
compressible | xargs -0 -P 2 -n 1 brotli --force --keep --best
compressible | xargs -0 gzip --force --keep --best

scripts/check-budget.sh
