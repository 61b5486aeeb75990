//! Where `up` listens: where it did before, at the usual port, or at a free one nearby.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
};

use home_beacon::serve::listen;
use tokio::net::TcpListener;

/// The ports tried after the usual one. Those that the kernel gives away by itself could be taken at the next start.
const NEARBY: u16 = 20;

/// A listener, and what to say where it is not where it should be.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) moved: Option<String>,
}

/// Listens at `asked` and nowhere else; without it at `usual`, or nearby where that is taken.
///
/// # Errors
/// When `asked` cannot be listened at, or nothing nearby is free.
pub(super) fn open(asked: Option<SocketAddr>, usual: SocketAddr, what: &str) -> io::Result<Listening> {
    let at = |address| -> io::Result<Listening> {
        let listener = listen(address)?;
        Ok(Listening { address: listener.local_addr()?, listener, moved: None })
    };
    if let Some(asked) = asked {
        return at(asked);
    }
    let first = match at(usual) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => error,
        done => return done,
    };
    let nearby = (1..=NEARBY).filter_map(|step| usual.port().checked_add(step));
    for port in nearby.chain([0]) {
        if let Ok(found) = at(SocketAddr::new(usual.ip(), port)) {
            let moved = format!(
                "port {} is taken by another program, so the {what} is at {}",
                usual.port(),
                found.address.port()
            );
            return Ok(Listening { moved: Some(moved), ..found });
        }
    }
    Err(first)
}

/// Keeps where it listens, unless another place was chosen. Port 0 is any port once, and that one from then on.
pub(super) fn keep_place(chosen: &mut Option<SocketAddr>, found: SocketAddr) {
    *chosen = chosen.filter(|chosen| chosen.port() != 0).or(Some(found));
}

/// That port of every address, over IPv4 alone where there is no IPv6.
pub(super) fn everywhere(port: u16) -> SocketAddr {
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    // EAFNOSUPPORT: `ipv6.disable=1`.
    match std::net::TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)) {
        Err(error) if error.raw_os_error() == Some(97) => (Ipv4Addr::UNSPECIFIED, port).into(),
        _ => all,
    }
}

/// That port of this machine alone.
pub(super) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_told_and_one_nearby_is_used() {
        let taken = open(None, loopback(0), "page").unwrap();
        let usual = taken.address;
        let other = open(None, usual, "page").unwrap();
        assert_ne!(other.address.port(), usual.port());
        let said = other.moved.unwrap();
        assert!(said.starts_with(&format!("port {} is taken by another program", usual.port())), "{said}");
        assert_eq!(open(Some(usual), usual, "page").unwrap_err().kind(), io::ErrorKind::AddrInUse, "asked for");
    }
}
