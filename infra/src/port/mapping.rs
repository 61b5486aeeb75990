//! A port that a router has opened, as it is kept and shown.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How a router is asked, best first: a later one says less of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Port Control Protocol, RFC 6887.
    Pcp,
    /// NAT Port Mapping Protocol, RFC 6886.
    NatPmp,
    /// UPnP's Internet Gateway Device, version 1 or 2.
    Upnp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcp => "PCP",
            Self::NatPmp => "NAT-PMP",
            Self::Upnp => "UPnP",
        })
    }
}

/// What a router that speaks PCP knows a mapping by, beside its port: 96 bits that nobody else on the network knows.
pub type Nonce = [u32; 3];

/// A port of a router that leads here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The router, by its address on our side.
    pub router: IpAddr,
    /// How it was asked.
    pub protocol: Protocol,
    /// Where it sends what arrives.
    pub internal: SocketAddr,
    /// The port that was asked for.
    pub wanted: u16,
    /// The port that the world sees: another one where that was taken.
    pub external: u16,
    /// How long it lasts from `at` on, in seconds; `None` until it is closed.
    pub lease: Option<u32>,
    /// When the router was asked last.
    pub at: Timestamp,
    /// Of PCP and NAT-PMP: for how many seconds the router had known its mappings then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// Of PCP: what closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// Of UPnP over IPv6: the number of the opening in the firewall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinhole: Option<u16>,
    /// Whether the router has said that it is open. It is written down before it is asked for, so that nothing is open that nobody
    /// knows of.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub is_confirmed: bool,
}

impl Mapping {
    /// When the router closes it by itself; `None` for one that stays.
    pub fn ends(&self) -> Option<Timestamp> {
        let lease = SignedDuration::from_secs(i64::from(self.lease?));
        Some(self.at.checked_add(lease).unwrap_or(Timestamp::MAX))
    }

    /// Whether it has ended by itself.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends().is_some_and(|end| end <= now)
    }

    /// Whether both are one opening of one router: what is asked for anew takes the place of the other.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let place = |of: &Self| (of.router, of.protocol, of.internal, of.external);
        place(self) == place(other)
    }
}

/// What becomes of it: `port 30008 of 192.168.1.1, which leads to 192.168.1.7:8080 (by PCP)`.
impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { router, protocol, internal, external, .. } = self;
        match internal {
            SocketAddr::V4(_) => write!(f, "port {external} of {router}, which leads to {internal} (by {protocol})"),
            SocketAddr::V6(_) => write!(f, "port {external} of {}, past {router} (by {protocol})", internal.ip()),
        }
    }
}

/// One for tests.
#[cfg(test)]
pub(super) fn sample() -> Mapping {
    Mapping {
        router: [192, 168, 1, 1].into(),
        protocol: Protocol::Pcp,
        internal: "192.168.1.7:8080".parse().unwrap(),
        wanted: 30008,
        external: 30008,
        lease: Some(7200),
        at: Timestamp::from_second(1_000).unwrap(),
        epoch: Some(7),
        nonce: Some([1, 2, 3]),
        pinhole: None,
        is_confirmed: true,
    }
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_true(value: &bool) -> bool {
    *value
}

#[cfg(test)]
mod tests {
    use super::{sample as mapping, *};

    #[test]
    fn a_lease_ends_and_one_without_an_end_does_not() {
        let (mapping, at) = (mapping(), |second| Timestamp::from_second(second).unwrap());
        assert_eq!(mapping.ends(), Some(at(8_200)));
        assert!(!mapping.is_over(at(8_199)) && mapping.is_over(at(8_200)));
        let stays = Mapping { lease: None, ..mapping };
        assert!(stays.ends().is_none() && !stays.is_over(Timestamp::MAX));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let text = serde_json::to_string(&mapping()).unwrap();
        assert!(!text.contains("pinhole") && !text.contains("is_confirmed"), "{text}");
        assert_eq!(serde_json::from_str::<Mapping>(&text).unwrap(), mapping());
        assert_eq!(mapping().to_string(), "port 30008 of 192.168.1.1, which leads to 192.168.1.7:8080 (by PCP)");
    }
}
