#!/usr/bin/env bash
# `make hunt`: the property tests again and again, each time with other cases than before. `make test` tries the same cases each time,
# so that whether a change passes is up to the change. What fails here is shrunk and kept in a proptest-regressions folder: mend it, and
# commit that file too.
#
#   hunt.sh [ROUNDS]     20 unless told: a few minutes
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run
unset PROPTEST_RNG_SEED
rounds="${1:-20}"
for ((round = 1; round <= rounds; round++)); do
  say "━━ Round $round of $rounds"
  cargo test --quiet --no-fail-fast --package app --lib live::tests::instances
  cargo test --quiet --no-fail-fast --package feed --test session --test custody
done
