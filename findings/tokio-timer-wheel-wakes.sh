#!/usr/bin/env bash
# tokio: a long sleep wakes its thread two or three times.
#
# Seen with tokio 1.54.1 (November 2026, Linux 6.18).
#
# tokio's timers lie in a wheel of levels: one slot of the first is a millisecond, of the second 64 ms, of the third 4.1 s, and so on.
# A timer far ahead lies in a coarse slot. When that slot begins, the thread wakes only to move the timer into a finer one, and
# sleeps on. How often depends on where the deadline lies in its slots. A condition variable's timeout wakes once.
#
# Output seen, each for a sleep of 5 s on a thread that does nothing else (voluntary context switches):
#   tokio: [3, 3, 3]
#   std:   [1, 1, 1]
#
# Why it matters here: an idle program wakes up more often than its timers say, and who counts that has to allow for three
# wake-ups a wait.
#
# Needs cargo; takes half a minute. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "sleeping"
version = "0.0.0"
edition = "2024"
[dependencies]
tokio = { version = "=1.54.1", features = ["rt", "time"] }
TOML
cat >src/main.rs <<'RUST'
use std::{
    sync::{Condvar, Mutex},
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(5);

/// How often this thread has gone to sleep by itself.
fn sleeps() -> u32 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

/// How often this thread goes to sleep within three waits.
fn counted(mut wait: impl FnMut()) -> [u32; 3] {
    [(); 3].map(|()| {
        let (before, begun) = (sleeps(), Instant::now());
        wait();
        let taken = sleeps() - before;
        assert!(begun.elapsed() >= LONG);
        taken
    })
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let tokio = counted(|| runtime.block_on(async { tokio::time::sleep(LONG).await }));
    println!("tokio: {tokio:?}");
    let (nothing, never) = (Mutex::new(()), Condvar::new());
    let std = counted(|| {
        let (_guard, waited) = never.wait_timeout(nothing.lock().unwrap(), LONG).unwrap();
        assert!(waited.timed_out());
    });
    println!("std:   {std:?}");
    assert!(tokio.iter().all(|wakes| *wakes >= 2), "a long sleep wakes once");
    assert!(std.iter().sum::<u32>() < tokio.iter().sum(), "so does any wait here");
}
RUST
cargo run --quiet
