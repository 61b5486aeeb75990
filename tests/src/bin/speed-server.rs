//! A server to measure against, at a given address, for a network namespace of its own: `speed-server 192.0.2.2:80` is
//! the emulated fast.com, and `speed-server 192.0.2.2:80 endless` a file without an end at any path, whatever range of it
//! is asked for.

use std::{env, future::pending, net::SocketAddr};

use tests::{
    fast::Fast,
    web::{Body, Reply, Web},
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let address: SocketAddr = arguments[0].parse().expect("an address to listen on");
    if arguments.len() > 1 {
        let file = |_: &str, _: &_| Reply::new(200, Body::Endless).field("Content-Type", "application/octet-stream");
        let _web = Web::open_at(address, false, file).await;
        println!("listening");
        pending::<()>().await;
    }
    let _fast = Fast::open_at(address, false, &[]).await;
    println!("listening");
    pending::<()>().await;
}
