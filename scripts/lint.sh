#!/usr/bin/env bash
# Formatting, clippy for each configuration that is built, who may depend on whom, shell scripts and, where there is
# `cargo deny`, licences and sources. Stops at the first that fails.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/fmt.sh --check
scripts/clippy.sh
scripts/check-rooms.sh
! has shellcheck || shellcheck --external-sources scripts/*.sh scripts/setup/*.sh .ci/run
! has cargo-deny || cargo deny --all-features check
