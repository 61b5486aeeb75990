//! A port that a router has opened, as it is kept and shown.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::moment::Moment;

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

/// What a router that speaks PCP knows a mapping by, beside its port: 96 bits that nobody else on the network knows. Who knows them can
/// close it, so that they are written to the record alone.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nonce(pub [u32; 3]);

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce")
    }
}

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
    pub at: Moment,
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
    /// Whether it is not wanted any more, and ends by itself because it could not be closed: it is not asked for again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_ending: bool,
}

impl Mapping {
    /// When the router closes it by itself; `None` for one that stays.
    pub fn ends(&self) -> Option<Timestamp> {
        let lease = SignedDuration::from_secs(i64::from(self.lease?));
        Some(self.at.clock.checked_add(lease).unwrap_or(Timestamp::MAX))
    }

    /// For how many seconds it lasts still, at most; `None` for one that stays.
    pub fn left(&self, now: &Moment) -> Option<u32> {
        let gone = u32::try_from(now.since(&self.at).as_secs()).unwrap_or(u32::MAX);
        Some(self.lease?.saturating_sub(gone))
    }

    /// Whether it has certainly ended by itself.
    pub fn is_over(&self, now: &Moment) -> bool {
        self.left(now) == Some(0)
    }

    /// Whether both are one opening of one router: what is asked for anew takes the place of the other.
    pub fn is_same_place(&self, other: &Self) -> bool {
        self.place() == other.place()
    }

    /// What an opening of a router is known by here.
    pub fn place(&self) -> (IpAddr, Protocol, SocketAddr, u16) {
        (self.router, self.protocol, self.internal, self.external)
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
pub(crate) fn sample() -> Mapping {
    Mapping {
        router: [192, 168, 1, 1].into(),
        protocol: Protocol::Pcp,
        internal: "192.168.1.7:8080".parse().unwrap(),
        wanted: 30008,
        external: 30008,
        lease: Some(7200),
        at: super::moment::at(1_000),
        epoch: Some(7),
        nonce: Some(Nonce([1, 2, 3])),
        pinhole: None,
        is_confirmed: true,
        is_ending: false,
    }
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::{super::moment::at, sample as mapping, *};

    #[test]
    fn a_lease_ends_and_one_without_an_end_does_not() {
        let mapping = mapping();
        assert_eq!(mapping.ends(), Some(at(8_200).clock));
        assert!(!mapping.is_over(&at(8_199)) && mapping.is_over(&at(8_200)));
        assert_eq!(mapping.left(&at(8_000)), Some(200));
        // A clock that jumps ends nothing.
        assert!(!mapping.is_over(&Moment { clock: Timestamp::MAX, ..at(1_001) }));
        let stays = Mapping { lease: None, ..mapping };
        assert!(stays.ends().is_none() && !stays.is_over(&at(1_000_000)));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let text = serde_json::to_string(&mapping()).unwrap();
        assert!(!text.contains("pinhole") && !text.contains("is_confirmed"), "{text}");
        assert_eq!(serde_json::from_str::<Mapping>(&text).unwrap(), mapping());
        let shown = format!("{:?}", mapping());
        assert!(shown.contains("Nonce") && !shown.contains("[1"), "it is a secret: {shown}");
        assert_eq!(mapping().to_string(), "port 30008 of 192.168.1.1, which leads to 192.168.1.7:8080 (by PCP)");
    }
}
