//! An accept loop for small answers that strangers cannot exhaust.
//!
//! One request to a connection, a deadline for its head and one for the whole, and a bound on connections: when that
//! is reached, the oldest connection that is not being answered makes room. There is no limit per source, because a
//! `NodePort` hides sources. What is answered is the service's business.

mod connection;
mod limiter;
mod listen_error;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use socket2::{Domain, Socket, Type};
use tokio::{
    net::TcpListener,
    task::{JoinSet, yield_now},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

pub use self::{connection::Peer, limiter::Traffic};
use self::{
    connection::{Accepted, serve_connection},
    limiter::ConnectionLimiter,
};

/// How many connections the kernel may hold until they are accepted: a burst must not cost a probe its first packet.
const BACKLOG: i32 = 4096;

/// How long answers in hand may take once shutdown is asked for.
const DRAIN: Duration = Duration::from_secs(4);

/// How many connections are accepted before those already here get their turn. The runtime runs 61 tasks between two
/// turns of this loop; in a flood each new one makes two (its own, and the end of the one it displaces), and with many
/// more than this a request that has already arrived would be displaced unread.
const MAX_BURST: u32 = 16;

/// How long to wait when the kernel has no more files to give.
const OUT_OF_FILES_PAUSE: Duration = Duration::from_millis(20);

/// What one listener grants its clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// From accepting to the end of the request's head.
    pub head: Duration,
    /// From accepting to the end of the answer.
    pub total: Duration,
}

/// Listens on `address`; port 0 takes a free one. Every address of IPv6 is every address: IPv4 comes to it, too.
///
/// # Errors
/// When the address is taken or not this machine's; says which.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    open(address).map_err(|error| listen_error::describe(address, &error))
}

/// Listens on every address, of IPv4 alone where there is no IPv6.
///
/// # Errors
/// When the port is taken.
pub fn listen_everywhere(port: u16) -> io::Result<TcpListener> {
    let (all, ipv4) =
        (SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)), SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    match open(all) {
        Err(error) if is_without_ipv6(&error) => {
            tracing::warn!(%error, "this machine has no IPv6, so this listens on IPv4 alone");
            listen(ipv4)
        }
        Err(error) => Err(listen_error::describe(all, &error)),
        opened => opened,
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // The system's own choice (net.ipv6.bindv6only) is another one on some.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Whether it is because the kernel was set to do without (`ipv6.disable=1`), or has no such addresses
/// (`net.ipv6.conf.all.disable_ipv6`).
fn is_without_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let without = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|error| without.contains(&error))
}

/// Whether two addresses cannot both be listened at. Every address of IPv6 is every one of IPv4, too.
pub fn collides(one: SocketAddr, other: SocketAddr) -> bool {
    let covers =
        |one: IpAddr, other: IpAddr| one == other || (one.is_unspecified() && (one.is_ipv6() || other.is_ipv4()));
    let (ip, others) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() != 0 && one.port() == other.port() && (covers(ip, others) || covers(others, ip))
}

/// Serves `router` until `shutdown`; then the port is closed, connections without a request are closed, and answers in
/// hand are finished.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    traffic: Arc<Traffic>,
    shutdown: impl Future<Output = ()>,
) {
    serve_over(None, listener, router, limits, traffic, shutdown).await;
}

/// As [`serve`], over TLS: a client has as long for its handshake as for a request's head, and its slot may be taken meanwhile.
pub async fn serve_tls(
    tls: TlsAcceptor,
    listener: TcpListener,
    router: Router,
    limits: Limits,
    traffic: Arc<Traffic>,
    shutdown: impl Future<Output = ()>,
) {
    serve_over(Some(tls), listener, router, limits, traffic, shutdown).await;
}

async fn serve_over(
    tls: Option<TlsAcceptor>,
    listener: TcpListener,
    router: Router,
    limits: Limits,
    traffic: Arc<Traffic>,
    shutdown: impl Future<Output = ()>,
) {
    let limiter = Arc::new(ConnectionLimiter::new(limits.connections, traffic));
    let mut tasks = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let (mut burst, mut short) = (0, false);
    loop {
        burst += 1;
        if burst == MAX_BURST {
            burst = 0;
            yield_now().await;
        }
        // All that have ended, and not one for each that comes: in a flood thousands of them would hold their memory.
        while tasks.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                short = false;
                let Some(slot) = limiter.admit() else { continue };
                let accepted = Accepted { stream, peer, slot: slot.clone() };
                let task = tasks.spawn(serve_connection(accepted, tls.clone(), router.clone(), limits));
                slot.served_by(task);
            }
            Err(error) if is_of_one_connection(&error) => (),
            Err(error) => {
                // Once for each shortage: it is tried again fifty times a second, and a log may be on an SD card.
                if !short {
                    tracing::warn!(%error, "cannot accept");
                }
                short = true;
                limiter.make_room();
                sleep(OUT_OF_FILES_PAUSE).await;
            }
        }
    }
    drop(listener);
    while limiter.make_room() {}
    if timeout(DRAIN, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!(left = tasks.len(), "answers in hand were cut off");
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_that_cannot_both_listen_are_known() {
        for (one, other, both) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
            ("[::]:80", "127.0.0.1:80", true),
            ("[::]:80", "0.0.0.0:80", true),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            let (one, other): (SocketAddr, SocketAddr) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!((collides(one, other), collides(other, one)), (both, both), "{one} {other}");
        }
    }
}
