//! Where the world finds the router (pure): what it says of its outside address, beside what the world sees. Only both together
//! tell whether a port that it opens leads here.

use std::net::IpAddr;

use serde::Serialize;
use shared::{
    message::PortFault,
    network::{Kind, NotPublic, public},
};

/// What both come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outside {
    /// Both name this address.
    Confirmed(IpAddr),
    /// The machine's own, which nobody translates: that of IPv6.
    Own(IpAddr),
    /// The router names a public one, and what the world sees is not known: says why.
    Unconfirmed(IpAddr, String),
    /// The router names one that the world cannot reach.
    Behind(NotPublic),
    /// They name different ones.
    Differ {
        /// The router's.
        router: IpAddr,
        /// The world's.
        world: IpAddr,
    },
    /// The router names none.
    Untold {
        /// The world's, or why it is not known.
        world: Result<IpAddr, String>,
    },
}

/// Whether a port that is open at the router leads the world here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// As far as can be told without a probe.
    Yes,
    /// It does not.
    No,
    /// Not conclusive.
    Unknown,
}

impl Outside {
    /// Joins what the router says with what the world sees.
    pub fn of(router: Option<IpAddr>, world: Result<IpAddr, String>) -> Self {
        // Routers that are not connected say 0.0.0.0.
        let Some(router) = router.filter(|address| !address.is_unspecified()) else { return Self::Untold { world } };
        match (public(router), world) {
            (Err(refused), _) => Self::Behind(refused),
            (Ok(router), Ok(world)) if router == world => Self::Confirmed(router),
            (Ok(router), Ok(world)) => Self::Differ { router, world },
            (Ok(router), Err(why)) => Self::Unconfirmed(router, why),
        }
    }

    /// Over IPv6, where each machine has its own address.
    pub fn own(address: IpAddr) -> Self {
        public(address).map_or_else(Self::Behind, Self::Own)
    }

    /// Whether the world gets here.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Confirmed(_) | Self::Own(_) => Reach::Yes,
            Self::Behind(_) => Reach::No,
            Self::Unconfirmed(..) | Self::Differ { .. } | Self::Untold { .. } => Reach::Unknown,
        }
    }

    /// The address to put into `CANARY_URL` where there is no name: none that the world cannot reach.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Confirmed(address) | Self::Own(address) | Self::Unconfirmed(address, _) => Some(*address),
            Self::Differ { router, .. } => Some(*router),
            Self::Behind(_) => None,
            Self::Untold { world } => world.as_ref().ok().copied(),
        }
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<PortFault> {
        match self {
            Self::Behind(NotPublic { kind: Kind::Cgnat, .. }) => Some(PortFault::Cgnat),
            Self::Behind(refused) if refused.address.is_ipv4() => Some(PortFault::DoubleNat),
            Self::Differ { .. } => Some(PortFault::Differ),
            Self::Behind(_) | Self::Confirmed(_) | Self::Own(_) | Self::Unconfirmed(..) | Self::Untold { .. } => None,
        }
    }

    /// In one line.
    pub fn words(&self) -> String {
        match self {
            Self::Confirmed(address) => format!("{address}, as the router says and the world sees"),
            Self::Own(address) => format!("{address}, the machine's own"),
            Self::Unconfirmed(address, why) => format!("{address}, as the router says, and nobody else: {why}"),
            Self::Behind(refused) if refused.address.is_ipv6() => format!("the machine has {refused}"),
            Self::Behind(refused) => format!("the router has {refused}"),
            Self::Differ { router, world } => format!("the router says {router}, and the world sees {world}"),
            Self::Untold { world: Ok(world) } => format!("{world}, as the world sees; the router names none"),
            Self::Untold { world: Err(why) } => format!("not known: the router names none, and {why}"),
        }
    }
}

/// Of what a router says by several protocols, that which the world could reach.
pub fn best(said: impl IntoIterator<Item = IpAddr>) -> Option<IpAddr> {
    let said: Vec<_> = said.into_iter().filter(|address| !address.is_unspecified()).collect();
    said.iter().copied().find(|address| public(*address).is_ok()).or_else(|| said.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_router_and_world_agree_on_is_certain() {
        let silent = || Err("nobody told".to_owned());
        for (router, world, reach, fault, shown) in [
            (Some("81.2.69.142"), Ok("81.2.69.142"), Reach::Yes, None, Some("81.2.69.142")),
            (Some("81.2.69.142"), Err(()), Reach::Unknown, None, Some("81.2.69.142")),
            // It lies, or this machine goes out by another way.
            (Some("81.2.69.142"), Ok("81.2.69.1"), Reach::Unknown, Some(PortFault::Differ), Some("81.2.69.142")),
            (Some("100.64.3.4"), Ok("81.2.69.1"), Reach::No, Some(PortFault::Cgnat), None),
            (Some("192.168.178.20"), Ok("81.2.69.1"), Reach::No, Some(PortFault::DoubleNat), None),
            (Some("192.0.0.2"), Err(()), Reach::No, Some(PortFault::DoubleNat), None),
            (Some("0.0.0.0"), Ok("81.2.69.1"), Reach::Unknown, None, Some("81.2.69.1")),
            (None, Ok("81.2.69.1"), Reach::Unknown, None, Some("81.2.69.1")),
            (None, Err(()), Reach::Unknown, None, None),
        ] {
            let outside =
                Outside::of(router.map(address), world.map_or_else(|()| silent(), |world| Ok(address(world))));
            let reported = (outside.reach(), outside.fault(), outside.address());
            assert_eq!(reported, (reach, fault, shown.map(address)), "{router:?} {world:?}");
            assert!(!outside.words().is_empty());
        }
    }

    #[test]
    fn over_ipv6_the_machine_has_an_address_of_its_own_or_none_that_the_world_reaches() {
        let own = |text| Outside::own(address(text));
        assert_eq!(
            (own("2a02:8109::7").reach(), own("2a02:8109::7").address()),
            (Reach::Yes, Some(address("2a02:8109::7")))
        );
        assert_eq!((own("fd00::7").reach(), own("fd00::7").fault()), (Reach::No, None));
        assert_eq!(own("fd00::7").words(), "the machine has fd00::7, a private IPv6 address");
    }

    #[test]
    fn of_several_addresses_one_of_the_worlds_counts() {
        let best = |said: &[&str]| super::best(said.iter().map(|said| address(said)));
        assert_eq!(best(&["0.0.0.0", "10.0.0.1", "81.2.69.142"]), Some(address("81.2.69.142")));
        assert_eq!(best(&["0.0.0.0", "10.0.0.1"]), Some(address("10.0.0.1")));
        assert_eq!(best(&["0.0.0.0"]), None);
    }
}
