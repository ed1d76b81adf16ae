# shellcheck shell=bash
# Sourced by what builds programs to be measured or shipped: flags for cargo that have Ottla's own code and the WebSocket's optimised
# in full, without debug assertions and overflow checks, as a release build has it. All else stays as it is in every build: a release build
# would have all dependencies built anew, which takes a quarter of an hour.
optimised=()
for package in wire kafka feed engine app server client load tungstenite tokio-tungstenite; do
  for setting in opt-level=3 debug-assertions=false overflow-checks=false; do
    # shellcheck disable=SC2034 # for whoever sources this
    optimised+=(--config "profile.dev.package.$package.$setting")
  done
done
