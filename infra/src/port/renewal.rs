//! When a router is asked again, and what its answer says of the time between (pure): that it was restarted and had lost the port,
//! or that the world must be told another one.

use std::{fmt, time::Duration};

use super::mapping::Mapping;

/// After so long a router that has failed is asked again at first; then after twice that, and so on.
const FIRST_RETRY: Duration = Duration::from_secs(15);

/// What has happened since a router was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// It was restarted, or its table was emptied; the port is open again.
    Restarted,
    /// It is open at another port.
    Moved {
        /// The one before.
        from: u16,
        /// The one now.
        to: u16,
    },
}

impl fmt::Display for Noticed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restarted => write!(f, "the router had lost the port, as after a restart: it is open again"),
            Self::Moved { from, to } => write!(f, "the port that the world sees is {to} now, and was {from}"),
        }
    }
}

/// What the two together say. `elapsed` is the time between by a clock that is not set, where one process has seen both;
/// `was_there` is what the router said of its list.
pub fn noticed(before: &Mapping, after: &Mapping, elapsed: Option<Duration>, was_there: Option<bool>) -> Vec<Noticed> {
    let mut noticed = Vec::new();
    let is_same_router = before.router == after.router && before.protocol == after.protocol;
    let is_due = !before.is_over(&after.at);
    let restarted = match (before.epoch, after.epoch) {
        (Some(before), Some(after)) => lost_state(before, after, elapsed),
        // It was to last, and was gone.
        _ => was_there == Some(false) && is_due,
    };
    if is_same_router && before.is_confirmed && restarted {
        noticed.push(Noticed::Restarted);
    }
    if before.is_confirmed && before.external != after.external {
        noticed.push(Noticed::Moved { from: before.external, to: after.external });
    }
    noticed
}

/// Whether a router has lost its mappings, by the seconds that it counts since it began: RFC 6887, section 8.5, which also holds
/// for NAT-PMP (RFC 6886, section 3.6). Without a time between, only that it counts backwards.
fn lost_state(before: u32, after: u32, elapsed: Option<Duration>) -> bool {
    let (before, after) = (u64::from(before), u64::from(after));
    if after + 1 < before {
        return true;
    }
    let Some(elapsed) = elapsed else { return false };
    let (client, server) = (elapsed.as_secs(), after.saturating_sub(before));
    client + 2 < server - server / 16 || server + 2 < client - client / 16
}

/// When the router is asked again: at `every`, before half of the lease is over, and soon after `failures` in a row.
pub fn next(every: Duration, lease: Option<u32>, failures: u32) -> Duration {
    let half = lease.map_or(every, |lease| Duration::from_secs(u64::from(lease) / 2).max(Duration::from_secs(1)));
    let usual = every.min(half);
    match failures.checked_sub(1) {
        None => usual,
        Some(before) => usual.min(FIRST_RETRY.saturating_mul(2_u32.saturating_pow(before))),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            mapping::{Protocol, sample},
            moment::at,
        },
        *,
    };

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_router_that_counts_otherwise_than_our_clock_was_restarted() {
        for (before, after, elapsed, expected) in [
            (100, 400, Some(300), false),
            (100, 399, Some(300), false),
            // Clocks of routers are poor, and a second is cut off at either end.
            (100, 420, Some(300), false),
            (100, 385, Some(300), false),
            (100, 50, Some(300), true),
            (100, 120, Some(300), true),
            (100, 700, Some(300), true),
            (0, 2, Some(0), false),
            (100, 99, None, false),
            (100, 98, None, true),
            (100, 5_000, None, false),
            (u32::MAX, 3, None, true),
        ] {
            let elapsed = elapsed.map(Duration::from_secs);
            assert_eq!(lost_state(before, after, elapsed), expected, "{before} {after} {elapsed:?}");
        }
    }

    #[test]
    fn a_restart_and_another_port_are_noticed_and_a_renewal_is_not() {
        let before = sample();
        let renewed = Mapping { at: at(1_300), epoch: Some(307), ..before.clone() };
        assert_eq!(noticed(&before, &renewed, Some(300 * SECOND), None), []);
        let restarted = Mapping { epoch: Some(9), external: 30009, ..renewed.clone() };
        let expected = [Noticed::Restarted, Noticed::Moved { from: 30008, to: 30009 }];
        assert_eq!(noticed(&before, &restarted, Some(300 * SECOND), None), expected);
        let other = Mapping { router: [192, 168, 2, 1].into(), ..restarted.clone() };
        assert_eq!(noticed(&before, &other, None, None), expected[1..], "another router has its own clock");
        let unconfirmed = Mapping { is_confirmed: false, ..before };
        assert_eq!(noticed(&unconfirmed, &restarted, None, Some(false)), []);
    }

    #[test]
    fn upnp_has_no_clock_so_its_list_tells() {
        let before = Mapping { protocol: Protocol::Upnp, epoch: None, nonce: None, ..sample() };
        let after = Mapping { at: at(1_300), ..before.clone() };
        assert_eq!(noticed(&before, &after, None, Some(true)), []);
        assert_eq!(noticed(&before, &after, None, None), []);
        assert_eq!(noticed(&before, &after, None, Some(false)), [Noticed::Restarted]);
        let late = Mapping { at: at(1_000 + 7_200), ..after };
        assert_eq!(noticed(&before, &late, None, Some(false)), [], "its lease was over");
    }

    #[test]
    fn a_router_is_asked_before_half_of_the_lease_is_over_and_sooner_after_a_failure() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for (every, lease, failures, expected) in [
            (minutes(5), Some(7_200), 0, minutes(5)),
            (minutes(5), Some(120), 0, minutes(1)),
            (minutes(5), None, 0, minutes(5)),
            (minutes(5), Some(0), 0, SECOND),
            (minutes(5), Some(7_200), 1, 15 * SECOND),
            (minutes(5), Some(7_200), 2, 30 * SECOND),
            (minutes(5), Some(7_200), 9, minutes(5)),
            (5 * SECOND, None, 1, 5 * SECOND),
            (minutes(5), None, u32::MAX, minutes(5)),
        ] {
            assert_eq!(next(every, lease, failures), expected, "{every:?} {lease:?} {failures}");
        }
    }
}
