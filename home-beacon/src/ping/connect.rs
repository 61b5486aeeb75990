//! The time that a TCP handshake takes, where echoes are not to be had. A refusal is an answer too.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, time::timeout};

/// Begins a connection and drops it; `None` when nothing came back in time.
///
/// # Errors
/// When it could not even be begun.
pub(super) async fn sample(address: SocketAddr, patience: Duration) -> io::Result<Option<Duration>> {
    let start = Instant::now();
    match timeout(patience, TcpStream::connect(address)).await {
        Err(_) => Ok(None),
        Ok(Ok(_)) => Ok(Some(start.elapsed())),
        Ok(Err(error)) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Ok(Some(start.elapsed())),
            io::ErrorKind::TimedOut => Ok(None),
            _ => Err(error),
        },
    }
}
