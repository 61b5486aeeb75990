//! A TCP connection, or why there was none.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use tokio::net::TcpStream;

use crate::judge::observation::Failure;

/// What Linux makes of an ICMP answer that names neither port, host nor network: EACCES, ENONET, ENOPROTOOPT,
/// EOPNOTSUPP, EHOSTDOWN.
const REJECTED: [i32; 5] = [13, 64, 92, 95, 112];

/// Opens a connection, and distinguishes a missing network of this machine from a router's "unreachable".
pub(super) async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    TcpStream::connect(address).await.map_err(|error| match error.kind() {
        ErrorKind::NetworkUnreachable if !has_route(address) => {
            Failure::Local("this machine has no route to the address".into())
        }
        // A router's ICMP answer, as Linux passes it on.
        _ if error.raw_os_error().is_some_and(|number| REJECTED.contains(&number)) => Failure::Unreachable,
        _ => failure_of(&error),
    })
}

/// Whether this machine has a route to the address. Nothing is sent.
fn has_route(address: SocketAddr) -> bool {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    std::net::UdpSocket::bind(any).and_then(|socket| socket.connect(address)).is_ok()
}

/// Sorts an I/O error by its kind.
pub(super) fn failure_of(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::NotConnected => Failure::Reset,
        ErrorKind::TimedOut => Failure::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Failure::Unreachable,
        _ => Failure::Local(error.to_string()),
    }
}
