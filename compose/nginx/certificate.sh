#!/bin/sh
# A key of this installation's own, and a certificate for localhost that it signed itself. An organisation puts its own
# pair into the volume instead, under the same names.
set -eu
cd /certificate
if [ ! -s edge.key ] || [ ! -s edge.crt ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 \
    -subj "/CN=localhost/O=System Design Workbench" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
    -keyout edge.key -out edge.crt 2>/dev/null
  chmod 0400 edge.key
  chmod 0444 edge.crt
  chown 101:101 edge.key
fi
