# shellcheck shell=bash
# Sourced by setup.sh. A real Apache Kafka for the tests and `make kafka`: Java, Maven, and the jars that
# scripts/kafka/pom.xml lists.

java_version() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1; }

missing=()
libs="$OTTLA_CACHE/kafka/libs"
jars_current() { cmp -s scripts/kafka/pom.xml "$libs/pom.xml"; }

{ has java && [[ $(java_version) -ge 17 ]]; } || missing+=(default-jre-headless)
jars_current || has mvn || missing+=(maven)
[[ ${#missing[@]} == 0 ]] || packages "Apache Kafka" "Java 17 or newer and Maven" "${missing[@]}"

fetch_jars() {
  rm -rf "$libs"
  mvn --quiet --batch-mode --file scripts/kafka/pom.xml dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$libs"
  cp scripts/kafka/pom.xml "$libs/pom.xml"
}

jars_current || step "Apache Kafka's jars through Maven (about 55 MB)" fetch_jars
