#!/usr/bin/env bash
# SQLite in WAL mode: the index of the log, a file -shm that holds no data, is most of what a small database writes in a day.
#
# Seen with SQLite 3.54.1 in apsw 3.54.1.0 (November 2026, Linux 6.18, ext4).
#
# A database with 1-KiB pages takes one small row a minute for a day: 1440 transactions with `synchronous=FULL`, on one connection
# that stays open. The -shm is mapped into memory and never synced by SQLite, so strace does not show it: each transaction makes
# pages of it dirty, and the kernel writes these half a minute later (`vm.dirty_expire_centisecs`), well before the next minute's.
# As a day takes too long, the script writes them after each transaction (fdatasync), and counts the dirty pages before
# (smaps). The kernel's own count (write_bytes in /proc/self/io), in which all files are and the file system's journal is not, is
# taken beside it. The VFS `unix-excl`, for a database that one process has open, keeps the index in the process's memory.
#
# Output seen:
#   unix: 18.5 MiB by the kernel's count, of which the -shm is 11.4 MiB
#   unix-excl: 7.1 MiB by the kernel's count, there is no -shm
#
# Why it matters here: the keeper takes a reading a minute, for years, on an SD card. It opens its database with `unix-excl`, and
# a lock file of its own says which process has it.
#
# Needs python3 with venv, PyPI, and a temporary folder on a disk (TMPDIR), because a tmpfs writes nothing. Fails when the behaviour
# changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check 'apsw==3.54.1.0'
cat >day.py <<'PYTHON'
import os
import sys

import apsw

MINUTES = 1440
MIB = 1024 * 1024
vfs = sys.argv[1]
path = os.path.join(os.getcwd(), f"{vfs}.db")


def written():
    """The bytes that the kernel has counted as this process's writes to disks."""
    with open("/proc/self/io") as counts:
        return int(dict(line.split(": ") for line in counts)["write_bytes"])


def dirty(name):
    """The bytes of a mapped file that have been changed and are not yet on the disk."""
    here, found = False, 0
    with open("/proc/self/smaps") as maps:
        for line in maps:
            key = line.split(None, 1)[0]
            if not key.endswith(":"):
                here = line.rstrip().endswith(name)
            elif here and key in ("Shared_Dirty:", "Private_Dirty:"):
                found += int(line.split()[1]) * 1024
    return found


database = apsw.Connection(path, vfs=vfs)
for pragma in ("page_size = 1024", "journal_mode = wal", "synchronous = full"):
    database.execute(f"PRAGMA {pragma}")
database.execute("CREATE TABLE readings (at INTEGER PRIMARY KEY, value REAL NOT NULL) STRICT")
index = os.open(f"{path}-shm", os.O_RDONLY) if os.path.exists(f"{path}-shm") else None
os.sync()
begun, of_index = written(), 0
for minute in range(MINUTES):
    database.execute("INSERT INTO readings VALUES (?, ?)", (minute * 60, minute / 7))
    if index is not None:
        of_index += dirty(f"{vfs}.db-shm")
        # As the kernel does before the next minute.
        os.fdatasync(index)
total = written() - begun
said = "there is no -shm" if index is None else f"of which the -shm is {of_index / MIB:.1f} MiB"
print(f"{vfs}: {total / MIB:.1f} MiB by the kernel's count, {said}", file=sys.stderr)
print(total, "none" if index is None else of_index)
PYTHON
counted=$(tools/bin/python day.py unix)
read -r shared index <<<"$counted"
counted=$(tools/bin/python day.py unix-excl)
read -r alone none <<<"$counted"
fail() {
  echo "$1" >&2
  exit 1
}
((alone > 1440 * 1024)) || fail "nothing is counted here: set TMPDIR to a folder on a disk"
[ "$none" = none ] || fail "unix-excl has an index in a file"
((2 * index > shared)) || fail "the index is no longer most of it"
# The two ways of counting agree: what is spared is what the dirty pages said.
((shared - alone > index * 9 / 10)) || fail "without the index as much is written"
echo "as it was"
