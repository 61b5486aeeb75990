#!/usr/bin/env bash
# hickory-resolver takes the first reply of two name servers, also where it is an error and the other one knows the name.
#
# Seen with hickory-resolver 0.26.3 (November 2026), with the options that it has by itself.
#
# Two name servers are set. The first one answers SERVFAIL at once; the second one has the address, and says so 50 ms later.
# glibc's resolver asks them in order and goes on to the second one after SERVFAIL, REFUSED, FORMERR and NOTIMP. hickory asks
# both at once (`num_concurrent_reqs` is 2) and ends the try with whatever comes first, although the documentation of
# `trust_negative_responses` says that a response with an error code "will still be retried" against other servers. Its
# further tries ask both again and end alike: three tries take the first server's word in a few milliseconds.
# The same for a second server that says NXDOMAIN sooner than the first one says the address.
#
# Output seen:
#   SERVFAIL first, an address 50 ms later: DNS error: error response: Server Failure after 4 ms
#   an address after 50 ms, NXDOMAIN first: NXDOMAIN after 1 ms
#   only the server that has the address: 192.0.2.7
#
# Why it matters here: a router's name server that answers SERVFAIL while its line is down, in front of one that is well,
# makes every lookup fail for as long as it lasts, and a second server that does not know a home's name (split horizon)
# makes a home that is up look as if its name did not exist.
#
# Needs cargo; talks to 127.0.0.0/8 only. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "asking"
version = "0.0.0"
edition = "2024"
[dependencies]
hickory-resolver = "=0.26.3"
tokio = { version = "1", features = ["macros", "net", "rt", "time"] }
TOML
cat >src/main.rs <<'RUST'
use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};

const ADDRESS: [u8; 4] = [192, 0, 2, 7];

#[derive(Clone, Copy)]
enum Says {
    Address,
    Code(u8),
}

/// A name server that answers every question alike, so long after it came.
async fn server(says: Says, after: Duration) -> NameServerConfig {
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut question = [0; 512];
        loop {
            let (length, asker) = socket.recv_from(&mut question).await.unwrap();
            tokio::time::sleep(after).await;
            // The head and the one question; what comes behind it (EDNS) is left out.
            let end = 12 + question[12..length].iter().position(|byte| *byte == 0).unwrap() + 5;
            let mut reply = question[..end].to_vec();
            reply[2] |= 0x80; // a response
            reply[3] = 0x80; // recursion is there
            reply[6..12].fill(0);
            match says {
                Says::Code(code) => reply[3] |= code,
                Says::Address => {
                    reply[7] = 1;
                    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                    reply.extend(ADDRESS);
                }
            }
            socket.send_to(&reply, asker).await.unwrap();
        }
    });
    let mut connection = ConnectionConfig::udp();
    connection.port = at.port();
    NameServerConfig::new(at.ip(), true, vec![connection])
}

async fn asked(what: &str, servers: Vec<NameServerConfig>) -> Result<IpAddr, String> {
    let config = ResolverConfig::from_parts(None, vec![], servers);
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap();
    let start = Instant::now();
    let found = resolver.ipv4_lookup("home.example.").await;
    let took = start.elapsed().as_millis();
    match found {
        Ok(lookup) => {
            let address = lookup.answers().iter().find_map(|record| record.data.ip_addr()).unwrap();
            println!("{what}: {address}");
            Ok(address)
        }
        Err(error) => {
            let name = if error.is_nx_domain() { "NXDOMAIN".to_owned() } else { error.to_string() };
            println!("{what}: {name} after {took} ms");
            Err(name)
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (now, later) = (Duration::ZERO, Duration::from_millis(50));
    let failing = vec![server(Says::Code(2), now).await, server(Says::Address, later).await];
    let servfail = asked("SERVFAIL first, an address 50 ms later", failing).await;
    let denying = vec![server(Says::Address, later).await, server(Says::Code(3), now).await];
    let nxdomain = asked("an address after 50 ms, NXDOMAIN first", denying).await;
    let alone = asked("only the server that has the address", vec![server(Says::Address, later).await]).await;
    assert_eq!(alone, Ok(IpAddr::from(ADDRESS)), "the scripted server is not understood");
    assert!(servfail.is_err(), "SERVFAIL no longer ends the lookup");
    assert_eq!(nxdomain, Err("NXDOMAIN".into()), "NXDOMAIN no longer wins over an address");
}
RUST
cargo run --quiet
