# shellcheck shell=bash
# Sourced by setup.sh, after kafka.sh. Kafka 3.9 with ZooKeeper, for OTTLA_KAFKA_ZOOKEEPER=1: scripts/kafka/zookeeper/pom.xml lists it.

kafka_jars scripts/kafka/zookeeper/pom.xml "$OTTLA_CACHE/kafka/libs-zookeeper" \
  "The jars of Kafka 3.9 and ZooKeeper through Maven (about 55 MB)"
