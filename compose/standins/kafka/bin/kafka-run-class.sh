#!/usr/bin/env bash
# Runs a main class of Kafka's with the options that the official script of this name takes from the environment.
# Usage: kafka-run-class.sh [-name NAME] [-loggc] CLASS [ARGUMENT...]
set -euo pipefail

home=/opt/kafka
logs=${LOG_DIR:-$home/logs}
name=kafka
collector=${KAFKA_GC_LOG_OPTS:-}
while [[ ${1:-} == -* ]]; do
  case $1 in
    -name) name=$2; shift 2 ;;
    -loggc) collector=${collector:--Xlog:gc*:file=$logs/$name-gc.log:time,tags:filecount=10,filesize=100M}; shift ;;
    *) echo "$0: unknown option $1" >&2; exit 2 ;;
  esac
done
mkdir -p "$logs" 2>/dev/null || true # where it is needed and cannot be written, Java says so

printf -v jars '%s:' "$home"/libs/*.jar # in this order, or the archive of classes is no use
archive=
if [[ -e $home/kafka.jsa ]]; then archive=-XX:SharedArchiveFile=$home/kafka.jsa; fi

performance=${KAFKA_JVM_PERFORMANCE_OPTS:--server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 \
  -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true}

# shellcheck disable=SC2086 # each variable holds several options
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} $performance $archive $collector ${KAFKA_JMX_OPTS:-} -Dkafka.logs.dir="$logs" \
  ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/tools-log4j2.yaml} -cp "$jars${CLASSPATH:-}" ${KAFKA_OPTS:-} "$@"
