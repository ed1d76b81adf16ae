# shellcheck shell=bash
# Sourced by setup.sh. A Python of its own with confluent-kafka: the other people's client that the tests produce with.

venv="$OTTLA_CACHE/venv"
requirements=end2end/foreign/requirements.txt
venv_current() { cmp -s "$requirements" "$venv/requirements.txt"; }

create_venv() {
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --requirement "$requirements"
  cp "$requirements" "$venv/requirements.txt"
}

if ! venv_current; then
  python3 -c 'import ensurepip' 2>/dev/null || packages "the Python client" "Python 3 with venv" python3 python3-venv
  step "A Python environment with confluent-kafka" create_venv
fi
