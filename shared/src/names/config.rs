//! What `/etc/resolv.conf` says: which servers are asked, and below which domains short names are.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
};

const FILE: &str = "/etc/resolv.conf";

/// As many servers as the C library asks.
const MAX_SERVERS: usize = 3;

/// As many domains as the C library tries.
const MAX_DOMAINS: usize = 6;

const PORT: u16 = 53;

/// The name servers of this machine, in the file's order, and the domains of its search list.
///
/// `options` are passed over: how long is waited is the caller's business, and `ndots` would send names that are complete
/// through the search list first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) servers: Vec<SocketAddr>,
    pub(super) search: Vec<String>,
}

impl Config {
    /// Without a file, or with none in it, no server is asked.
    pub(super) fn of_this_machine() -> Self {
        fs::read(FILE).map(|text| parsed(&String::from_utf8_lossy(&text), interface)).unwrap_or_default()
    }
}

/// Whatever is not understood is passed over, as the C library does it.
fn parsed(text: &str, interface: impl Fn(&str) -> Option<u32>) -> Config {
    let mut config = Config::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => {
                let server = words.next().and_then(|word| server(word, &interface));
                config.servers.extend(server.filter(|_| config.servers.len() < MAX_SERVERS));
            }
            // The last of these lines counts.
            Some("search") => config.search = words.take(MAX_DOMAINS).map(domain).collect(),
            Some("domain") => config.search = words.take(1).map(domain).collect(),
            _ => (),
        }
    }
    config.search.retain(|domain| !domain.is_empty());
    config
}

fn domain(word: &str) -> String {
    word.trim_matches('.').to_owned()
}

/// An address, with the interface of a link-local one: `fe80::1%eth0`.
fn server(word: &str, interface: impl Fn(&str) -> Option<u32>) -> Option<SocketAddr> {
    let (address, scope) = match word.split_once('%') {
        Some((address, scope)) => (address, scope.parse().ok().or_else(|| interface(scope))?),
        None => (word, 0),
    };
    Some(match address.parse().ok()? {
        // As the C library has it: no address in particular is this machine.
        IpAddr::V4(address) if address.is_unspecified() => (Ipv4Addr::LOCALHOST, PORT).into(),
        IpAddr::V6(address) if address.is_unspecified() => (Ipv6Addr::LOCALHOST, PORT).into(),
        IpAddr::V4(address) => (address, PORT).into(),
        IpAddr::V6(address) => SocketAddrV6::new(address, PORT, 0, scope).into(),
    })
}

/// The number of a network interface.
fn interface(name: &str) -> Option<u32> {
    // A name of an interface has no slash; one that does must not lead elsewhere.
    let file = Some(name).filter(|name| !name.contains('/')).map(|name| format!("/sys/class/net/{name}/ifindex"))?;
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Config {
        parsed(text, |name| (name == "eth0").then_some(7))
    }

    fn servers(text: &str) -> Vec<String> {
        read(text).servers.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn servers_keep_their_order_and_their_interface() {
        let text = "# router\nnameserver fe80::1%eth0\n nameserver\t192.168.1.1 # home\nnameserver 2001:db8::1\nnameserver 9.9.9.9\n";
        assert_eq!(servers(text), ["[fe80::1%7]:53", "192.168.1.1:53", "[2001:db8::1]:53"]);
        assert_eq!(
            servers("nameserver fe80::1%3\nnameserver fe80::1%gone\nnameserver home\nnameserver\n"),
            ["[fe80::1%3]:53"]
        );
        assert_eq!(servers("nameserver 0.0.0.0\noptions ndots:5 rotate\nfoo bar\n"), ["127.0.0.1:53"]);
    }

    #[test]
    fn the_last_search_list_counts() {
        let pod =
            "search home.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n";
        assert_eq!(read(pod).search, ["home.svc.cluster.local", "svc.cluster.local", "cluster.local"]);
        assert_eq!(read("search lan.\ndomain fritz.box\n").search, ["fritz.box"]);
        assert_eq!(read("search .\n").search, [""; 0]);
    }
}
