#!/usr/bin/env bash
# Deletes the cache folder: everything that was built or fetched outside the checkout. Running clusters are stopped first.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

for data in "$OTTLA_CACHE"/kafka/cluster-*; do
  [[ ! -d $data ]] || OTTLA_KAFKA_PORT="${data##*-}" scripts/kafka.sh stop
done
say "Deleting $OTTLA_CACHE"
rm -rf "$OTTLA_CACHE"
