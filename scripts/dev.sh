#!/usr/bin/env bash
# `make dev`: one instance that is rebuilt, and its pages reloaded, on every change. The WebAssembly is not made small.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run
scripts/own-target.sh
exec cargo leptos watch
