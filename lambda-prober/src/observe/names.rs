//! Tells a name that does not exist from a name service that is in trouble.

use std::time::Duration;

use shared::names::{Reply, Trouble};

use crate::observation::{Family, NameTrouble, Resolution};

fn trouble_of(trouble: Trouble) -> NameTrouble {
    match trouble {
        Trouble::Silent => NameTrouble::Timeout,
        Trouble::Failed(_) | Trouble::Unreachable | Trouble::NobodyToAsk => NameTrouble::Error,
    }
}

/// What both questions together say, each of them unless it was not waited for.
pub(super) fn resolution(v4: Option<&Reply>, v6: Option<&Reply>, took: Duration) -> Resolution {
    let trouble = match (v4, v6) {
        // Only both together say so: a server that is broken for one family must not unmake a name.
        (Some(Reply::NoSuchName), Some(Reply::NoSuchName)) => return Resolution::NoSuchName { took },
        (Some(Reply::Trouble(trouble)), _) => Some((Family::V4, trouble_of(*trouble))),
        (_, Some(Reply::Trouble(trouble))) => Some((Family::V6, trouble_of(*trouble))),
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
        for other in [Reply::NoAddress, Reply::Trouble(Trouble::Unreachable)] {
            assert!(matches!(told(&Reply::NoSuchName, &other), Resolution::Trouble { .. }));
            assert!(matches!(told(&other, &Reply::NoSuchName), Resolution::Trouble { .. }));
        }
    }

    #[test]
    fn addresses_of_one_family_count_although_the_other_is_in_trouble() {
        let trouble = Some((Family::V4, NameTrouble::Timeout));
        let half = told(&Reply::Trouble(Trouble::Silent), &address());
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
