#!/usr/bin/env bash
# `make dev`: one instance that is rebuilt, and its pages reloaded, on every change. The WebAssembly is not made small.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run
scripts/own-target.sh
# Quick to build instead of small to load.
export CARGO_PROFILE_WASM_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_WASM_RELEASE_LTO=off CARGO_PROFILE_WASM_RELEASE_CODEGEN_UNITS=16
exec cargo leptos watch
