# shellcheck shell=bash
# Sourced by setup.sh. A Python of its own with Schemathesis.

schemathesis="$OTTLA_CACHE/schemathesis"
schemathesis_requirements=scripts/schemathesis/requirements.txt

create_schemathesis() {
  rm -rf "$schemathesis"
  python3 -m venv "$schemathesis"
  "$schemathesis/bin/pip" install --quiet --requirement "$schemathesis_requirements"
  cp "$schemathesis_requirements" "$schemathesis/installed.txt"
}

if ! cmp -s "$schemathesis_requirements" "$schemathesis/installed.txt"; then
  python3 -c 'import ensurepip' 2>/dev/null || packages "Schemathesis" "Python 3 with venv" python3 python3-venv
  step "A Python environment with Schemathesis" create_schemathesis
fi
