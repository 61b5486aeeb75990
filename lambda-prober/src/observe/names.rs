//! Resolves a name, and tells a name that does not exist from a name service that is in trouble.

use std::{net::IpAddr, time::Duration};

use hickory_resolver::{
    TokioResolver,
    net::NetError,
    proto::rr::{Name, RecordType},
};
use tokio::time::{Instant, timeout_at};

use crate::observation::{Family, NameTrouble, Resolution};

/// Asks the name servers that this machine is set to. Made anew for each attempt, so that nothing is remembered
/// and a changed `/etc/resolv.conf` counts at once.
pub(super) struct Names {
    resolver: Option<TokioResolver>,
}

/// The answers to both questions, the one for IPv4 and the one for IPv6.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) addresses: Vec<IpAddr>,
    missing: Missing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Missing {
    Nothing,
    Name,
    Answer(Family, NameTrouble),
}

/// What one question brought.
#[derive(Clone, Debug, PartialEq)]
enum Reply {
    Addresses(Vec<IpAddr>),
    NoSuchName,
    NoAddress,
    Trouble(NameTrouble),
}

impl Names {
    pub(super) fn of_this_machine(deadline: Duration) -> Self {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            let options = builder.options_mut();
            options.cache_size = 0;
            // Two tries within the deadline: a lost datagram must not cost the attempt.
            options.timeout = deadline / 2;
            options.attempts = 1;
            builder.build()
        });
        Self { resolver: built.inspect_err(|error| tracing::warn!(%error, "no name server is known")).ok() }
    }

    pub(super) async fn resolve(&self, name: &str, until: Instant) -> Found {
        let Some(resolver) = &self.resolver else {
            return Found::from_replies(Reply::Trouble(NameTrouble::Error), Reply::Trouble(NameTrouble::Error));
        };
        let Ok(mut name) = Name::from_ascii(name) else {
            return Found::from_replies(Reply::NoSuchName, Reply::NoSuchName);
        };
        // A name with a dot is complete: search domains are for short names.
        name.set_fqdn(name.num_labels() > 1);
        let (v4, v6) = tokio::join!(
            ask(resolver, name.clone(), RecordType::A, until),
            ask(resolver, name, RecordType::AAAA, until)
        );
        Found::from_replies(v4, v6)
    }
}

async fn ask(resolver: &TokioResolver, name: Name, kind: RecordType, until: Instant) -> Reply {
    match timeout_at(until, resolver.lookup(name, kind)).await {
        Err(_) | Ok(Err(NetError::Timeout)) => Reply::Trouble(NameTrouble::Timeout),
        Ok(Err(error)) if error.is_nx_domain() => Reply::NoSuchName,
        Ok(Err(error)) if error.is_no_records_found() => Reply::NoAddress,
        Ok(Err(_)) => Reply::Trouble(NameTrouble::Error),
        Ok(Ok(lookup)) => {
            let addresses: Vec<IpAddr> = lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect();
            if addresses.is_empty() { Reply::NoAddress } else { Reply::Addresses(addresses) }
        }
    }
}

impl Found {
    fn from_replies(v4: Reply, v6: Reply) -> Self {
        let missing = match (&v4, &v6) {
            // Only both together say so: a server that is broken for one family must not unmake a name.
            (Reply::NoSuchName, Reply::NoSuchName) => Missing::Name,
            (Reply::Trouble(trouble), _) => Missing::Answer(Family::V4, *trouble),
            (_, Reply::Trouble(trouble)) => Missing::Answer(Family::V6, *trouble),
            (Reply::Addresses(_), _) | (_, Reply::Addresses(_)) => Missing::Nothing,
            _ => Missing::Answer(Family::V4, NameTrouble::Empty),
        };
        let addresses = [v4, v6].into_iter().flat_map(|reply| match reply {
            Reply::Addresses(addresses) => addresses,
            _ => Vec::new(),
        });
        Self { addresses: addresses.collect(), missing }
    }

    pub(super) fn resolution(&self, took: Duration) -> Resolution {
        match self.missing {
            Missing::Nothing => Resolution::Resolved { took, trouble: None },
            Missing::Name => Resolution::NoSuchName { took },
            Missing::Answer(_, trouble) if self.addresses.is_empty() => Resolution::Trouble { took, trouble },
            Missing::Answer(family, trouble) => Resolution::Resolved { took, trouble: Some((family, trouble)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolution(v4: Reply, v6: Reply) -> Resolution {
        Found::from_replies(v4, v6).resolution(Duration::ZERO)
    }

    #[test]
    fn only_both_families_together_unmake_a_name() {
        let took = Duration::ZERO;
        assert_eq!(resolution(Reply::NoSuchName, Reply::NoSuchName), Resolution::NoSuchName { took });
        for other in [Reply::NoAddress, Reply::Trouble(NameTrouble::Error)] {
            assert!(matches!(resolution(Reply::NoSuchName, other.clone()), Resolution::Trouble { .. }));
            assert!(matches!(resolution(other, Reply::NoSuchName), Resolution::Trouble { .. }));
        }
    }

    #[test]
    fn addresses_of_one_family_count_although_the_other_is_in_trouble() {
        let v6 = Reply::Addresses(vec!["2001:db8::1".parse().unwrap()]);
        let found = Found::from_replies(Reply::Trouble(NameTrouble::Timeout), v6);
        assert_eq!(found.addresses.len(), 1);
        let trouble = Some((Family::V4, NameTrouble::Timeout));
        assert_eq!(found.resolution(Duration::ZERO), Resolution::Resolved { took: Duration::ZERO, trouble });
    }

    #[test]
    fn a_name_without_addresses_is_trouble_of_the_name_service() {
        let trouble = NameTrouble::Empty;
        let expected = Resolution::Trouble { took: Duration::ZERO, trouble };
        assert_eq!(resolution(Reply::NoAddress, Reply::NoAddress), expected);
    }
}
