#!/usr/bin/env bash
# `make soak`: one instance over a real three-node Kafka of its own, 5,000 records a second, 200 tabs of which some behave badly, and a
# real Chromium, for a quarter of an hour: does anything grow, does anything panic, do the counters add up? It fails where one does
# not. It ends what it started, and only that.
#
#   soak.sh [MINUTES] [--rate N] [--tabs N]     what `ottla-load soak` takes
#
# What is seen, a JSON line each ten seconds and the verdict last, is printed and kept beside the instance's log.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
# shellcheck source=scripts/own-cluster.sh
source scripts/own-cluster.sh

scripts/setup.sh run
scripts/setup.sh kafka
scripts/setup.sh browser
scripts/build.sh
npm --prefix end2end run --silent browser
CHROMIUM="$(scripts/chromium.sh)"
export CHROMIUM

# Beside the clusters of a developer, the tests and the other measurements.
own_cluster soak 24092
logs="$OTTLA_CACHE/soak/$(date +%Y%m%d-%H%M%S)"
mkdir -p "$logs"
at_end=(say "Results and log: $logs")

scripts/kafka.sh start
"$CARGO_TARGET_DIR/debug/ottla-load" soak --brokers "$(scripts/kafka.sh brokers)" --ottla "$OTTLA_BIN" --site "$OTTLA_SITE" \
  --logs "$logs" --browser end2end/built/bench/browser.js "$@" | tee "$logs/results.jsonl"
