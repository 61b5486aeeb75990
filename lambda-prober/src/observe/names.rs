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

/// What one question brought.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Addresses(Vec<IpAddr>),
    NoSuchName,
    NoAddress,
    Trouble(NameTrouble),
}

impl Reply {
    pub(super) fn addresses(&self) -> &[IpAddr] {
        if let Self::Addresses(addresses) = self { addresses } else { &[] }
    }
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

    /// The addresses of one family.
    pub(super) async fn ask(&self, name: &str, family: Family, until: Instant) -> Reply {
        let Some(resolver) = &self.resolver else { return Reply::Trouble(NameTrouble::Error) };
        let Ok(mut name) = Name::from_ascii(name) else { return Reply::NoSuchName };
        // A name with a dot is complete: search domains are for short names.
        name.set_fqdn(name.num_labels() > 1);
        let kind = match family {
            Family::V4 => RecordType::A,
            Family::V6 => RecordType::AAAA,
        };
        ask(resolver, name, kind, until).await
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

/// What both questions together say, each of them unless it was not waited for.
pub(super) fn resolution(v4: Option<&Reply>, v6: Option<&Reply>, took: Duration) -> Resolution {
    let trouble = match (v4, v6) {
        // Only both together say so: a server that is broken for one family must not unmake a name.
        (Some(Reply::NoSuchName), Some(Reply::NoSuchName)) => return Resolution::NoSuchName { took },
        (Some(Reply::Trouble(trouble)), _) => Some((Family::V4, *trouble)),
        (_, Some(Reply::Trouble(trouble))) => Some((Family::V6, *trouble)),
        (Some(Reply::Addresses(_)), _) | (_, Some(Reply::Addresses(_))) => None,
        (None, _) | (_, None) => Some((Family::V4, NameTrouble::Timeout)),
        _ => Some((Family::V4, NameTrouble::Empty)),
    };
    let found = [v4, v6].into_iter().flatten().any(|reply| !reply.addresses().is_empty());
    match trouble {
        Some((_, trouble)) if !found => Resolution::Trouble { took, trouble },
        trouble => Resolution::Resolved { took, trouble },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::ZERO;

    fn told(v4: &Reply, v6: &Reply) -> Resolution {
        resolution(Some(v4), Some(v6), TOOK)
    }

    fn address() -> Reply {
        Reply::Addresses(vec!["2001:db8::1".parse().unwrap()])
    }

    #[test]
    fn only_both_families_together_unmake_a_name() {
        assert_eq!(told(&Reply::NoSuchName, &Reply::NoSuchName), Resolution::NoSuchName { took: TOOK });
        for other in [Reply::NoAddress, Reply::Trouble(NameTrouble::Error)] {
            assert!(matches!(told(&Reply::NoSuchName, &other), Resolution::Trouble { .. }));
            assert!(matches!(told(&other, &Reply::NoSuchName), Resolution::Trouble { .. }));
        }
    }

    #[test]
    fn addresses_of_one_family_count_although_the_other_is_in_trouble() {
        let trouble = Some((Family::V4, NameTrouble::Timeout));
        let half = told(&Reply::Trouble(NameTrouble::Timeout), &address());
        assert_eq!(half, Resolution::Resolved { took: TOOK, trouble });
    }

    #[test]
    fn a_name_without_addresses_is_trouble_of_the_name_service() {
        let trouble = NameTrouble::Empty;
        assert_eq!(told(&Reply::NoAddress, &Reply::NoAddress), Resolution::Trouble { took: TOOK, trouble });
    }

    #[test]
    fn a_question_that_was_not_waited_for_says_nothing() {
        let resolved = Resolution::Resolved { took: TOOK, trouble: None };
        assert_eq!(resolution(None, Some(&address()), TOOK), resolved);
        assert_eq!(resolution(Some(&address()), None, TOOK), resolved);
        assert!(matches!(resolution(None, Some(&Reply::NoSuchName), TOOK), Resolution::Trouble { .. }));
    }
}
