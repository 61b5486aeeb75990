#!/usr/bin/env bash
# systemd: what root adds to the state folder of a unit with DynamicUser= stays root's, and the unit cannot read it.
#
# Seen with systemd 252.39-1~deb12u2 (Debian 12, November 2026).
#
# Before such a unit starts, its StateDirectory= is made over to its user with all that is in it, but only where the folder
# itself is another's. Once the folder is the unit's, what root puts into it is never looked at again, whatever restarts. Either
# root gives each file to the owner of the folder, or the folder back to root: then the next start makes all of it over.
#
# Output seen, of a unit that reads one file of its folder:
#   root's file, before the first start: read
#   root's file, put beside later: cat: /var/lib/reader/note: Permission denied
#   and after another restart: cat: /var/lib/reader/note: Permission denied
#   given to the owner of the folder: read
#
# Why it matters here: `porchlight up --install` runs as such a unit, and `sudo porchlight up --join` writes a key and a token
# beside it. The unit read neither, and the home did not start any more.
#
# Needs root, debootstrap, systemd-nspawn (Debian: systemd-container) and a Debian mirror; takes a minute. Fails when the
# behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
boot='' init=''
# shellcheck disable=SC2317 # called by the trap
finish() {
  # The first process ends all in its container, and with it what has started it.
  [ -z "$init" ] || kill -KILL "$init" 2>/dev/null || true
  [ -z "$boot" ] || kill "$boot" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf --one-file-system "$folder"
}
trap finish EXIT
tree=$folder/tree
debootstrap --variant=minbase --include=systemd-sysv,dbus bookworm "$tree" >"$folder/log" 2>&1 || {
  tail -n 5 "$folder/log"
  exit 1
}
cat >"$tree/etc/systemd/system/reader.service" <<'UNIT'
[Service]
Type=oneshot
DynamicUser=yes
StateDirectory=reader
ExecStart=cat /var/lib/reader/note
StandardOutput=null
StandardError=truncate:/run/said
UNIT
: >"$tree/etc/machine-id"
systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --console=pipe --directory="$tree" \
  >"$folder/log" 2>&1 </dev/null &
boot=$!

for _ in $(seq 300); do
  init=$(pgrep --parent "$boot" | head -n 1) &&
    nsenter --all --target "$init" systemctl is-system-running 2>/dev/null |
    grep -qE 'running|degraded' && break
  sleep 0.1
done
inside() { nsenter --all --target "$init" env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C sh -ec "$1"; }
reads() { # what, and whether the unit is expected to read the file
  local said=read
  inside 'systemctl restart reader 2>/dev/null' || said=$(inside 'cat /run/said')
  echo "$1: $said"
  [ "${said##*: }" = "$2" ]
}

inside 'mkdir /var/lib/reader && umask 077 && echo one >/var/lib/reader/note'
reads "root's file, before the first start" read
inside 'rm /var/lib/reader/note && umask 077 && echo two >/var/lib/reader/note'
reads "root's file, put beside later" 'Permission denied'
reads "and after another restart" 'Permission denied'
inside 'chown --reference=/var/lib/private/reader /var/lib/reader/note'
reads "given to the owner of the folder" read
