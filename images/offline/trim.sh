#!/bin/sh
# Makes the root file system of a base from extracted Debian packages: interpreter, libraries, certificates, time zones, and nothing that could be run beside the
# interpreter. mmdebstrap calls it with the root; PYTHON is the name of the interpreter (python3.11), or NODE a binary to bring.
set -eu
# What stays of apt and dpkg, mmdebstrap itself cleans up after this.
cd "$1"

cat usr/share/ca-certificates/mozilla/*.crt > etc/ssl/certs/ca-certificates.crt
find usr/bin usr/sbin -mindepth 1 -maxdepth 1 ! -name "${PYTHON:-no interpreter}" -delete
find usr/share -mindepth 1 -maxdepth 1 ! -name zoneinfo ! -name doc -exec rm -rf {} +
find usr/share/doc -mindepth 2 ! -name copyright ! -type d -delete
find etc -mindepth 1 -maxdepth 1 ! -name apt ! -name ssl ! -name mime.types ! -name 'ld.so*' ! -name 'python3*' -exec rm -rf {} +
find usr/lib -mindepth 2 -maxdepth 2 \( -name gconv -o -name perl-base \) -exec rm -rf {} +
rm -rf usr/lib/systemd usr/lib/binfmt.d usr/lib/mime usr/lib/dpkg usr/libexec
mkdir -p dev proc sys tmp var/tmp usr/local/bin
chmod 1777 tmp var/tmp
[ -z "${PYTHON:-}" ] || ln -s "$PYTHON" usr/bin/python3
[ -z "${NODE:-}" ] || install -m 0755 "$NODE" usr/local/bin/node
