#!/bin/sh
# Installs Porchlight from a release: the program, its man pages and completions.
#
#   sh install.sh [--prefix DIR] [--uninstall]
#
# DIR is /usr/local for root, and ~/.local for others. What is downloaded must have the checksum that the release says, and
# where GitHub's gh is there, the attestation that its workflow built it; else nothing is installed. Whatever fails, what was
# there before is there afterwards.
#
#   PORCHLIGHT_VERSION   another version than the one that this script came with
#   PORCHLIGHT_BASE_URL  where the files of that version are, instead of at GitHub
# shellcheck disable=SC2015 # what comes after || ends the script
set -eu
# Both are filled in where a release is made.
version=${PORCHLIGHT_VERSION:-}
repository=

say() { printf '%s\n' "$*"; }
refuse() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

prefix='' uninstall=''
while [ $# -gt 0 ]; do
  case $1 in
  --prefix)
    [ $# -ge 2 ] || refuse "--prefix takes a folder"
    prefix=$2
    shift
    ;;
  --uninstall) uninstall=yes ;;
  -h | --help)
    say "sh install.sh [--prefix DIR] [--uninstall]"
    say "Installs porchlight below DIR: /usr/local for root, and ~/.local for others."
    exit 0
    ;;
  *) refuse "$1 is not known: --prefix DIR and --uninstall are" ;;
  esac
  shift
done
if [ -z "$prefix" ]; then
  if [ "$(id -u)" -eq 0 ]; then prefix=/usr/local; else prefix=${HOME:?is not set}/.local; fi
fi
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
# What belongs to an installation, in paths below the prefix: what --uninstall removes.
list=share/porchlight/files

remove() { # the files that a list names, and our own folders
  while IFS= read -r file; do
    rm -f "$prefix/$file" || refuse "$prefix/$file cannot be removed"
  done <"$1"
  rm -f "$prefix/$list"
  ours=$prefix/share/porchlight
  rmdir "$ours/systemd/"* "$ours/systemd" "$ours" 2>/dev/null || true
}
if [ -n "$uninstall" ]; then
  [ -f "$prefix/$list" ] || refuse "nothing was installed below $prefix by this script; --prefix names another place"
  remove "$prefix/$list"
  say "Porchlight is removed from $prefix. What it has written elsewhere, and services that run it, are not."
  exit 0
fi

# --- what is to be had -------------------------------------------------------------------------------------------------

[ "$(uname -s)" = Linux ] || refuse "Porchlight's programs are for Linux, and this is $(uname -s)"
case $(uname -m) in
x86_64 | amd64) platform=amd64 ;;
aarch64 | arm64) platform=arm64 ;;
*) refuse "there is no program for this machine, $(uname -m): x86_64 and aarch64 are the ones" ;;
esac
for tool in tar gzip sha256sum mktemp; do have $tool || refuse "$tool is missing, which this script needs"; done
[ -n "$version" ] || refuse "PORCHLIGHT_VERSION says which version is to be installed, like 0.1.0"
base=${PORCHLIGHT_BASE_URL:-}
if [ -z "$base" ]; then
  [ -n "$repository" ] || refuse "PORCHLIGHT_BASE_URL says where the files of the release are"
  base=https://github.com/$repository/releases/download/v$version
fi
name=porchlight-$version-linux-$platform

made=''
folder() { # makes one, and notes what has to be taken away again
  [ -d "$1" ] && return
  folder "$(dirname "$1")" && mkdir "$1" 2>/dev/null && made="$1
$made"
}
folder "$prefix" && [ -w "$prefix" ] ||
  refuse "$prefix cannot be written: --prefix names another place, and root may write to this one"
# Beside its destination, so that what is unpacked here is moved there, and needs no space any more.
stage=$(mktemp -d "$prefix/.porchlight.XXXXXX") || refuse "$prefix cannot be written"
half=''
clean() {
  code=$?
  trap '' INT TERM HUP
  if [ -n "$half" ]; then undo; fi
  rm -rf "$stage"
  [ "$code" -eq 0 ] || printf %s "$made" | while IFS= read -r folder; do rmdir "$folder" 2>/dev/null || true; done
  exit "$code"
}
trap clean EXIT
trap 'exit 1' INT TERM HUP

fetch() { # file
  if have curl; then
    curl --fail --silent --show-error --location --connect-timeout 20 --speed-limit 100 --speed-time 60 \
      --output "$stage/$1" "$base/$1"
  elif have wget; then
    wget -q -T 60 -O "$stage/$1" "$base/$1"
  else
    refuse "curl or wget is missing, one of which this script needs"
  fi
}
fetch SHA256SUMS || refuse "$base/SHA256SUMS could not be downloaded"
fetch "$name.tar.gz" || refuse "$base/$name.tar.gz could not be downloaded"

# --- whether it is what the release says -------------------------------------------------------------------------------

sum=$(sed -n "s/^\([0-9a-f]\{64\}\)  $name\.tar\.gz\$/\1/p" "$stage/SHA256SUMS")
[ -n "$sum" ] || refuse "SHA256SUMS does not list $name.tar.gz"
printf '%s  %s\n' "$sum" "$stage/$name.tar.gz" | sha256sum -c - >/dev/null 2>&1 ||
  refuse "$name.tar.gz is not the file of the release: its checksum is another one, so nothing is installed"
attested='its checksum is right'
if have gh && [ -n "$repository" ]; then
  gh attestation verify "$stage/$name.tar.gz" --repo "$repository" >"$stage/gh" 2>&1 ||
    refuse "gh does not confirm that $repository built $name.tar.gz, so nothing is installed: $(tail -n 1 "$stage/gh")"
  attested='its checksum and its attestation are right'
fi

# --- all of it, or nothing ---------------------------------------------------------------------------------------------

full="there is no room below $prefix, or it cannot be written: nothing is installed"
mkdir "$stage/new" "$stage/old" && tar -xzf "$stage/$name.tar.gz" -C "$stage" 2>"$stage/tar" || refuse "$full"
from=$stage/$name
put() { # file of the tarball, destination below the prefix
  mkdir -p "$stage/new/$(dirname "$2")" && mv "$from/$1" "$stage/new/$2" || refuse "$full"
}
for page in "$from"/man/*.1; do put "man/${page##*/}" "share/man/man1/${page##*/}"; done
put completions/porchlight.bash share/bash-completion/completions/porchlight
put completions/porchlight.zsh share/zsh/site-functions/_porchlight
put completions/porchlight.fish share/fish/vendor_completions.d/porchlight.fish
for file in LICENSE README.md systemd; do put $file "share/porchlight/$file"; done
for file in "$from"/compose*.yaml; do put "${file##*/}" "share/porchlight/${file##*/}"; done
put porchlight bin/porchlight
chmod 755 "$stage/new/bin/porchlight"
"$stage/new/bin/porchlight" --version >"$stage/said" 2>&1 ||
  refuse "the program does not run on this machine, so nothing is installed: $(tail -n 1 "$stage/said")"
# The program last: until it is there, the one that was there runs.
(cd "$stage/new" && find . -type f ! -path ./bin/porchlight | sed 's|^\./||' | sort && echo bin/porchlight) >"$stage/files" ||
  refuse "$full"
mkdir -p "$stage/new/${list%/*}" && cp "$stage/files" "$stage/new/$list" || refuse "$full"
# What has to be made for it is made before anything that was there is touched.
while IFS= read -r file; do
  folder "$prefix/$(dirname "$file")" && [ -w "$prefix/$(dirname "$file")" ] && mkdir -p "$stage/old/$(dirname "$file")" ||
    refuse "$prefix/$(dirname "$file") cannot be written: nothing is installed"
  if [ -e "$prefix/$file" ]; then ln "$prefix/$file" "$stage/old/$file" || refuse "$full"; fi
done <"$stage/files"
[ ! -f "$prefix/$list" ] || cp "$prefix/$list" "$stage/before" || refuse "$full"

undo() {
  while IFS= read -r file; do
    # Not yet replaced.
    [ ! -e "$stage/new/$file" ] || continue
    if [ -e "$stage/old/$file" ]; then mv -f "$stage/old/$file" "$prefix/$file"; else rm -f "$prefix/$file"; fi
  done <"$stage/files"
}
half=yes
while IFS= read -r file; do
  mv -f "$stage/new/$file" "$prefix/$file" || refuse "$prefix/$file cannot be written: all is as it was"
done <"$stage/files"
mv -f "$stage/new/$list" "$prefix/$list" || refuse "$prefix/$list cannot be written: all is as it was"
half=''
# What only the version before had.
if [ -f "$stage/before" ]; then
  grep -vxF -f "$stage/files" "$stage/before" >"$stage/gone" || true
  while IFS= read -r file; do rm -f "$prefix/$file"; done <"$stage/gone"
fi

say "Porchlight $version is installed: $prefix/bin/porchlight; $attested."
[ ! -f "$stage/before" ] || say "What runs already goes on with the version before until it is restarted."
case :$PATH: in
*":$prefix/bin:"*) say "Begin with: porchlight up" ;;
*) say "Begin with: $prefix/bin/porchlight up ($prefix/bin is not in PATH)" ;;
esac
