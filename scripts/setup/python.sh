# shellcheck shell=bash
# Sourced by setup.sh. A Python of its own with confluent-kafka, the other people's client that the tests produce with, and with
# what reads the files of deploy/ for scripts/check-deploy.sh.

venv="$OTTLA_CACHE/venv"
requirements=(end2end/foreign/requirements.txt scripts/deploy/requirements.txt)
venv_current() { cmp -s <(cat "${requirements[@]}") "$venv/requirements.txt"; }

create_venv() {
  rm -rf "$venv"
  python3 -m venv "$venv"
  local file
  for file in "${requirements[@]}"; do "$venv/bin/pip" install --quiet --requirement "$file"; done
  cat "${requirements[@]}" >"$venv/requirements.txt"
}

if ! venv_current; then
  python3 -c 'import ensurepip' 2>/dev/null || packages "Python's tests and checks" "Python 3 with venv" python3 python3-venv
  step "A Python environment with confluent-kafka and PyYAML" create_venv
fi
