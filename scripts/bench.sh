#!/usr/bin/env bash
# `make bench`: the micro-benchmarks of the rooms that have some.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run
scripts/own-target.sh
cargo bench --package feed
