# shellcheck shell=bash
# Sourced by setup.sh. A real Apache Kafka for the tests and `make kafka`: Java, Maven, and the jars that
# scripts/kafka/pom.xml lists.

java_version() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1; }

# kafka_jars POM LIBS WHAT: the jars that a pom.xml lists, in a folder of the cache.
kafka_jars() {
  local pom=$1 libs=$2 what=$3 missing=()
  { has java && [[ $(java_version) -ge 17 ]]; } || missing+=(default-jre-headless)
  cmp -s "$pom" "$libs/pom.xml" || has mvn || missing+=(maven)
  [[ ${#missing[@]} == 0 ]] || packages "Apache Kafka" "Java 17 or newer and Maven" "${missing[@]}"
  cmp -s "$pom" "$libs/pom.xml" || step "$what" fetch_jars "$pom" "$libs"
}

fetch_jars() {
  local pom=$1 libs=$2
  rm -rf "$libs"
  mvn --quiet --batch-mode --file "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs"
  cp "$pom" "$libs/pom.xml"
}

kafka_jars scripts/kafka/pom.xml "$OTTLA_CACHE/kafka/libs" "Apache Kafka's jars through Maven (about 55 MB)"
