# shellcheck shell=bash
# Sourced by setup.sh. A Python of its own with the Autobahn testsuite, and with the client that runs its cases. What the suite
# itself asks for is left out: that runs in Python 2 only (scripts/autobahn/fuzz.py).

autobahn="$OTTLA_CACHE/autobahn"
autobahn_requirements=scripts/autobahn/requirements.txt
autobahn_suite=autobahntestsuite==25.10.1

create_autobahn() {
  rm -rf "$autobahn"
  python3 -m venv "$autobahn"
  "$autobahn/bin/pip" install --quiet --requirement "$autobahn_requirements"
  # Not compiled: it is no Python that this one reads.
  "$autobahn/bin/pip" install --quiet --no-deps --no-compile "$autobahn_suite"
  { cat "$autobahn_requirements"; echo "$autobahn_suite"; } >"$autobahn/installed.txt"
}

if ! cmp -s <(cat "$autobahn_requirements"; echo "$autobahn_suite") "$autobahn/installed.txt"; then
  python3 -c 'import ensurepip' 2>/dev/null || packages "the Autobahn testsuite" "Python 3 with venv" python3 python3-venv
  step "A Python environment with the Autobahn testsuite" create_autobahn
fi
