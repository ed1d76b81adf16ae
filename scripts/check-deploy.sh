#!/usr/bin/env bash
# Whether what an operator takes still fits: docker-compose.yml, the Dockerfile and deploy/ to each other, to the program's routes and keys,
# and to docs/OPERATIONS.md (scripts/deploy/check.py has the rules); and whether each alert fires when it should and only then
# (deploy/prometheus/ottla.rules.test.yml). It starts nothing: no container, no cluster. Metrics' names: scripts/check-metrics.sh.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

python="$OTTLA_CACHE/venv/bin/python"
{ [[ -x $python ]] && has promtool; } || fail "Missing: PyYAML or promtool. Run scripts/setup.sh test first."

"$python" scripts/deploy/check.py

for config in prometheus kubernetes; do
  promtool check config --lint-fatal "deploy/prometheus/$config.yml" >/dev/null
done
promtool test rules deploy/prometheus/ottla.rules.test.yml
