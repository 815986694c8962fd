#!/usr/bin/env bash
# Makes the image under all stand-ins, workbench-standin/debian:bookworm, from Debian's packages alone. Needs root (for
# debootstrap) and a Docker engine, no registry. What this machine trusts (certificates of a proxy, say), builds trust.
set -euo pipefail
image=workbench-standin/debian:bookworm

if docker image inspect "$image" >/dev/null 2>&1; then exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder.log
debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" >"$log" 2>&1 || { tail -20 "$log"; exit 1; }
rm -f "$log"
if compgen -G "/usr/local/share/ca-certificates/*.crt" >/dev/null; then
  cp /usr/local/share/ca-certificates/*.crt "$folder/usr/local/share/ca-certificates/"
  chroot "$folder" update-ca-certificates >/dev/null 2>&1
fi
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder"/usr/share/{doc,man,locale}/*
tar -C "$folder" -c . | docker import - "$image" >/dev/null
echo "made $image"
