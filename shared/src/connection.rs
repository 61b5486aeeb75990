//! A TCP connection to one address, or why there was none: what the system says of a connection, sorted by what it says of the
//! other side.

use std::{
    fmt,
    io::{self, ErrorKind},
    net::SocketAddr,
};

use tokio::net::TcpStream;

/// What Linux makes of an ICMP answer that names neither port, host nor network: EACCES, ENONET, ENOPROTOOPT,
/// EOPNOTSUPP, EHOSTDOWN.
const REJECTED: [i32; 5] = [13, 64, 92, 95, 112];

/// Why there is no connection, or no longer one; in the order of how much it says of the other side, the most first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConnectionFailure {
    /// The port is closed.
    Refused,
    /// Closed by the other side, or by something in between.
    Reset,
    /// The network says that there is no way to the address.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// This machine could not even try (out of files, forbidden, no route …): says nothing about the other side.
    Local(String),
}

impl ConnectionFailure {
    /// Sorts an error of a connection that exists, by its kind.
    pub fn of(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::NotConnected => Self::Reset,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::Unreachable,
            _ => Self::Local(error.to_string()),
        }
    }

    /// Sorts an error of connecting to `address`, and distinguishes a missing network of this machine from a router's
    /// "unreachable".
    pub fn of_connecting(error: &io::Error, address: SocketAddr) -> Self {
        match error.kind() {
            ErrorKind::NetworkUnreachable if !has_route(address) => {
                Self::Local("this machine has no route to the address".into())
            }
            // A router's ICMP answer, as Linux passes it on.
            _ if error.raw_os_error().is_some_and(|number| REJECTED.contains(&number)) => Self::Unreachable,
            _ => Self::of(error),
        }
    }
}

impl fmt::Display for ConnectionFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the port is closed",
            Self::Reset => "the connection was closed",
            Self::Unreachable => "the network says that there is no way to it",
            Self::TimedOut => "there was no answer in time",
            Self::Local(why) => why,
        })
    }
}

/// Opens a connection.
///
/// # Errors
/// When there is none; there is no deadline but the system's.
pub async fn connect(address: SocketAddr) -> Result<TcpStream, ConnectionFailure> {
    TcpStream::connect(address).await.map_err(|error| ConnectionFailure::of_connecting(&error, address))
}

/// Whether this machine has a route to the address. Nothing is sent.
fn has_route(address: SocketAddr) -> bool {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    std::net::UdpSocket::bind(any).and_then(|socket| socket.connect(address)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_router_answers_is_no_trouble_of_this_machine() {
        let address: SocketAddr = ([127, 0, 0, 1], 9).into();
        for number in REJECTED {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(ConnectionFailure::of_connecting(&error, address), ConnectionFailure::Unreachable, "{error}");
            assert_ne!(ConnectionFailure::of(&error), ConnectionFailure::Unreachable, "{error}");
        }
        let unreachable = ErrorKind::NetworkUnreachable.into();
        assert_eq!(ConnectionFailure::of_connecting(&unreachable, address), ConnectionFailure::Unreachable);
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = bound.local_addr().unwrap();
        drop(bound);
        assert_eq!(connect(address).await.unwrap_err(), ConnectionFailure::Refused);
    }
}
