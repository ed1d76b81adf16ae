#!/usr/bin/env bash
# Prints how large the page's WebAssembly is for those who load it (in brotli), and fails above the budget.
# It builds nothing; scripts/build.sh does, and calls it.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

BUDGET=150000
size="$(cat "$OTTLA_SITE"/pkg/*.wasm.br 2>/dev/null | wc -c)"
[[ $size -gt 0 ]] || fail "No WebAssembly in $OTTLA_SITE/pkg: run scripts/build.sh."
echo "WebAssembly in brotli: $size bytes of $BUDGET"
[[ $size -le $BUDGET ]] || fail "The page's WebAssembly is $((size - BUDGET)) bytes over its budget."
