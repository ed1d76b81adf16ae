# shellcheck shell=bash
# Sourced by what wants a cluster of its own for as long as it runs, beside that of a developer and those of others. It names the
# cluster's port and data, and ends it with the script; `scripts/kafka.sh start` starts it.

# What is done besides at the end.
at_end=()

# own_cluster NAME PORT: OTTLA_NAME_KAFKA_PORT says another port.
own_cluster() {
  local port="OTTLA_${1^^}_KAFKA_PORT"
  export OTTLA_KAFKA_PORT="${!port:-$2}"
  export OTTLA_KAFKA_DATA="$OTTLA_CACHE/kafka/$1-$$"
  trap end_cluster EXIT
  trap 'exit 130' INT TERM
}

end_cluster() {
  trap - EXIT INT TERM
  scripts/kafka.sh destroy
  "${at_end[@]}"
}
