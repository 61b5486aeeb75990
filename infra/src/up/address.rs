//! Where the world finds an outside machine, as its join code carries it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use shared::network::{Kind, is_local};
use url::Url;

/// Any host of the world, and any port: nothing is sent there.
const SOMEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(1, 1, 1, 1), 9);

/// Where the world finds this machine.
pub(super) struct PageAddress {
    /// Host and port of the listener with TLS, as the code carries them.
    pub(super) text: String,
    /// The host, as it stands in an address.
    pub(super) host: String,
    /// What is doubtful about it.
    pub(super) note: Option<String>,
}

/// The address that is named, with the port of `tls` where it has none; else this machine's own.
pub(super) fn page_address(named: Option<&str>, tls: SocketAddr) -> PageAddress {
    if let Some(named) = named {
        let with_port = Url::parse(&format!("https://{named}")).ok();
        let port = with_port.as_ref().and_then(Url::port).unwrap_or(tls.port());
        let host = with_port.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| named.to_owned());
        let note = host.trim_matches(['[', ']']).parse().ok().and_then(unreachable);
        return PageAddress { text: format!("{host}:{port}"), host, note };
    }
    let own = if tls.ip().is_unspecified() { own_address() } else { Some(tls.ip()) };
    let own = own.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let note = unreachable(own);
    let text = SocketAddr::new(own, tls.port()).to_string();
    let host = match own {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    PageAddress { text, host, note }
}

/// What is wrong with an address that nothing elsewhere can get to.
fn unreachable(address: IpAddr) -> Option<String> {
    let kind = Kind::of(address.to_canonical()).filter(|_| is_local(address))?;
    let words = kind.words();
    Some(format!("{address} is {words}, which a home elsewhere cannot reach: name the one of the world with --address"))
}

/// The address from which this machine would send into the world. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(SOMEWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_where_the_world_finds_this_machine() {
        let tls: SocketAddr = "0.0.0.0:8443".parse().unwrap();
        for (named, text, host) in [
            ("vps.example.com", "vps.example.com:8443", "vps.example.com"),
            ("vps.example.com:9000", "vps.example.com:9000", "vps.example.com"),
            ("[2001:db8::7]", "[2001:db8::7]:8443", "[2001:db8::7]"),
        ] {
            let address = page_address(Some(named), tls);
            assert_eq!((address.text.as_str(), address.host.as_str()), (text, host), "{named}");
        }
        for (doubtful, said) in [
            ("10.0.0.5", "10.0.0.5 is a private address, which a home elsewhere cannot reach: name"),
            ("100.64.1.2", "100.64.1.2 is an address that a provider shares among its customers (CGNAT), which"),
            ("[fe80::1]:9000", "fe80::1 is an address of one link only, which"),
            ("[::ffff:192.168.1.7]", "::ffff:192.168.1.7 is a private address, which"),
        ] {
            let note = page_address(Some(doubtful), tls).note.unwrap();
            assert!(note.starts_with(said), "{note}");
        }
        assert!(page_address(Some("203.0.113.7:9000"), tls).note.is_none());
        let own = page_address(None, "192.168.1.7:8443".parse().unwrap());
        assert_eq!(own.text, "192.168.1.7:8443");
        assert!(own.note.unwrap().contains("name the one of the world with --address"));
        assert!(page_address(None, "203.0.113.7:8443".parse().unwrap()).note.is_none());
    }
}
