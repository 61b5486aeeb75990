//! Distinguishes a name that does not exist from a name service that fails.

use std::time::Duration;

use shared::names::{Family, LookupError, Reply};

use crate::judge::observation::{NameServiceError, Resolution};

fn error_of(error: LookupError) -> NameServiceError {
    match error {
        LookupError::Silent => NameServiceError::Timeout,
        LookupError::Code(_) | LookupError::Unreachable | LookupError::NoServers => NameServiceError::Error,
    }
}

/// What the replies to both queries come to; `None` is a query that was not waited for.
pub(super) fn resolution(v4: Option<&Reply>, v6: Option<&Reply>, took: Duration) -> Resolution {
    let failed = match (v4, v6) {
        // Only both together deny a name: a server may be broken for one family.
        (Some(Reply::NoSuchName), Some(Reply::NoSuchName)) => return Resolution::NoSuchName { took },
        (Some(Reply::Failed(error)), _) => Some((Family::V4, error_of(*error))),
        (_, Some(Reply::Failed(error))) => Some((Family::V6, error_of(*error))),
        (Some(Reply::Addresses(_)), _) | (_, Some(Reply::Addresses(_))) => None,
        (None, _) | (_, None) => Some((Family::V4, NameServiceError::Timeout)),
        _ => Some((Family::V4, NameServiceError::Empty)),
    };
    let found = [v4, v6].into_iter().flatten().any(|reply| !reply.addresses().is_empty());
    match failed {
        Some((_, error)) if !found => Resolution::Failed { took, error },
        failed => Resolution::Resolved { took, failed },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::ZERO;

    fn of_both(v4: &Reply, v6: &Reply) -> Resolution {
        resolution(Some(v4), Some(v6), TOOK)
    }

    fn address() -> Reply {
        Reply::Addresses(vec!["2001:db8::1".parse().unwrap()])
    }

    #[test]
    fn only_both_families_together_deny_a_name() {
        assert_eq!(of_both(&Reply::NoSuchName, &Reply::NoSuchName), Resolution::NoSuchName { took: TOOK });
        for other in [Reply::NoAddress, Reply::Failed(LookupError::Unreachable)] {
            assert!(matches!(of_both(&Reply::NoSuchName, &other), Resolution::Failed { .. }));
            assert!(matches!(of_both(&other, &Reply::NoSuchName), Resolution::Failed { .. }));
        }
    }

    #[test]
    fn addresses_of_one_family_count_although_the_other_failed() {
        let failed = Some((Family::V4, NameServiceError::Timeout));
        let half = of_both(&Reply::Failed(LookupError::Silent), &address());
        assert_eq!(half, Resolution::Resolved { took: TOOK, failed });
    }

    #[test]
    fn a_name_without_addresses_is_an_error_of_the_name_service() {
        let error = NameServiceError::Empty;
        assert_eq!(of_both(&Reply::NoAddress, &Reply::NoAddress), Resolution::Failed { took: TOOK, error });
    }

    #[test]
    fn a_query_that_was_not_waited_for_says_nothing() {
        let resolved = Resolution::Resolved { took: TOOK, failed: None };
        assert_eq!(resolution(None, Some(&address()), TOOK), resolved);
        assert_eq!(resolution(Some(&address()), None, TOOK), resolved);
        assert!(matches!(resolution(None, Some(&Reply::NoSuchName), TOOK), Resolution::Failed { .. }));
    }
}
