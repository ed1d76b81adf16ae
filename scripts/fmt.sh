#!/usr/bin/env bash
# Formats the Rust code; `fmt.sh --check` only says what is not formatted.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
cargo fmt --all -- "$@"
