#!/usr/bin/env bash
# cargo: two checkouts of one workspace that share a target folder take each other's crates for their own.
#
# Seen with cargo 1.95.0 (November 2026).
#
# What a path dependency is built into is named after its place within the workspace, not on the disk, so two checkouts with
# one CARGO_TARGET_DIR build into the same file. Whether that is fresh goes by the times of its sources: where those of the
# checkout at hand are older than what the other one has built, nothing is built, and the program is linked with the other
# checkout's crate. It succeeds without a word.
#
# Output seen:
#   one: I am of one
#   two: I am of one
#   two, with a folder of its own: I am of two
#
# Why it matters here: branches are tested side by side in worktrees (`git worktree add`), and a common target folder saves
# twenty minutes of compiling. A test that passes there may have tested the other branch.
#
# Needs cargo; no network; takes some seconds. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

checkout() { # its name
  mkdir -p "$1/word/src" "$1/speaker/src"
  printf '[workspace]\nresolver = "3"\nmembers = ["word", "speaker"]\n' >"$1/Cargo.toml"
  printf '[package]\nname = "word"\nversion = "0.1.0"\nedition = "2024"\n' >"$1/word/Cargo.toml"
  printf 'pub const WORD: &str = "%s";\n' "$1" >"$1/word/src/lib.rs"
  printf '[package]\nname = "speaker"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\nword = { path = "../word" }\n' >"$1/speaker/Cargo.toml"
  printf 'fn main() {\n    println!("I am of {}", word::WORD);\n}\n' >"$1/speaker/src/main.rs"
}
spoken() { # by the checkout, with that target folder
  (cd "$1" && CARGO_TARGET_DIR=$2 cargo run --quiet --offline --package speaker)
}
# Both are there before anything is built, as worktrees are.
checkout one
checkout two
sleep 1.1
one=$(spoken one "$folder/common")
two=$(spoken two "$folder/common")
own=$(spoken two "$folder/own")
printf 'one: %s\ntwo: %s\ntwo, with a folder of its own: %s\n' "$one" "$two" "$own"
[ "$one" = "I am of one" ] && [ "$two" = "I am of one" ] && [ "$own" = "I am of two" ]
