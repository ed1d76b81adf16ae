#!/usr/bin/env bash
# `make dev`: one instance that is built and started again on every change of a file; its pages load themselves again then.
# What does not build is said, and the instance that runs goes on. Arguments go to the program.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run

watched=(Cargo.toml Cargo.lock app client engine feed frontend kafka load public server style wire)
stamp="$(mktemp)"
instance=

end() {
  [[ -z $instance ]] || { kill -TERM "$instance" && wait "$instance"; } 2>/dev/null || true
  instance=
}
trap 'end; rm -f "$stamp"' EXIT
trap 'exit 130' INT TERM

while true; do
  touch "$stamp"
  if scripts/build.sh; then
    end
    LEPTOS_WATCH=1 "$OTTLA_BIN" "$@" &
    instance=$!
  else
    say "✗ It does not build. The instance from before goes on; the next change is tried again."
  fi
  until [[ -n "$(find "${watched[@]}" -newer "$stamp" -type f -print -quit)" ]]; do sleep 1; done
  say "▸ A file changed"
done
