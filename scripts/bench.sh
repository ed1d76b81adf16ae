#!/usr/bin/env bash
# `make bench`: the micro-benchmarks of the rooms that have some, then how fast an instance consumes from a three-node Kafka,
# with the consumption marks and without.
#
#   bench.sh [FLAG…]     further flags are those of `ottla-load ingest`
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run
scripts/setup.sh kafka
scripts/build.sh
cargo bench --package feed

export OTTLA_KAFKA_PORT="${OTTLA_BENCH_KAFKA_PORT:-22092}"
export OTTLA_KAFKA_DATA="$OTTLA_CACHE/kafka/bench-$$"
logs="$(mktemp -d)"
stop() {
  trap - EXIT INT TERM
  scripts/kafka.sh destroy
  rm -rf "$logs"
}
trap stop EXIT
trap 'exit 130' INT TERM

scripts/kafka.sh start
"$CARGO_TARGET_DIR/debug/ottla-load" ingest --brokers "$(scripts/kafka.sh brokers)" --ottla "$OTTLA_BIN" --logs "$logs" "$@"
