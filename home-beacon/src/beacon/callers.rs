//! Who asks the beacon, by class: what a request shows, and the kind of network that it comes from. There are a dozen classes
//! whatever strangers do; an address is never kept.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use shared::network::Kind;

/// What a request shows of who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// It is signed with the home's key, and counts as a look.
    Signed,
    /// It asks for a proof, as a prober does; anybody can.
    Prober,
    /// Neither.
    Other,
}

/// The kind of network that an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Network {
    /// This machine.
    Loopback,
    /// A home's or a cluster's (RFC 1918, RFC 4193), or a single link. Kubernetes may put a node's in the place of the caller's.
    Private,
    /// A carrier's NAT (RFC 6598), which some overlay networks use, too.
    Shared,
    /// The world.
    Public,
}

/// The requests of a process, by class.
#[derive(Debug, Default)]
pub(super) struct Callers([[AtomicU64; Network::ALL.len()]; Caller::ALL.len()]);

impl Caller {
    const ALL: [Self; 3] = [Self::Signed, Self::Prober, Self::Other];

    const fn label(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Prober => "prober",
            Self::Other => "other",
        }
    }
}

impl Network {
    const ALL: [Self; 4] = [Self::Loopback, Self::Private, Self::Shared, Self::Public];

    fn of(address: IpAddr) -> Self {
        match Kind::of(address.to_canonical()) {
            Some(Kind::Loopback) => Self::Loopback,
            Some(Kind::Private | Kind::UniqueLocal | Kind::LinkLocal) => Self::Private,
            Some(Kind::Cgnat) => Self::Shared,
            _ => Self::Public,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared",
            Self::Public => "public",
        }
    }
}

impl Callers {
    /// Counts a request.
    pub(super) fn count(&self, caller: Caller, from: IpAddr) {
        self.0[caller as usize][Network::of(from) as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were of each caller and network, by their labels: every class, also those without any.
    pub(super) fn totals(&self) -> impl Iterator<Item = ([&'static str; 2], u64)> {
        let classes = Caller::ALL.into_iter().flat_map(|caller| Network::ALL.map(|network| (caller, network)));
        classes.map(|(caller, network)| {
            let total = self.0[caller as usize][network as usize].load(Ordering::Relaxed);
            ([caller.label(), network.label()], total)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_one_kind_of_network() {
        for (address, network) in [
            ("127.0.0.1", Network::Loopback),
            ("::1", Network::Loopback),
            ("::ffff:127.0.0.1", Network::Loopback),
            ("10.42.0.1", Network::Private),
            ("::ffff:192.168.1.2", Network::Private),
            ("169.254.1.1", Network::Private),
            ("fe80::1", Network::Private),
            ("fd12::1", Network::Private),
            ("100.63.255.255", Network::Public),
            ("100.64.0.1", Network::Shared),
            ("100.127.255.255", Network::Shared),
            ("100.128.0.0", Network::Public),
            ("203.0.113.1", Network::Public),
            ("2001:db8::1", Network::Public),
        ] {
            assert_eq!(Network::of(address.parse().unwrap()), network, "{address}");
        }
    }

    #[test]
    fn every_class_is_there_from_the_beginning_and_each_request_counts_in_one() {
        let callers = Callers::default();
        assert!(callers.totals().count() == 12 && callers.totals().all(|(_, total)| total == 0));
        for address in ["203.0.113.1", "203.0.113.2"] {
            callers.count(Caller::Other, address.parse().unwrap());
        }
        callers.count(Caller::Signed, "10.0.0.1".parse().unwrap());
        let counted: Vec<_> = callers.totals().filter(|(_, total)| *total > 0).collect();
        assert_eq!(counted, [(["signed", "private"], 1), (["other", "public"], 2)]);
    }
}
