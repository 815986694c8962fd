#!/usr/bin/env bash
# Starts the broker once, has a topic made, and has Java keep the classes that took in a file (class data sharing).
# Usage: archive.sh FILE
set -euo pipefail
KAFKA_HEAP_OPTS=-Xmx256m KAFKA_OPTS="-XX:ArchiveClassesAtExit=$1 -Xlog:cds=error -Xlog:cds+dynamic=error" /etc/kafka/docker/run &
broker=$!
for _ in {1..600}; do
  if { true >/dev/tcp/127.0.0.1/9092; } 2>/dev/null; then break; fi
  kill -0 "$broker"
  sleep 0.1
done
/opt/kafka/bin/kafka-topics.sh --bootstrap-server 127.0.0.1:9092 --create --topic once
kill "$broker"
wait "$broker" || [[ $? == 143 ]]
test -s "$1"
