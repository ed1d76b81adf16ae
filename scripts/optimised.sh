# shellcheck shell=bash
# Sourced by what builds programs to be measured or shipped: flags for cargo that have Ottla's own code and the WebSocket's optimised
# in full. A release build would have all dependencies built anew, which takes a quarter of an hour.
optimised=()
for package in wire kafka feed engine server client load tungstenite tokio-tungstenite; do
  # shellcheck disable=SC2034 # for whoever sources this
  optimised+=(--config "profile.dev.package.$package.opt-level=3")
done
