#!/usr/bin/env bash
# `make topology`: what docker-compose.yml puts up, with processes of this machine: a three-node Kafka, three instances with
# ottla.example.toml, and Caddy with deploy/Caddyfile before them. Then, with 12 tabs and a browser's requests through the proxy:
# WebSockets and streams pass, other sites are refused; the three instances are restarted one after the other, and a broker stops
# for a while. Every record has to be consumed, once by its group or flagged, every tab told of each once (sent, or named as not
# shown), and no visit may fail. About two and a half minutes after the build. It ends what it started, and only that.
#
#   topology.sh [--built]     --built: with the programs as they are
#
# OTTLA_TOPOLOGY_PORT is the proxy's port (25080; the instances have the three after it), OTTLA_TOPOLOGY_KAFKA_PORT the first
# broker's (25092).
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
# shellcheck source=scripts/own-cluster.sh
source scripts/own-cluster.sh

scripts/setup.sh kafka
scripts/setup.sh proxy
case "${1:-}" in
  "")
    scripts/setup.sh run
    scripts/build.sh
    ;;
  --built) ;;
  *) fail "topology.sh [--built]" ;;
esac

port="${OTTLA_TOPOLOGY_PORT:-25080}"
site="http://127.0.0.1:$port"
caddy="$OTTLA_CACHE/caddy/usr/bin/caddy"
! has caddy || caddy=caddy
load="$CARGO_TARGET_DIR/debug/ottla-load"
logs="$OTTLA_CACHE/topology/$(date +%Y%m%d-%H%M%S)"
mkdir -p "$logs"

# How many tabs, how many records a second, and for how long at least: longer than what happens takes.
TABS=12
RATE=500
SECONDS_OF_LOAD=90

# What was started, by name. Only these are ended.
declare -A pids
stop() {
  trap - EXIT INT TERM
  for name in "${!pids[@]}"; do kill "${pids[$name]}" 2>/dev/null || true; done
  for name in "${!pids[@]}"; do wait "${pids[$name]}" 2>/dev/null || true; done
  end_cluster
}
own_cluster topology 25092
trap stop EXIT
at_end=(say "Logs: $logs")

# A session of its own each, so that Ctrl-C reaches them through stop() alone, once.
begin() {
  local name=$1
  shift
  setsid "$@" >>"$logs/$name.log" 2>&1 </dev/null &
  pids[$name]=$!
}

instance() { echo "http://127.0.0.1:$((port + $1))"; }

begin_instance() {
  begin "ottla-$1" env "OTTLA_SERVER__LISTEN=127.0.0.1:$((port + $1))" "OTTLA_KAFKA__INSTANCE=ottla-$1" \
    "OTTLA_KAFKA__BROKERS=$brokers" "$OTTLA_BIN" --config ottla.example.toml
}

answers() { curl --silent --fail --max-time 5 --output /dev/null "$1"; }

wait_for() {
  for ((tenths = 0; tenths < 600; tenths++)); do
    ! answers "$1" || return 0
    sleep 0.1
  done
  fail "$1 did not answer within a minute. The logs are in $logs."
}

failures=0
# expect WHAT COMMAND…: says whether it holds, and counts.
expect() {
  local what=$1
  shift
  if "$@" >>"$logs/expectations.log" 2>&1; then
    echo "  ✓ $what"
  else
    echo "  ✗ $what"
    failures=$((failures + 1))
  fi
}

say "▸ Kafka, three instances, the proxy"
scripts/kafka.sh start
brokers="$(scripts/kafka.sh brokers)"
for n in 1 2 3; do begin_instance "$n"; done
begin proxy env "OTTLA_ADDRESS=http://:$port" "OTTLA_1=127.0.0.1:$((port + 1))" "OTTLA_2=127.0.0.1:$((port + 2))" \
  "OTTLA_3=127.0.0.1:$((port + 3))" "XDG_DATA_HOME=$logs" "XDG_CONFIG_HOME=$logs" \
  "$caddy" run --config deploy/Caddyfile --adapter caddyfile
for n in 1 2 3; do wait_for "$(instance "$n")/readyz"; done
wait_for "$site/healthz"

say "▸ Through the proxy"
# A WebSocket's opening handshake, as a browser sends it from a page of this origin: status and headers.
upgrade() {
  curl --silent --include --no-buffer --http1.1 --max-time 2 "$site/ws" --header "Origin: $1" \
    --header 'Connection: Upgrade' --header 'Upgrade: websocket' --header 'Sec-WebSocket-Version: 13' \
    --header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' --header 'Sec-WebSocket-Protocol: ottla.v1.json' |
    tr -d '\0\r' | head -c 2000 || true
}
websocket_opens() {
  local answer
  answer="$(upgrade "$site")"
  echo "$answer"
  grep -q '^HTTP/1.1 101' <<<"$answer" && grep -qi '^sec-websocket-protocol: ottla.v1.json' <<<"$answer" && grep -q '"hello"' <<<"$answer"
}
other_site_is_refused() { upgrade https://elsewhere.example | tee /dev/stderr | grep -q '^HTTP/1.1 403'; }
produces() { curl --silent --fail --max-time 10 --header 'content-type: application/json' --data '"through the proxy"' "$site/api/kafka/send"; }
# Which instance a page is from, asked as one browser, whose cookie is kept.
serving() {
  curl --silent --fail --max-time 5 --cookie "$logs/cookies" --cookie-jar "$logs/cookies" "$site/" |
    grep -o 'data-serving.\{0,400\}' | grep -o 'ottla-[123]' | head -n 1
}
browser_stays() {
  local first
  first="$(serving)" && [[ $first ]] || return 1
  for _ in 1 2 3 4 5 6; do [[ $(serving) == "$first" ]] || return 1; done
}
# The scripts and the WebAssembly that the page names are files of the instance that serves it.
files_are_there() {
  local file files
  files="$(curl --silent --fail --cookie "$logs/cookies" "$site/" | grep -o '/pkg/[A-Za-z0-9._-]*' | sort -u)"
  [[ $files ]] || return 1
  for file in $files; do curl --silent --fail --cookie "$logs/cookies" --output /dev/null "$site$file" || return 1; done
}
streams() {
  # A stream has no end: it is left after a while, which is no failure of its own.
  { curl --silent --no-buffer --max-time 3 "$1/api/v1/feeds/default/stream?newest=10" || true; } | tee /dev/stderr | grep "$2"
}
# One of the three consumed it; which one the proxy asks is its affair.
some_stream_has_it() { for n in 1 2 3; do ! streams "$(instance "$n")" 'through the proxy' || return 0; done; return 1; }
expect "a WebSocket opens" websocket_opens
expect "another site's is refused" other_site_is_refused
expect "a message is produced" produces
expect "its record is consumed" some_stream_has_it
expect "server-sent events pass, unbuffered" streams "$site" '^event: '
expect "a browser stays with its instance" browser_stays
expect "the page's files are there" files_are_there
expect "each instance has its share of both feeds" answers "$(instance 1)/readyz"

say "▸ Load: $TABS tabs through the proxy, $RATE records a second"
"$load" check --instances "$(instance 1),$(instance 2),$(instance 3)" --through "$site" --tabs "$TABS" --brokers "$brokers" \
  --topic inventory-update --feed inventory --group InventoryConsumerGroup --rate "$RATE" --total $((RATE * SECONDS_OF_LOAD)) \
  >"$logs/check.json" 2>"$logs/check.log" &
pids[check]=$!
# People who open the page, a few each second: each without a cookie, so that it may be any instance.
visit() { while sleep 0.2; do curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}\n' "$site/" || true; done; }
visit >"$logs/visits" &
pids[visits]=$!
sleep 5

say "▸ A rolling restart"
for n in 1 2 3; do
  kill -TERM "${pids[ottla-$n]}"
  wait "${pids[ottla-$n]}" || fail "ottla-$n did not end cleanly. The logs are in $logs."
  begin_instance "$n"
  wait_for "$(instance "$n")/readyz"
  sleep 3
done

say "▸ A broker stops, and comes back"
scripts/kafka.sh stop-node 2
sleep 12
expect "the instances go on with the other two" answers "$site/healthz"
expect "a message is produced" produces
scripts/kafka.sh start-node 2
sleep 5
kill -0 "${pids[check]}" 2>/dev/null || fail "The load ended before all had happened: see $logs/check.log."
kill "${pids[visits]}"
wait "${pids[visits]}" 2>/dev/null || true
unset 'pids[visits]'

say "▸ What came of it"
every_record_was_consumed() { wait "${pids[check]}"; }
figure() { sed -n "s/^{\"tabs\".*\"$1\":\([a-z0-9]*\).*/\1/p" "$logs/check.json"; }
every_tab_was_told() { [[ $(figure is_complete) == true ]]; }
came_back() { [[ $(figure reconnects) -ge $TABS ]]; }
no_visit_failed() { [[ -s $logs/visits ]] && ! grep -qv '^200$' "$logs/visits"; }
expect "every record was consumed, and none twice without a flag" every_record_was_consumed
unset 'pids[check]'
expect "every tab was told of every record, of each once" every_tab_was_told
expect "each tab lost its connection on the way, and came back" came_back
expect "none of $(wc -l <"$logs/visits") visits failed" no_visit_failed
sed -n 's/^/  /p' "$logs/check.log"
echo "  In the tabs: $(figure delivered) rows, $(figure named_in_gaps) named as not shown, $(figure missing) missing," \
  "$(figure repeated) repeated; $(figure reconnects) connections lost and made again"

! answers "$(instance 1)/metrics" || expect "the dashboard and the alerts name metrics that there are" scripts/check-metrics.sh "$(instance 1)"
[[ $failures == 0 ]] || fail "$failures did not hold."
say "All of it held."
