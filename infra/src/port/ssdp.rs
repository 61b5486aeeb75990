//! Who on this network says that it is a router (SSDP): all of them, and not only the first one that answers, so that the one that
//! leads out can be told from the others.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep_until, timeout_at},
};
use url::{Host, Url};

/// Where devices listen for searches.
const PORT: u16 = 1900;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xc);

/// What is searched for. A router answers to what it has, in its own version or an older one.
const TARGETS: [&str; 4] = [
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
];

/// Devices wait up to a second (MX) before they answer; the search is sent twice, because a datagram may be lost.
const WAIT: Duration = Duration::from_millis(2_500);
const AGAIN: Duration = Duration::from_millis(700);

/// The most answers that are read of one search: each device gives one for each target, twice.
const MOST: usize = 128;

/// A device's answer to a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whose it is.
    pub(super) from: SocketAddr,
    /// Where the device describes itself.
    pub(super) location: Url,
}

impl Found {
    /// What is to be read of a datagram: only what says that it is a router, and where it describes itself.
    fn read(from: SocketAddr, text: &[u8]) -> Option<Self> {
        let lines = std::str::from_utf8(text).ok()?;
        let mut fields = lines.lines().skip(1).filter_map(|line| line.split_once(':'));
        let is_ok = lines.lines().next()?.split_whitespace().nth(1) == Some("200");
        let is_router = ["InternetGatewayDevice", "WANIPConnection", "WANPPPConnection"];
        let is_router = is_router.iter().any(|word| lines.contains(word));
        let (_, location) = fields.find(|(name, _)| name.trim().eq_ignore_ascii_case("location"))?;
        let location = Url::parse(location.trim()).ok().filter(|url| url.scheme() == "http")?;
        let is_its_own = speaks_of_itself(from.ip(), &location.host()?);
        (is_ok && is_router && is_its_own).then_some(Self { from, location })
    }

    /// The address at which it describes itself.
    pub(super) fn host(&self) -> Option<IpAddr> {
        match self.location.host()? {
            Host::Ipv4(four) => Some(four.into()),
            Host::Ipv6(six) => Some(six.into()),
            Host::Domain(_) => None,
        }
    }
}

/// Whether a router that has answered from there may describe itself at that host: nobody on the network is to have us ask another
/// machine, or this one. Over IPv6 a router answers from its link-local address, and describes itself at a global one.
fn speaks_of_itself(from: IpAddr, host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(four) => from == IpAddr::V4(*four),
        Host::Ipv6(six) => {
            let is_no_router = six.is_loopback() || six.is_unspecified() || six.is_multicast();
            from.is_ipv6() && !is_no_router && six.to_ipv4_mapped().is_none()
        }
        Host::Domain(_) => false,
    }
}

/// How a search is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// Our address on the network that is searched; over IPv6 any, by the interface with that number.
    pub(super) own: IpAddr,
    /// The number of the interface; for IPv6.
    pub(super) scope: u32,
    /// Who is asked directly as well: not every router answers to everybody's search, nor every one to its own.
    pub(super) router: SocketAddr,
    /// Whether that one is all that is searched for.
    pub(super) only: bool,
}

impl Search {
    /// Searches the network. All that answer in time, each once.
    ///
    /// # Errors
    /// When no socket can be made for it.
    pub(super) async fn run(self) -> io::Result<Vec<Found>> {
        let socket = self.socket()?;
        let start = Instant::now();
        let mut found: Vec<Found> = Vec::new();
        let receive = async {
            let mut buffer = [0; 2048];
            for _ in 0..MOST {
                let (length, from) = socket.recv_from(&mut buffer).await?;
                if found.iter().any(|known| known.from.ip() == from.ip()) {
                    continue;
                }
                found.extend(Found::read(from, &buffer[..length]));
                if self.only && found.iter().any(|found| found.from.ip() == self.router.ip()) {
                    break;
                }
            }
            Ok::<_, io::Error>(())
        };
        let send = async {
            self.send(&socket).await;
            sleep_until(start + AGAIN).await;
            self.send(&socket).await;
            std::future::pending::<()>().await;
        };
        let both = async {
            tokio::select! {
                // An error that an earlier packet brought (the port is closed) is no answer.
                received = receive => received,
                () = send => Ok(()),
            }
        };
        match timeout_at(start + WAIT, both).await {
            Ok(Err(error)) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    fn socket(self) -> io::Result<UdpSocket> {
        let (domain, bound) = match self.own {
            IpAddr::V4(_) => (Domain::IPV4, SocketAddr::new(self.own, 0)),
            // Of whichever address: the group is of the link, and answers come to its address.
            IpAddr::V6(_) => (Domain::IPV6, SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0)),
        };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.bind(&bound.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        match self.own {
            IpAddr::V4(own) => SockRef::from(&socket).set_multicast_if_v4(&own)?,
            IpAddr::V6(_) => SockRef::from(&socket).set_multicast_if_v6(self.scope)?,
        }
        Ok(socket)
    }

    /// What cannot be sent (no multicast on this network) is not answered; there is nothing more to say of it.
    async fn send(self, socket: &UdpSocket) {
        let group: SocketAddr = match self.own {
            IpAddr::V4(_) => (GROUP_V4, PORT).into(),
            IpAddr::V6(_) => SocketAddrV6::new(GROUP_V6, PORT, 0, self.scope).into(),
        };
        let mut directly = self.router;
        directly.set_port(PORT);
        for to in [group, directly] {
            for target in TARGETS {
                let _ = socket.send_to(search(to, target).as_bytes(), to).await;
            }
        }
    }
}

fn search(to: SocketAddr, target: &str) -> String {
    let host = match to {
        SocketAddr::V4(four) => four.to_string(),
        SocketAddr::V6(six) => format!("[{}]:{}", six.ip(), six.port()),
    };
    format!("M-SEARCH * HTTP/1.1\r\nHOST: {host}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {target}\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: \
        urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nUSN: uuid:1::urn:x\r\nEXT:\r\nSERVER: x/1 UPnP/1.1\r\n\
        Location: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n";

    fn read(text: &str) -> Option<Found> {
        Found::read("192.168.1.1:1900".parse().unwrap(), text.as_bytes())
    }

    #[test]
    fn only_a_router_that_says_where_it_is_described_is_found() {
        let found = read(ANSWER).unwrap();
        assert_eq!(found.location.as_str(), "http://192.168.1.1:5000/rootDesc.xml");
        assert_eq!(found.host(), Some([192, 168, 1, 1].into()));
        for (from, to) in [
            ("200 OK", "500 No"),
            ("InternetGatewayDevice", "MediaServer"),
            ("Location", "Place"),
            ("http://", "file://"),
            ("http://192.168.1.1:5000/rootDesc.xml", "nowhere"),
        ] {
            assert_eq!(read(&ANSWER.replace(from, to)), None, "{to}");
        }
        // What is said of another machine, or of this one, is not asked for.
        let elsewhere = ["192.168.1.9:5000", "127.0.0.1:9100", "example.com", "[2a02:8109::1]:5000"];
        for host in elsewhere {
            assert_eq!(read(&ANSWER.replace("192.168.1.1:5000", host)), None, "{host}");
        }
        let link_local = "[fe80::1]:1900".parse().unwrap();
        for (host, is_taken) in
            [("[2a02:8109::1]:5000", true), ("[::1]:5000", false), ("[::ffff:127.0.0.1]:5000", false)]
        {
            let found = Found::read(link_local, ANSWER.replace("192.168.1.1:5000", host).as_bytes());
            assert_eq!(found.is_some(), is_taken, "{host}");
        }
    }

    #[test]
    fn a_search_names_whom_it_asks_and_no_interface() {
        let text = search("[ff02::c%3]:1900".parse().unwrap(), TARGETS[0]);
        assert!(text.contains("HOST: [ff02::c]:1900\r\n"), "{text}");
        assert!(
            search("239.255.255.250:1900".parse().unwrap(), TARGETS[0])
                .starts_with("M-SEARCH * HTTP/1.1\r\nHOST: 239.")
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic(bytes: Vec<u8>, cut in 0..ANSWER.len()) {
            Found::read("192.168.1.1:1900".parse().unwrap(), &bytes);
            read(&ANSWER[..cut]);
        }
    }
}
