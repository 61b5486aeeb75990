//! Which addresses the world can reach. Everything else never becomes a record: a name that leads nowhere is worse than
//! one that leads to where the home was.

use std::net::IpAddr;

pub use shared::names::Family;

/// Why the world cannot reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No address in particular.
    Unspecified,
    /// Of a home or an office (RFC 1918).
    Private,
    /// Shared by the customers of a provider (RFC 6598).
    Cgnat,
    /// Of a machine for itself.
    Loopback,
    /// Of one link only.
    LinkLocal,
    /// For examples in texts.
    Documentation,
    /// For measurements in a laboratory (RFC 2544, RFC 5180).
    Benchmarking,
    /// Of a group.
    Multicast,
    /// Private, of IPv6 (RFC 4193).
    UniqueLocal,
    /// An IPv4 address written as an IPv6 one, or translated into one.
    Mapped,
    /// Made for one of the tunnels of IPv6's early days.
    Tunnel,
    /// Not given out.
    Reserved,
}

use Kind::{
    Benchmarking, Cgnat, Documentation, LinkLocal, Loopback, Mapped, Multicast, Private, Reserved, Tunnel, UniqueLocal,
    Unspecified,
};

/// IANA's special-purpose addresses (RFC 6890 and its registry), with what is reserved beside them.
const V4: [([u8; 4], u32, Kind); 17] = [
    ([0, 0, 0, 0], 8, Unspecified),
    ([10, 0, 0, 0], 8, Private),
    ([100, 64, 0, 0], 10, Cgnat),
    ([127, 0, 0, 0], 8, Loopback),
    ([169, 254, 0, 0], 16, LinkLocal),
    ([172, 16, 0, 0], 12, Private),
    // The inner side of DS-Lite (192.0.0.0/29) is in here.
    ([192, 0, 0, 0], 24, Reserved),
    ([192, 0, 2, 0], 24, Documentation),
    ([192, 31, 196, 0], 24, Reserved),
    ([192, 52, 193, 0], 24, Reserved),
    ([192, 88, 99, 0], 24, Tunnel),
    ([192, 168, 0, 0], 16, Private),
    ([198, 18, 0, 0], 15, Benchmarking),
    ([198, 51, 100, 0], 24, Documentation),
    ([203, 0, 113, 0], 24, Documentation),
    ([224, 0, 0, 0], 4, Multicast),
    ([240, 0, 0, 0], 4, Reserved),
];

/// As `V4`. Of the rest, only `2000::/3` has been given out.
const V6: [([u16; 4], u32, Kind); 13] = [
    ([0x64, 0xff9b, 0, 0], 96, Mapped),
    ([0x64, 0xff9b, 1, 0], 48, Mapped),
    ([0x2001, 0, 0, 0], 32, Tunnel),
    ([0x2001, 2, 0, 0], 48, Benchmarking),
    ([0x2001, 0xdb8, 0, 0], 32, Documentation),
    ([0x2001, 0, 0, 0], 23, Reserved),
    ([0x2002, 0, 0, 0], 16, Tunnel),
    ([0x3ffe, 0, 0, 0], 16, Reserved),
    ([0x3fff, 0, 0, 0], 20, Documentation),
    ([0xfc00, 0, 0, 0], 7, UniqueLocal),
    ([0xfe80, 0, 0, 0], 10, LinkLocal),
    ([0xfec0, 0, 0, 0], 10, UniqueLocal),
    ([0xff00, 0, 0, 0], 8, Multicast),
];

/// An address that the world cannot reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address}, {}", self.words())]
pub struct NotPublic {
    /// The address.
    pub address: IpAddr,
    /// Why.
    pub kind: Kind,
}

impl NotPublic {
    fn words(&self) -> &'static str {
        match self.kind {
            Unspecified => "no address in particular",
            Private => "a private address",
            Cgnat => "an address that a provider shares among its customers (CGNAT)",
            Loopback => "a machine's address for itself",
            LinkLocal => "an address of one link only",
            Documentation => "an address for examples",
            Benchmarking => "an address for measurements in a laboratory",
            Multicast => "an address of a group",
            UniqueLocal => "a private IPv6 address",
            Mapped => "an IPv4 address written as IPv6",
            Tunnel => "an address of an outdated tunnel",
            Reserved => "an address that is reserved",
        }
    }

    /// What it means for the home where its line seems to have this address.
    pub fn advice(&self) -> Option<&'static str> {
        matches!(self.kind, Private | Cgnat).then_some(
            "if that is what your line gets, the provider keeps it behind CGNAT: no probe from outside can reach this \
             home over IPv4, however the router is set. Ask the provider for a public address, or use IPv6 \
             (IP_VERSION=6)",
        )
    }
}

/// The address itself, where the world can reach it.
///
/// # Errors
/// Why it cannot.
pub fn public(address: IpAddr) -> Result<IpAddr, NotPublic> {
    let kind = match address {
        IpAddr::V4(v4) => V4.iter().find(|(of, length, _)| covers(&of[..], &v4.octets(), *length)).map(|found| found.2),
        IpAddr::V6(v6) if v6.is_unspecified() => Some(Unspecified),
        IpAddr::V6(v6) if v6.is_loopback() => Some(Loopback),
        IpAddr::V6(v6) if v6.to_ipv4().is_some() => Some(Mapped),
        IpAddr::V6(v6) => {
            let found = V6.iter().find(|(of, length, _)| {
                let [a, b, c, d] = of.map(u16::to_be_bytes);
                covers(&[a, b, c, d].concat(), &v6.octets(), *length)
            });
            let given_out = covers(&[0x20], &v6.octets(), 3);
            found.map(|found| found.2).or((!given_out).then_some(Reserved))
        }
    };
    match kind {
        None => Ok(address),
        Some(kind) => Err(NotPublic { address, kind }),
    }
}

/// Whether the address begins with the first `length` bits of the network; bytes that the network lacks are zero.
fn covers(network: &[u8], address: &[u8], length: u32) -> bool {
    let network = network.iter().chain(std::iter::repeat(&0));
    let mut left = length;
    address.iter().zip(network).all(|(byte, of)| {
        let bits = left.min(8);
        left -= bits;
        let mask = !u8::MAX.checked_shr(bits).unwrap_or(0);
        byte & mask == of & mask
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn kind(text: &str) -> Option<Kind> {
        public(text.parse().unwrap()).err().map(|refused| refused.kind)
    }

    #[test]
    fn addresses_that_the_world_cannot_reach_are_known_by_their_kind() {
        for (text, expected) in [
            ("0.0.0.0", Unspecified),
            ("0.255.255.255", Unspecified),
            ("10.0.0.1", Private),
            ("100.64.0.0", Cgnat),
            ("100.127.255.255", Cgnat),
            ("127.0.0.1", Loopback),
            ("169.254.1.1", LinkLocal),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.0.0.2", Reserved),
            ("192.0.2.7", Documentation),
            ("192.168.178.1", Private),
            ("198.18.0.1", Benchmarking),
            ("198.19.255.255", Benchmarking),
            ("198.51.100.1", Documentation),
            ("203.0.113.255", Documentation),
            ("224.0.0.1", Multicast),
            ("239.255.255.255", Multicast),
            ("240.0.0.1", Reserved),
            ("255.255.255.255", Reserved),
            ("::", Unspecified),
            ("::1", Loopback),
            ("::ffff:81.2.69.142", Mapped),
            ("::81.2.69.142", Mapped),
            ("64:ff9b::5102:458e", Mapped),
            ("64:ff9b:1::1", Mapped),
            ("100::1", Reserved),
            ("2001::1", Tunnel),
            ("2001:2::1", Benchmarking),
            ("2001:20::1", Reserved),
            ("2001:db8::1", Documentation),
            ("2002:5102:458e::1", Tunnel),
            ("3fff::1", Documentation),
            ("3fff:fff::1", Documentation),
            ("4000::1", Reserved),
            ("fc00::1", UniqueLocal),
            ("fd12:3456::1", UniqueLocal),
            ("fe80::1", LinkLocal),
            ("fec0::1", UniqueLocal),
            ("ff02::1", Multicast),
        ] {
            assert_eq!(kind(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_neighbours_of_what_is_refused_are_public() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "81.2.69.142",
            "2000::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "2a02:8109::1",
            "3fff:1000::1",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn what_cgnat_means_is_said_of_what_a_line_behind_it_gets() {
        let refused = |text: &str| public(text.parse().unwrap()).unwrap_err();
        assert!(refused("100.64.1.2").to_string().contains("CGNAT"));
        for text in ["100.64.1.2", "10.1.2.3"] {
            assert!(refused(text).advice().unwrap().contains("no probe from outside can reach"), "{text}");
        }
        assert_eq!(refused("127.0.0.1").advice(), None);
    }

    proptest! {
        #[test]
        fn what_the_standard_library_knows_to_be_special_is_never_public(v4: u32, v6: u128) {
            let four = Ipv4Addr::from(v4);
            let special = four.is_private() || four.is_loopback() || four.is_link_local() || four.is_broadcast()
                || four.is_documentation() || four.is_multicast() || four.is_unspecified();
            prop_assert!(!(special && public(four.into()).is_ok()), "{}", four);
            let six = Ipv6Addr::from(v6);
            let special = six.is_loopback() || six.is_multicast() || six.is_unique_local()
                || six.is_unicast_link_local() || six.is_unspecified() || six.to_ipv4().is_some();
            prop_assert!(!(special && public(six.into()).is_ok()), "{}", six);
        }
    }
}
