//! What an address says of where it is, by its digits alone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use shared::network;
use url::{Host, Url};

/// Whether an address is one of this machine or of a network at home, by its digits: no name server is asked.
pub(super) fn is_at_home(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => network::is_at_home(address.into()),
        Some(Host::Ipv6(address)) => network::is_at_home(address.into()),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether an address names what listens here, as far as that is known without asking a name server.
pub(super) fn is_here(url: &Url, listening: SocketAddr) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain("localhost")) => Ipv4Addr::LOCALHOST.into(),
        Some(Host::Domain(_)) | None => return false,
    };
    let everywhere = listening.ip().is_unspecified() && address.is_loopback();
    url.port_or_known_default() == Some(listening.port()) && (listening.ip() == address || everywhere)
}
