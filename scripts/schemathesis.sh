#!/usr/bin/env bash
# `make schemathesis`: requests made from the HTTP API's own description, good ones and bad ones, against an instance with an embedded
# broker; whatever answer the description does not have is a failure. About a minute after the build. It ends what it started, and
# only that.
#
#   schemathesis.sh [OPTION…]     what `schemathesis run` takes: --max-examples 500
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh schemathesis
scripts/build.sh

address="127.0.0.1:${OTTLA_SCHEMATHESIS_PORT:-3960}"
folder="$(mktemp -d)"
export OTTLA_EMBEDDED__DATA_DIR="$folder/broker"
"$OTTLA_BIN" --listen "$address" --topics test-topic >"$folder/log" 2>&1 &
pid=$!
stop() {
  trap - EXIT INT TERM
  if kill "$pid" 2>/dev/null; then wait "$pid" || true; fi
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM
for _ in $(seq 100); do
  curl --silent --fail --output /dev/null "http://$address/readyz" && break
  kill -0 "$pid" 2>/dev/null || fail "The instance ended: $(tail -n 3 "$folder/log")"
  sleep 0.2
done

# A stream has no end. What a schema allows may be refused nevertheless (a topic that does not exist, a name that must be typed again), and
# what follows from what is not said in it. Asked as the server's own page does, for others are refused before the method is looked at. The
# same cases each time: what a change does to them is to be seen.
SCHEMATHESIS_HOOKS=hooks PYTHONPATH=scripts/schemathesis \
  "$OTTLA_CACHE/schemathesis/bin/schemathesis" run "http://$address/api/openapi.json" \
  --exclude-path "/api/v1/feeds/{feed}/stream" --header "Sec-Fetch-Site: same-origin" --checks all --exclude-checks positive_data_acceptance \
  --phases examples,coverage,fuzzing --seed 1 --max-examples 40 --no-color "$@"
kill -0 "$pid" || fail "The instance ended: $(tail -n 3 "$folder/log")"
