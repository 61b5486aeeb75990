#!/usr/bin/env bash
# tower-http's gzip: an answer whose body lies whole in shared memory takes a third of a mebibyte more for as long as it is sent.
#
# Seen with tower-http 0.6.11, axum 0.8.9 and tokio 1.54.1 (November 2026).
#
# A server that has one body in memory hands it out as `Bytes`: a hundred visitors who are slow to read share it, and each costs
# some kilobytes. With `CompressionLayer` the body is compressed while it is sent, so each of them has a compressor, with its
# window and tables, until the last byte has left: more than 300 KiB each, whatever the level, and though the result is the same for all.
#
# Output seen:
#   plain: 19 KiB for each of 100 slow visitors
#   gzip:  360 KiB for each of 100 slow visitors
#
# Why it matters here: a status page on a small machine has 16 MiB for everything, and hundreds of slow visitors while a home is
# down. So an answer is better compressed at once, as a whole, by one compressor.
#
# Needs cargo, python3, and crates.io; talks to 127.0.0.1 only. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "visited"
version = "0.0.0"
edition = "2024"
[dependencies]
axum = { version = "=0.8.9", default-features = false, features = ["http1", "tokio"] }
tokio = { version = "=1.54.1", features = ["macros", "net", "rt"] }
tower-http = { version = "=0.6.11", features = ["compression-gzip"] }
TOML
cat >src/main.rs <<'RUST'
use axum::{Router, body::Bytes, routing::get};
use tower_http::compression::CompressionLayer;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Long enough that no kernel takes it off at once, and of no pattern.
    let mut state = 1_u32;
    let mut digit = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'0' + u8::try_from(state >> 24).unwrap() % 64
    };
    let body: Bytes = (0..16 << 20).map(|_| digit()).collect::<Vec<u8>>().into();
    let page = get(move || async move { ([("content-type", "text/plain")], body.clone()) });
    let routes = Router::new().route("/", page).layer(CompressionLayer::new().gzip(true));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    axum::serve(listener, routes).await.unwrap();
}
RUST
cargo build --quiet --release
cat >visits.py <<'PYTHON'
import socket
import sys
import time

port, server, visitors = int(sys.argv[1]), int(sys.argv[2]), 100


def resident():
    with open(f"/proc/{server}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def grows(headers):
    """By how much the server grows for each visitor who asks, and reads nothing."""
    before, waiting = resident(), []
    for _ in range(visitors):
        visitor = socket.create_connection(("127.0.0.1", port))
        visitor.sendall(f"GET / HTTP/1.1\r\nhost: page\r\n{headers}\r\n".encode())
        waiting.append(visitor)
    after = resident()
    for _ in range(100):
        time.sleep(0.2)
        last, after = after, resident()
        if after == last:
            break
    for visitor in waiting:
        visitor.close()
    return (after - before) // visitors


plain, gzip = grows(""), grows("accept-encoding: gzip\r\n")
print(f"plain: {plain} KiB for each of {visitors} slow visitors")
print(f"gzip:  {gzip} KiB for each of {visitors} slow visitors")
assert plain < 60 and 200 < gzip < 500
PYTHON
target/release/visited >port &
server=$!
for _ in $(seq 50); do [ -s port ] && break; sleep 0.1; done
timeout 120 python3 visits.py "$(cat port)" "$server"
