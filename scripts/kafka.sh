#!/usr/bin/env bash
# Runs a real Apache Kafka on this machine's loopback: nodes that are broker and controller in one (KRaft), from the
# jars that scripts/setup.sh fetched. No Docker. It is for development and tests: no encryption, small heaps.
#
#   kafka.sh start [--nodes 3]          starts what is not running, waits until it answers; data is kept
#   kafka.sh stop                       stops the nodes of this cluster, no other process
#   kafka.sh status                     which node runs, under which process id
#   kafka.sh brokers                    the list for `--brokers`
#   kafka.sh start-node N               one node, for failure tests
#   kafka.sh stop-node N [SIGNAL]       TERM by default; KILL crashes it, STOP and CONT freeze and thaw it
#   kafka.sh destroy                    stop, and delete the cluster's data
#   kafka.sh topics|console-producer|console-consumer ARGS   Kafka's own tools, pointed at this cluster
#
# With OTTLA_KAFKA_ZOOKEEPER=1 it is Kafka 3.9, the last that has ZooKeeper, with one ZooKeeper at the first broker's port + 99
# (`setup.sh kafka-zookeeper` fetches it). The same has to be said at each call for that cluster.
#
# Several clusters live side by side: OTTLA_KAFKA_PORT is the first broker's port (19092; node N has that + N - 1, its
# controller 100 more) and OTTLA_KAFKA_DATA the folder. Each node listens on its port + 200 as well, and says there that it is
# at its port + 300: whoever puts a relay there can cut and slow down clients (`ottla-load reliability network`).
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$0")/env.sh"

PORT="${OTTLA_KAFKA_PORT:-19092}"
ZOOKEEPER="${OTTLA_KAFKA_ZOOKEEPER:+127.0.0.1:$((PORT + 99))}"
DATA="${OTTLA_KAFKA_DATA:-$OTTLA_CACHE/kafka/cluster-$PORT${ZOOKEEPER:+-zookeeper}}"
LIBS="$OTTLA_CACHE/kafka/libs${ZOOKEEPER:+-zookeeper}"
# Kafka 3.9 logs by Log4j 1, and its console tools came with it.
if [[ $ZOOKEEPER ]]; then
  LOGGING="-Dlog4j.configuration=file:$ROOT/scripts/kafka/zookeeper/log4j.properties"
  TOOLS_LOGGING="-Dlog4j.configuration=file:$ROOT/scripts/kafka/zookeeper/tools-log4j.properties"
else
  LOGGING="-Dlog4j2.configurationFile=$ROOT/scripts/kafka/log4j2.properties"
  TOOLS_LOGGING="-Dlog4j2.configurationFile=$ROOT/scripts/kafka/tools-log4j2.properties"
fi
CLUSTER_ID=b3R0bGEtZGV2LWNsdXN0ZQ
UP_WITHIN=60
DOWN_WITHIN=20

nodes() { cat "$DATA/nodes" 2>/dev/null || echo 3; }
node_dir() { echo "$DATA/node-$1"; }
each_node() { seq 1 "$(nodes)"; }
broker() { echo "127.0.0.1:$((PORT + $1 - 1))"; }
controller() { echo "127.0.0.1:$((PORT + 100 + $1 - 1))"; }
brokers() { for n in $(each_node); do broker "$n"; done | paste -sd, -; }

java_tool() {
  local main=$1
  shift
  java -Xmx128m -XX:TieredStopAtLevel=1 "$TOOLS_LOGGING" -cp "$LIBS/*" "$main" "$@"
}

# The node's process id, if the process under it is still this very node: ids are given out again.
pid_of() {
  local pid
  pid="$(cat "$(node_dir "$1")/pid" 2>/dev/null)" || return 1
  [[ "$(ps -ww -o args= -p "$pid" 2>/dev/null)" == *"$(node_dir "$1")/server.properties"* ]] || return 1
  echo "$pid"
}

# ZooKeeper is a node too, the last to stop.
launch_zookeeper() {
  local dir
  dir="$(node_dir zookeeper)"
  ! pid_of zookeeper >/dev/null || return 0
  mkdir -p "$dir"
  cat >"$dir/server.properties" <<PROPERTIES
dataDir=$dir/data
clientPortAddress=127.0.0.1
clientPort=${ZOOKEEPER#*:}
admin.enableServer=false
maxClientCnxns=0
PROPERTIES
  (cd "$dir" && exec setsid nohup java -Xmx128m -XX:+UseSerialGC "$LOGGING" -cp "$LIBS/*" \
    org.apache.zookeeper.server.quorum.QuorumPeerMain "$dir/server.properties") >"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  for ((tenths = 0; tenths < UP_WITHIN * 10; tenths++)); do
    ! (: <"/dev/tcp/127.0.0.1/${ZOOKEEPER#*:}") 2>/dev/null || return 0
    sleep 0.1
  done
  fail "ZooKeeper was not up after $UP_WITHIN s. Its log: $dir/log"
}

write_properties() {
  if [[ $ZOOKEEPER ]]; then write_zookeeper_properties "$1"; else write_kraft_properties "$1"; fi
}

# After the file that docker-compose.yml mounts too. Of two values the last one holds.
write_zookeeper_properties() {
  local n=$1 count replicas in_sync
  count="$(nodes)"
  replicas=$((count < 3 ? count : 3))
  in_sync=$((replicas < 3 ? 1 : 2))
  cp deploy/zookeeper/server.properties "$(node_dir "$n")/server.properties"
  cat >>"$(node_dir "$n")/server.properties" <<PROPERTIES
broker.id=$n
broker.rack=rack-$n
zookeeper.connect=$ZOOKEEPER
listeners=PLAINTEXT://$(broker "$n"),RELAYED://127.0.0.1:$((PORT + 200 + n - 1))
advertised.listeners=PLAINTEXT://$(broker "$n"),RELAYED://127.0.0.1:$((PORT + 300 + n - 1))
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,RELAYED:PLAINTEXT
log.dirs=$(node_dir "$n")/data
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$replicas
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
zookeeper.session.timeout.ms=9000
PROPERTIES
}

write_kraft_properties() {
  local n=$1 count replicas in_sync voters
  count="$(nodes)"
  replicas=$((count < 3 ? count : 3))
  in_sync=$((replicas < 3 ? 1 : 2))
  voters="$(for v in $(each_node); do echo "$v@$(controller "$v")"; done | paste -sd, -)"
  cat >"$(node_dir "$n")/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=$n
broker.rack=rack-$n
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$(broker "$n"),CONTROLLER://$(controller "$n"),RELAYED://127.0.0.1:$((PORT + 200 + n - 1))
advertised.listeners=PLAINTEXT://$(broker "$n"),RELAYED://127.0.0.1:$((PORT + 300 + n - 1))
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,RELAYED:PLAINTEXT
log.dirs=$(node_dir "$n")/data
auto.create.topics.enable=false
num.partitions=3
default.replication.factor=$replicas
min.insync.replicas=$in_sync
offsets.topic.num.partitions=3
offsets.topic.replication.factor=$replicas
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync
group.initial.rebalance.delay.ms=0
# KIP-848 leaves these to the broker: here they are what Ottla's members have in the classic protocol.
group.consumer.session.timeout.ms=6000
group.consumer.min.session.timeout.ms=6000
group.consumer.heartbeat.interval.ms=2000
group.consumer.min.heartbeat.interval.ms=2000
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=16777216
PROPERTIES
}

format() {
  local n=$1 dir
  dir="$(node_dir "$n")"
  mkdir -p "$dir"
  write_properties "$n"
  [[ $ZOOKEEPER || -f "$dir/data/meta.properties" ]] ||
    java_tool kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" --config "$dir/server.properties" >"$dir/format.log" 2>&1 ||
    fail "Node $n could not be formatted: $(tail -3 "$dir/format.log")"
}

launch() {
  local n=$1 dir
  dir="$(node_dir "$n")"
  ! pid_of "$n" >/dev/null || return 0
  if (: <"/dev/tcp/127.0.0.1/$((PORT + n - 1))") 2>/dev/null; then
    fail "Port $((PORT + n - 1)) is taken by another program. OTTLA_KAFKA_PORT chooses other ports."
  fi
  # A session of its own: a Ctrl-C for the script that started it is not meant for it.
  (cd "$dir" && exec setsid nohup java -Xms96m -Xmx384m -XX:+UseSerialGC "$LOGGING" \
    -cp "$LIBS/*" kafka.Kafka "$dir/server.properties") >"$dir/log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
}

wait_up() {
  local n=$1 dir
  dir="$(node_dir "$n")"
  for ((tenths = 0; tenths < UP_WITHIN * 10; tenths++)); do
    ! grep -Eq 'Kafka Server started|KafkaServer id=[0-9]+\] started' "$dir/log" || return 0
    pid_of "$n" >/dev/null || fail "Node $n ended at start. Its log, $dir/log, closes with: $(tail -5 "$dir/log")"
    sleep 0.1
  done
  fail "Node $n was not up after $UP_WITHIN s. Its log: $dir/log"
}

# Sends the signal; for one that ends the process, waits for that.
signal() {
  local n=$1 name=$2 pid
  pid="$(pid_of "$n")" || return 0
  kill -s "$name" "$pid"
  [[ $name == TERM || $name == KILL ]] || return 0
  for ((tenths = 0; tenths < DOWN_WITHIN * 10; tenths++)); do
    pid_of "$n" >/dev/null || return 0
    sleep 0.1
  done
  # A node whose peers have gone waits for them in vain. Its log recovers at the next start.
  kill -s KILL "$pid"
}

start() {
  [[ -d $LIBS ]] || fail "Kafka's jars are missing: run scripts/setup.sh kafka${ZOOKEEPER:+-zookeeper}."
  mkdir -p "$DATA"
  [[ -f $DATA/nodes ]] || echo "$1" >"$DATA/nodes"
  local formatting=()
  for n in $(each_node); do
    format "$n" &
    formatting+=($!)
  done
  for pid in "${formatting[@]}"; do wait "$pid"; done
  [[ ! $ZOOKEEPER ]] || launch_zookeeper
  for n in $(each_node); do launch "$n"; done
  for n in $(each_node); do wait_up "$n"; done
  say "Kafka runs: $(brokers)"
}

stop() {
  for n in $(each_node); do signal "$n" TERM & done
  wait
  [[ ! $ZOOKEEPER ]] || signal zookeeper TERM
}

status() {
  for n in $(each_node); do
    echo "node $n $(broker "$n") $(pid_of "$n" | sed 's/^/runs as /' || echo stopped)"
  done
}

verb="${1:-}"
shift || true
case "$verb" in
  start)
    count=3
    [[ ${1:-} != --nodes ]] || count="$2"
    start "$count"
    ;;
  stop) stop ;;
  destroy)
    stop
    rm -rf "$DATA"
    ;;
  status) status ;;
  brokers) brokers ;;
  start-node)
    launch "$1"
    wait_up "$1"
    ;;
  stop-node) signal "$1" "${2:-TERM}" ;;
  topics) java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$(brokers)" "$@" ;;
  console-producer) java_tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$(brokers)" "$@" ;;
  console-consumer) java_tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$(brokers)" "$@" ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
    exit 2
    ;;
esac
