#!/usr/bin/env bash
# `make reliability`: real instances over a real three-node Kafka of its own, while instances and brokers fail; every record is
# checked. docs/RELIABILITY.md says what is promised and what came of it. It ends what it started, and only that.
#
#   reliability.sh [SCENARIO…] [FLAG…]   only the scenarios named; further flags are those of `ottla-load reliability`
#
# The results, a JSON line a scenario, are printed and kept beside the instances' logs.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
# shellcheck source=scripts/own-cluster.sh
source scripts/own-cluster.sh

scripts/setup.sh run
scripts/setup.sh kafka
scripts/build.sh

# Beside a cluster that a developer may have running, and that of the tests. Below the ports that systems hand out by
# themselves: while a node is down, nobody else may get its port.
own_cluster reliability 21092
logs="$OTTLA_CACHE/reliability/$(date +%Y%m%d-%H%M%S)"
mkdir -p "$logs"
at_end=(say "Results and logs: $logs")

scripts/kafka.sh start
"$CARGO_TARGET_DIR/debug/ottla-load" reliability --brokers "$(scripts/kafka.sh brokers)" --kafka-script scripts/kafka.sh \
  --ottla "$OTTLA_BIN" --logs "$logs" "$@" | tee "$logs/results.jsonl"
