#!/usr/bin/env bash
# `make test`: installs what is missing, then every check and test: formatting, clippy, rooms, unit and property tests,
# integration tests over the embedded broker and over a real three-node Kafka, the build and its budget, Playwright.
# A step that fails does not keep the others from running. It ends what it started, and only that.
#
#   test.sh [STEP…]      only the steps named: fmt clippy rooms deploy unit embedded kafka build metrics types browser
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
# shellcheck source=scripts/own-cluster.sh
source scripts/own-cluster.sh

scripts/setup.sh test
scripts/own-target.sh

# A cluster and data of this run's own, beside one that a developer may have running.
own_cluster test 29092
logs="$(mktemp -d)"
at_end=(rm -rf "$logs")

# The same cases each time: `make hunt` looks for new ones.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-1}"

# Most integration tests wait, for Kafka or for each other: more of them at once than there are cores.
threads=4

wanted=" $* "
summary=()
passed=0
failed=0
skipped=0
flaky=0

# The sum of the numbers before WORD in the runners' closing lines (cargo's `test result:`, Playwright's own).
count() {
  sed -e $'s/\e\\[[0-9;]*m//g' "$1" |
    sed -n -e "s/^test result:.* \([0-9][0-9]*\) $2.*/\1/p" -e "s/^  *\([0-9][0-9]*\) $2\( .*\)\{0,1\}$/\1/p" |
    awk '{ sum += $1 } END { print sum + 0 }'
}

# Runs a step, shows what it says, and keeps its seconds and its counts.
step() {
  local name=$1 title=$2 began=$SECONDS outcome=ok tests fails
  shift 2
  [[ $wanted == "  " || $wanted == *" $name "* ]] || return 0
  say "━━ $title"
  "$@" 2>&1 | tee "$logs/$name" || outcome=FAILED
  tests="$(count "$logs/$name" passed)"
  fails="$(count "$logs/$name" failed)"
  # A check that has no count of its own, or a runner that failed before it had one.
  if [[ $outcome != ok && $fails == 0 ]]; then fails=1; fi
  passed=$((passed + tests))
  failed=$((failed + fails))
  skipped=$((skipped + $(count "$logs/$name" ignored) + $(count "$logs/$name" skipped)))
  flaky=$((flaky + $(count "$logs/$name" flaky)))
  summary+=("$(printf '%-52s %-6s %4d s  %d passed, %d failed' "$title" "$outcome" $((SECONDS - began)) "$tests" "$fails")")
}

on_server=(--workspace --exclude frontend)

# A step is tried in a condition, where `set -e` does not hold: hence the returns.
over_kafka() {
  scripts/kafka.sh start || return
  OTTLA_TEST_BROKERS="$(scripts/kafka.sh brokers)" integration
}

integration() {
  RUST_TEST_THREADS=$threads cargo test --quiet --no-fail-fast "${on_server[@]}" --test '*'
}

in_browser() {
  scripts/kafka.sh start || return
  CHROMIUM="$(scripts/chromium.sh)" OTTLA_TEST_BROKERS="$(scripts/kafka.sh brokers)" npm --prefix end2end test
}

step fmt "Formatting" scripts/fmt.sh --check
step clippy "Clippy, each configuration" scripts/clippy.sh
step rooms "Rooms: who may know whom" scripts/check-rooms.sh
step deploy "Containers, manifests and alerts" scripts/check-deploy.sh
step unit "Unit and property tests" cargo test --quiet --no-fail-fast "${on_server[@]}" --lib --bins
step embedded "Integration tests, embedded broker" integration
step kafka "Integration tests, three-node Kafka" over_kafka
step build "The build and its budget" scripts/build.sh
step metrics "Metrics that documents and dashboards name" scripts/check-metrics.sh
step types "Types of the end-to-end tests" npm --prefix end2end run --silent check
step browser "End-to-end tests, Chromium, three-node Kafka" in_browser

say "━━ Summary ($((SECONDS / 60)) min $((SECONDS % 60)) s)"
printf '%s\n' "${summary[@]}"
[[ $skipped == 0 ]] || echo "$skipped skipped"
[[ $flaky == 0 ]] || echo "$flaky passed only the second time"
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
