#!/usr/bin/env bash
# Whether every metric that deploy/grafana/, deploy/prometheus/ and docs/OPERATIONS.md name is one that an instance exposes, asked of a
# running one; and, where promtool is, whether it takes what is exposed.
#
#   check-metrics.sh [URL]     of the instance at URL; without it one is started over the embedded broker, and ended
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

work="$(mktemp -d)"
pid=
stop() {
  trap - EXIT INT TERM
  if [[ $pid ]] && kill "$pid" 2>/dev/null; then wait "$pid" || true; fi
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

url="${1:-}"
if [[ ! $url ]]; then
  [[ -x $OTTLA_BIN ]] || fail "There is no $OTTLA_BIN: run scripts/build.sh first."
  # A free port: the program itself says which.
  (cd "$work" && exec "$OTTLA_BIN" --listen 127.0.0.1:0 --data-dir "$work/data") >"$work/log" 2>&1 &
  pid=$!
  for ((tenths = 0; tenths < 300; tenths++)); do
    url="$(sed -e $'s/\e\\[[0-9;]*m//g' "$work/log" | grep -o 'http://127.0.0.1:[0-9]*' | head -n 1 || true)"
    if [[ $url ]] && curl --silent --fail --output /dev/null "$url/readyz"; then break; fi
    kill -0 "$pid" 2>/dev/null || fail "The instance ended at its start: $(tail -n 3 "$work/log")"
    sleep 0.1
  done
fi

curl --silent --fail "$url/metrics" >"$work/metrics" || fail "$url/metrics does not answer."
if has promtool; then
  promtool check metrics <"$work/metrics" >"$work/lint" 2>&1 || fail "promtool does not take $url/metrics:
$(cat "$work/lint")"
fi
# Each family, with the names that its samples have. Both forms of the text name a counter with or without its `_total`.
awk '$1 == "#" && $2 == "TYPE" {
  name = $3
  print name
  if ($4 == "counter") { sub(/_total$/, "", name); print name "_total" }
  if ($4 == "info") print name "_info"
  if ($4 == "histogram") { print name "_bucket"; print name "_sum"; print name "_count" }
}' "$work/metrics" | sort -u >"$work/known"
[[ -s $work/known ]] || fail "$url/metrics names no metric."

grep -ohE '\b(ottla_[a-z0-9_]+|process_[a-z0-9_]+_(bytes|fds|seconds|total))\b' deploy/grafana/*.json deploy/prometheus/*.yml docs/OPERATIONS.md |
  sort -u >"$work/named"
[[ -s $work/named ]] || fail "Nothing names a metric."
unknown="$(comm -13 "$work/known" "$work/named")"
[[ ! $unknown ]] || fail "Named, and not exposed by $url/metrics:
$unknown"
echo "$(wc -l <"$work/named") metrics are named, and $url/metrics has them all"
