//! The time that a TCP handshake takes, where no echoes can be sent. A refusal is an answer too, where it is the target's.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};
use tokio::{net::TcpStream, time::timeout};

use super::unreachable::{self, Sample, Why, lost};

/// Begins a connection and drops it.
///
/// # Errors
/// When it could not even be begun.
pub async fn sample(address: SocketAddr, timeout_after: Duration) -> io::Result<Sample> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    unreachable::listen(&socket, address.ip())?;
    let start = Instant::now();
    match socket.connect(&address.into()) {
        Ok(()) => return Ok(Sample::Answered(start.elapsed())),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => (),
        Err(error) => return refused(error, address, start),
    }
    let stream = TcpStream::from_std(socket.into())?;
    match timeout(timeout_after, stream.writable()).await {
        Ok(ready) => ready?,
        Err(_) => return Ok(Sample::Lost(None)),
    }
    let Some(error) = stream.take_error()? else { return Ok(Sample::Answered(start.elapsed())) };
    match unreachable::next(&stream) {
        // That a port is closed is an answer where the target itself says it, and no router on the way.
        Some((Some(reported), _))
            if reported.by != Some(address.ip()) || error.kind() != io::ErrorKind::ConnectionRefused =>
        {
            Ok(Sample::Lost(Some(Why::Reported(reported))))
        }
        _ => refused(error, address, start),
    }
}

fn refused(error: io::Error, address: SocketAddr, start: Instant) -> io::Result<Sample> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Ok(Sample::Answered(start.elapsed())),
        io::ErrorKind::TimedOut => Ok(Sample::Lost(None)),
        _ => lost(error, address.ip()),
    }
}
