//! Networks, by the digits of an address alone: whether it is of this machine or of a home, shared behind a provider's translation, for
//! examples, or one that the world can reach. This is the one place that knows which networks these are; nobody is asked.

use std::net::IpAddr;

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
#[error("{address}, {}", self.kind.words())]
pub struct NotPublic {
    /// The address.
    pub address: IpAddr,
    /// Why.
    pub kind: Kind,
}

impl Kind {
    /// Of which kind an address is; `None` where the world can reach it.
    pub fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(v4) => {
                V4.iter().find(|(of, length, _)| covers(&of[..], &v4.octets(), *length)).map(|found| found.2)
            }
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
        }
    }

    /// In words, behind "is".
    pub fn words(self) -> &'static str {
        match self {
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
}

impl NotPublic {
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
    match Kind::of(address) {
        None => Ok(address),
        Some(kind) => Err(NotPublic { address, kind }),
    }
}

/// Whether an address is of this machine, of its link or of a private network: one that homes use among themselves. Those of
/// 100.64.0.0/10 are providers'.
pub fn is_at_home(address: IpAddr) -> bool {
    matches!(Kind::of(address.to_canonical()), Some(Loopback | LinkLocal | Private | UniqueLocal))
}

/// Whether nothing that is elsewhere can get to an address: it is one at home, shared behind a provider's translation, or none in
/// particular. Networks for examples are not among these: what stands there may stand for any.
pub fn is_local(address: IpAddr) -> bool {
    is_at_home(address) || matches!(Kind::of(address.to_canonical()), Some(Cgnat | Unspecified))
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
mod tests;
