#!/usr/bin/env bash
# `make bench`: the micro-benchmarks of `feed`, then everything that `ottla-load bench` measures on a real Kafka of its own (one
# node), the page in a real Chromium included. It writes docs/BENCHMARKS.md (the part between its marks) and docs/benchmarks/, and
# takes about a quarter of an hour after the build. It ends what it started, and only that.
#
#   bench.sh            all of it
#   bench.sh --quick    a little of everything, in under 90 s after the build, into the cache folder: whether it works
#
# Where there are two cores and `taskset`, instances have the first one to themselves, and all else the others.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"
# shellcheck source=scripts/own-cluster.sh
source scripts/own-cluster.sh

quick=()
out=docs
short=(--warm-up-time 1 --measurement-time 2)
case "${1:-}" in
  "") ;;
  --quick)
    quick=(--quick)
    out="$OTTLA_CACHE/bench"
    short=(--quick)
    mkdir -p "$out"
    cp docs/BENCHMARKS.md "$out/"
    ;;
  *) fail "bench.sh [--quick]" ;;
esac

scripts/setup.sh run
scripts/setup.sh kafka
scripts/setup.sh browser
scripts/build.sh
npm --prefix end2end run --silent browser
CHROMIUM="$(scripts/chromium.sh)"
export CHROMIUM

# The programs once more, optimised. Kept under names of their own, and the others put back.
# shellcheck source=scripts/optimised.sh
source scripts/optimised.sh
built="$CARGO_TARGET_DIR/debug"
say "▸ The programs, optimised"
CARGO_INCREMENTAL=0 cargo build --workspace --exclude frontend --bins "${optimised[@]}"
cp "$built/ottla" "$built/ottla-bench"
cp "$built/ottla-load" "$built/ottla-load-bench"
cargo build --quiet --workspace --exclude frontend --bins

say "▸ Micro-benchmarks"
cargo bench --package feed --bench feed -- "${short[@]}"

core=()
apart=()
if has taskset && [[ $(nproc) -ge 2 ]]; then
  core=(--core 0)
  apart=(taskset --cpu-list "1-$(($(nproc) - 1))")
fi

own_cluster bench 22092
logs="$(mktemp -d)"
at_end=(rm -rf "$logs")

# One node: where there are two cores, three of them, the producer and the tabs on one of the two would be what is measured.
"${apart[@]}" scripts/kafka.sh start --nodes 1
changes="$(git status --porcelain --untracked-files=no 2>/dev/null | head -n 1)"
"${apart[@]}" "$built/ottla-load-bench" bench "${quick[@]}" "${core[@]}" --brokers "$(scripts/kafka.sh brokers)" \
  --ottla "$built/ottla-bench" --site "$OTTLA_SITE" --logs "$logs" --out "$out" --criterion "$CARGO_TARGET_DIR/criterion/feed" \
  --browser end2end/built/bench/browser.js \
  --about "date=$(date -u +%F)" \
  --about "commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)${changes:+, with changes}" \
  --about "Rust=$RUSTUP_TOOLCHAIN" \
  --about "Kafka=$(sed -n 's/.*<kafka.version>\(.*\)<.*/\1/p' scripts/kafka/pom.xml), one node on loopback" \
  --about "profile=dev (dependencies at level 1), with Ottla's own code and tungstenite at level 3, without debug assertions" \
  --about "cores=$([[ ${#core[@]} == 0 ]] && echo "shared by all" || echo "the instance alone on one; Kafka, producer and tabs on the others")"
say "Results: $out/BENCHMARKS.md, $out/benchmarks/"
