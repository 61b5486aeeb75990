//! What independent sources together say of our address.

use std::net::IpAddr;

/// What is known of our address beside the one that DuckDNS took last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detected {
    /// It is still that one.
    Same,
    /// Two or more sources agree on another, or on the first ever.
    Moved(IpAddr),
    /// They contradict each other, or too few answered.
    Unclear,
}

/// Weighs what sources named. Two that agree on another address outweigh one that still names the old one; where no two
/// agree, one that names the old one is enough to leave everything as it is: a home that stays where it is costs a call
/// of one source, and a source alone can never move it.
pub(super) fn detect(named: &[IpAddr], accepted: Option<IpAddr>) -> Detected {
    match (agreed(named), accepted) {
        (Some(address), Some(accepted)) if address == accepted => Detected::Same,
        (Some(address), _) => Detected::Moved(address),
        (None, Some(accepted)) if named.contains(&accepted) => Detected::Same,
        (None, _) => Detected::Unclear,
    }
}

/// The address that two or more sources name, and more than name any other.
fn agreed(named: &[IpAddr]) -> Option<IpAddr> {
    let votes = |address: &IpAddr| named.iter().filter(|other| *other == address).count();
    let most = named.iter().max_by_key(|address| votes(address))?;
    let rival = named.iter().any(|other| other != most && votes(other) == votes(most));
    (votes(most) >= 2 && !rival).then_some(*most)
}

#[cfg(test)]
mod tests {
    use Detected::{Moved, Same, Unclear};

    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([81, 2, 69, last])
    }

    #[test]
    fn two_sources_that_agree_count_and_one_that_names_the_old_address_is_enough_to_stay() {
        for (named, accepted, expected) in [
            (&[][..], None, Unclear),
            (&[], Some(1), Unclear),
            (&[1], None, Unclear),
            (&[1], Some(1), Same),
            (&[2], Some(1), Unclear),
            (&[1, 2], None, Unclear),
            (&[1, 2], Some(1), Same),
            (&[2, 3], Some(1), Unclear),
            (&[1, 1], None, Moved(address(1))),
            (&[1, 1], Some(1), Same),
            (&[2, 2], Some(1), Moved(address(2))),
            (&[2, 2, 1], Some(1), Moved(address(2))),
            (&[1, 2, 2], None, Moved(address(2))),
            (&[1, 2, 3], Some(1), Same),
            (&[2, 3, 4], Some(1), Unclear),
            (&[1, 1, 2, 2], None, Unclear),
            (&[2, 2, 3, 3], Some(1), Unclear),
            (&[2, 2, 1, 1], Some(1), Same),
            (&[2, 2, 2, 1, 1], Some(1), Moved(address(2))),
        ] {
            let named: Vec<_> = named.iter().copied().map(address).collect();
            assert_eq!(detect(&named, accepted.map(address)), expected, "{named:?} {accepted:?}");
        }
    }
}
