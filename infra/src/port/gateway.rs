//! The routers by which this machine goes out, as the kernel lists its routes, and which address of ours each of them sees.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket},
};

use shared::names::Family;

/// The routes of both families; a process that sees no other process's folder has its own.
const ROUTES_V4: &str = "/proc/self/net/route";
const ROUTES_V6: &str = "/proc/self/net/ipv6_route";

/// `RTF_UP` and `RTF_GATEWAY` of `linux/route.h`.
const UP_BY_A_GATEWAY: u32 = 0x3;

/// `RTF_UP`, `RTF_GATEWAY` and, of `linux/ipv6_route.h`, `RTF_LOCAL`.
const UP: u32 = 0x1;
const BY_A_GATEWAY: u32 = 0x2;
const OURS: u32 = 0x8000_0000;

/// `RTF_REJECT` there.
const REJECTS: u32 = 0x200;

/// A router that leads out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its address on our side.
    pub address: IpAddr,
    /// The interface that it is behind.
    pub interface: String,
    /// The lower, the more it is preferred.
    metric: u32,
}

/// The routers of a family, the preferred one first.
pub fn gateways(family: Family) -> Vec<Gateway> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    match family {
        Family::V4 => in_order(read(ROUTES_V4).lines().filter_map(line_v4).collect()),
        Family::V6 => in_order(read(ROUTES_V6).lines().filter_map(line_v6).collect()),
    }
}

/// The address of ours that the machine there sees. No packet is sent for that.
///
/// # Errors
/// When there is no way to it.
pub fn own_address(towards: SocketAddr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((Family::of(towards.ip()).unspecified(), 0))?;
    socket.connect(towards)?;
    Ok(socket.local_addr()?.ip())
}

/// Whether a machine with that address is on the link of that interface, without a router between, as the kernel's routes have it.
pub fn is_on_link(address: Ipv6Addr, scope: u32) -> bool {
    let routes = fs::read_to_string(ROUTES_V6).unwrap_or_default();
    routes.lines().filter_map(network_v6).any(|network| network.has(address) && self::scope(network.interface) == scope)
}

/// A network that an interface is in.
struct Network<'line> {
    first: u128,
    prefix: u32,
    interface: &'line str,
}

impl Network<'_> {
    fn has(&self, address: Ipv6Addr) -> bool {
        let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
        address.to_bits() & mask == self.first & mask
    }
}

/// An address as a socket takes it: one that is known on one link only names its interface.
pub fn on_link(address: IpAddr, port: u16, scope: u32) -> SocketAddr {
    match address {
        IpAddr::V6(six) if six.is_unicast_link_local() => SocketAddrV6::new(six, port, 0, scope).into(),
        other => (other, port).into(),
    }
}

/// The number of an interface; 0 where there is none.
pub fn scope(interface: &str) -> u32 {
    let number = fs::read_to_string(format!("/sys/class/net/{interface}/ifindex"));
    number.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Each router once, by its best route.
fn in_order(mut found: Vec<Gateway>) -> Vec<Gateway> {
    found.sort_by_key(|gateway| gateway.metric);
    let mut known: Vec<Gateway> = Vec::new();
    for gateway in found {
        if !known.iter().any(|other| other.address == gateway.address && other.interface == gateway.interface) {
            known.push(gateway);
        }
    }
    known
}

/// Interface, destination, gateway, flags, two counts, metric, mask …, numbers in hexadecimal digits as the machine has them in
/// memory.
fn line_v4(line: &str) -> Option<Gateway> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [interface, destination, gateway, flags, _, _, metric, mask, ..] = words[..] else { return None };
    let address = |text: &str| u32::from_str_radix(text, 16).ok().map(|number| Ipv4Addr::from(number.to_ne_bytes()));
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let leads_out = address(destination)?.is_unspecified() && address(mask)?.is_unspecified();
    let gateway = address(gateway).filter(|address| !address.is_unspecified())?;
    let found =
        || Gateway { address: gateway.into(), interface: interface.into(), metric: metric.parse().unwrap_or(u32::MAX) };
    (leads_out && flags & UP_BY_A_GATEWAY == UP_BY_A_GATEWAY && flags & REJECTS == 0).then(found)
}

/// Destination and its prefix, source and its prefix, gateway, metric, two counts, flags, interface, in hexadecimal digits.
fn line_v6(line: &str) -> Option<Gateway> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [destination, prefix, _, _, gateway, metric, _, _, flags, interface] = words[..] else { return None };
    let address = |text: &str| u128::from_str_radix(text, 16).ok().map(Ipv6Addr::from);
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let leads_out = address(destination)?.is_unspecified() && number(prefix)? == 0;
    let (gateway, flags) = (address(gateway).filter(|address| !address.is_unspecified())?, number(flags)?);
    let found =
        || Gateway { address: gateway.into(), interface: interface.into(), metric: number(metric).unwrap_or(u32::MAX) };
    (leads_out && flags & UP_BY_A_GATEWAY == UP_BY_A_GATEWAY && flags & REJECTS == 0).then(found)
}

/// A line of a network that is reached without a router.
fn network_v6(line: &str) -> Option<Network<'_>> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [destination, prefix, _, _, _, _, _, _, flags, interface] = words[..] else { return None };
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let (first, prefix, flags) = (u128::from_str_radix(destination, 16).ok()?, number(prefix)?, number(flags)?);
    let is_one = flags & (UP | BY_A_GATEWAY | REJECTS | OURS) == UP && (1..=128).contains(&prefix);
    is_one.then_some(Network { first, prefix, interface })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two ways out, and what is no way out: a network, a route to a host, one that is refused, one that is down.
    const V4: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t00000000\t0101A8C0\t0003\t0\t0\t900\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth0\t01010101\t0101A8C0\t0007\t0\t0\t0\tFFFFFFFF\t0\t0\t0
eth1\t00000000\t0103A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0
*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0
tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0
nonsense
";

    const V6: &str = "\
2a028109000100010000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001      eth
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe8000000000000004cffafffe0cf259 00000400 00000001 00000000 00000003      eth
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
2a028109000100020000000000000000 40 00000000000000000000000000000000 00 fe8000000000000004cffafffe0cf259 00000400 00000001 00000000 00000003      eth
2a028109000300010000000000000007 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001      eth
";

    #[test]
    fn what_is_reached_without_a_router_is_on_the_link() {
        let has = |address: &str| {
            let address = address.parse().unwrap();
            V6.lines().filter_map(network_v6).any(|network| network.has(address) && network.interface == "eth")
        };
        assert!(has("2a02:8109:1:1::1") && has("2a02:8109:1:1:ffff::"));
        // Behind the router, our own, and the whole world.
        assert!(!has("2a02:8109:1:2::1") && !has("2a02:8109:3:1::7") && !has("2001:db8::1"));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn routers_are_those_that_lead_out_the_preferred_one_first() {
        let found = in_order(V4.lines().filter_map(line_v4).collect());
        let found: Vec<_> = found.iter().map(|found| (found.address.to_string(), found.interface.as_str())).collect();
        assert_eq!(found, [("192.168.1.1".to_owned(), "eth0"), ("192.168.2.1".to_owned(), "wlan0")]);
        let found = in_order(V6.lines().filter_map(line_v6).collect());
        let found: Vec<_> = found.iter().map(|found| (found.address.to_string(), found.interface.as_str())).collect();
        assert_eq!(found, [("fe80::4cf:faff:fe0c:f259".to_owned(), "eth")]);
    }

    #[test]
    fn an_address_of_one_link_names_it() {
        let link: IpAddr = "fe80::1".parse().unwrap();
        assert_eq!(on_link(link, 5351, 3), "[fe80::1%3]:5351".parse().unwrap());
        assert_eq!(on_link([192, 168, 1, 1].into(), 5351, 3), "192.168.1.1:5351".parse().unwrap());
        assert_eq!(own_address("127.0.0.1:9".parse().unwrap()).unwrap(), IpAddr::from([127, 0, 0, 1]));
        assert!(scope("lo") > 0 && scope("none") == 0);
    }
}
