#!/usr/bin/env bash
# `make demo`: three instances of one group on ports 3000 to 3002, and believable traffic on the topic `orders`.
# Over one embedded broker, or with KAFKA=1 over the three-node cluster of `make kafka`. Ctrl-C ends what it started;
# the cluster it leaves running.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run
scripts/build.sh

logs="$OTTLA_CACHE/demo"
mkdir -p "$logs"
children=()
broker=
# The broker last: the instances commit and leave their group before it goes.
stop() {
  trap - EXIT INT TERM
  say "Stopping"
  if ((${#children[@]})); then
    kill "${children[@]}" 2>/dev/null || true
    wait "${children[@]}" || true
  fi
  if [[ $broker ]]; then
    kill "$broker" 2>/dev/null || true
    wait "$broker" || true
  fi
}
trap stop EXIT
trap 'exit 130' INT TERM

# A session of its own each, so that Ctrl-C reaches them through stop() alone, once.
begin() {
  local name=$1
  shift
  setsid "$@" >"$logs/$name.log" 2>&1 &
  children+=($!)
}

wait_for() {
  for ((tenths = 0; tenths < 300; tenths++)); do
    ! curl --silent --fail --output /dev/null "$1" || return 0
    sleep 0.1
  done
  fail "$1 did not answer within 30 s. The logs are in $logs."
}

if [[ ${KAFKA:-} ]]; then
  scripts/setup.sh kafka
  scripts/kafka.sh start
  brokers="$(scripts/kafka.sh brokers)"
else
  brokers=127.0.0.1:9092
  OTTLA_EMBEDDED__LISTEN=$brokers begin broker "$OTTLA_BIN" broker --data-dir "$logs/broker"
  broker=${children[-1]}
  children=()
fi

shown=()
for n in 1 2 3; do
  port=$((2999 + n))
  begin "ottla-$n" "$OTTLA_BIN" --listen "127.0.0.1:$port" --brokers "$brokers" --topics orders --group demo --instance "ottla-$n"
  shown+=("  ottla-$n  http://127.0.0.1:$port  (process ${children[-1]})")
done
for n in 1 2 3; do wait_for "http://127.0.0.1:$((2999 + n))/readyz"; done
begin traffic "$CARGO_TARGET_DIR/debug/ottla-load" traffic --brokers "$brokers" --topic orders --rate 20

printf '%s\n' "${shown[@]}"
echo "One group shares the work. End one and watch its partitions move: kill PROCESS"
echo "Logs: $logs. Ctrl-C ends it all."
wait
