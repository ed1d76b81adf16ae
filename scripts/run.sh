#!/usr/bin/env bash
# `make run`: installs what is missing, builds, and becomes one instance of Ottla. Arguments go to the program.
# Without --brokers it brings its own broker, whose data survives a restart.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

scripts/setup.sh run
scripts/build.sh
exec "$OTTLA_BIN" "$@"
