#!/usr/bin/env bash
# reqwest divides its connect timeout by the number of addresses of a name.
#
# Seen with reqwest 0.13.5 over hyper-util 0.1.21 (November 2026, Linux 6.18).
#
# A name has four addresses. Nothing answers at the first one (its SYN is lost), the others are well. With
# `connect_timeout(8 s)` one expects either that the first address gets its 8 s, or that the others are tried beside it, as
# browsers and curl do. What happens: the timeout is divided by four before anything is tried, so the first address is given
# up after 2 s, and only then the second is tried. With one address the whole 8 s are waited.
#
# Output seen:
#   1 address, the first silent: failed after 8.0 s
#   4 addresses, the first silent: connected after 2.0 s
#
# Why it matters here: a SYN that a flaky line loses is sent again after 1 s. With `connect_timeout(3 s)` and four addresses
# each one has 0.75 s, so the second SYN never counts, every address fails alike, and a name with more addresses is
# reached less often than one with a single address.
#
# Needs cargo and a C library; talks to 127.0.0.0/8 only. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "connecting"
version = "0.0.0"
edition = "2024"
[dependencies]
reqwest = { version = "=0.13.5", default-features = false }
hyper-util = "=0.1.21"
socket2 = "=0.6.5"
tokio = { version = "1", features = ["io-util", "macros", "net", "rt", "time"] }
TOML
cat >src/main.rs <<'RUST'
use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TIMEOUT: Duration = Duration::from_secs(8);

fn address(last: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(127, 0, 0, last), port).into()
}

/// Listens and accepts no connection: once its queue is full, the kernel drops each further SYN.
fn silent(at: SocketAddr) -> (socket2::Socket, Vec<TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&at.into()).unwrap();
    socket.listen(0).unwrap();
    let waiting = (0..8).map_while(|_| TcpStream::connect_timeout(&at, Duration::from_millis(300)).ok()).collect();
    (socket, waiting)
}

async fn took(addresses: &[SocketAddr]) -> (bool, f64) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(TIMEOUT)
        .resolve_to_addrs("home.example", addresses)
        .build()
        .unwrap();
    let start = Instant::now();
    let answer = client.get(format!("http://home.example:{}/", addresses[0].port())).send().await;
    (answer.is_ok(), start.elapsed().as_secs_f64())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let well = tokio::net::TcpListener::bind(address(12, 0)).await.unwrap();
    let port = well.local_addr().unwrap().port();
    let _silent = silent(address(11, port));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = well.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let (reached, alone) = took(&[address(11, port)]).await;
    println!("1 address, the first silent: {} after {alone:.1} s", if reached { "connected" } else { "failed" });
    assert!(!reached && (7.0..9.5).contains(&alone), "one address no longer has the whole timeout");
    let four: Vec<_> = (11..15).map(|last| address(last, port)).collect();
    let (reached, divided) = took(&four).await;
    println!("4 addresses, the first silent: {} after {divided:.1} s", if reached { "connected" } else { "failed" });
    assert!(reached && (1.5..3.5).contains(&divided), "the timeout is no longer divided by the number of addresses");
}
RUST
cargo run --quiet
