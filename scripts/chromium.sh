#!/usr/bin/env bash
# Prints the path of the Chromium that the tests drive: $CHROMIUM, else one of the system's, else Playwright's own.
# Fails, and installs nothing, where there is none.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

for candidate in "${CHROMIUM:-}" chromium google-chrome google-chrome-stable chromium-browser; do
  if [[ -n $candidate ]] && has "$candidate"; then
    command -v "$candidate"
    exit
  fi
done
own="$(cd end2end && node -p "require('playwright-core').chromium.executablePath()" 2>/dev/null)"
[[ -x $own ]] && echo "$own"
