//! What the age of a home's last heartbeat says. Pure; ages are by the clocks of the functions, never by the home's.

use std::time::Duration;

use crate::judge::verdict::{DegradedCause, DownCause, UnknownCause, Verdict};

/// A home is late once two heartbeats are missing of those that come every minute, with ten seconds for the way.
pub const LATE_AFTER: Duration = Duration::from_secs(130);

/// And down once three are.
pub const DOWN_AFTER: Duration = Duration::from_secs(190);

/// How far apart the prober's own heartbeats may be for the way to count as open in between: a run may be 40 s late, and none may be
/// missing. A home loses one in such a gap at most, and is not late by that.
pub const MAX_GAP: Duration = Duration::from_secs(100);

/// How a home's clock and the network may make a heartbeat seem to be from before an outage that a probe saw.
const TOLERANCE: i64 = 5;

/// What is known of the way that heartbeats take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The prober's own came through just now, and for so long every minute before.
    Open(Duration),
    /// Something does not work; the text says what, for people.
    Shut(String),
}

impl Way {
    /// Whether it has been open for that long.
    fn was_open(&self, length: Duration) -> bool {
        matches!(self, Self::Open(open) if *open >= length)
    }
}

/// For how long the way has been open at `now`, by the prober's own heartbeat before this one: when it was received, and for
/// how long it had been open then. Unix times in seconds.
pub fn open_for(before: Option<(i64, u64)>, now: i64) -> Duration {
    let Some((received, open)) = before else { return Duration::ZERO };
    let since = age(received, now);
    if since > MAX_GAP { Duration::ZERO } else { Duration::from_secs(open) + since }
}

/// How long ago that was; a time to come is now.
pub fn age(received: i64, now: i64) -> Duration {
    Duration::from_secs(u64::try_from(now.saturating_sub(received)).unwrap_or(0))
}

/// The verdict on a home whose last heartbeat was received then. Silence counts only where the way was open all the while.
pub fn by_age(received: Option<i64>, now: i64, way: &Way) -> Verdict {
    let Some(received) = received else { return Verdict::Unknown(UnknownCause::Heartbeats) };
    let age = age(received, now);
    if age <= LATE_AFTER {
        Verdict::Up
    } else if age <= DOWN_AFTER && way.was_open(LATE_AFTER) {
        Verdict::Degraded(DegradedCause::Late)
    } else if way.was_open(DOWN_AFTER) {
        Verdict::Down(DownCause::Silent)
    } else {
        Verdict::Unknown(UnknownCause::Heartbeats)
    }
}

/// The verdict on a home that is also probed. `down_since` is when the probes began to fail: a heartbeat from after that comes
/// from a home that has power and internet, and whose way in is cut.
pub fn beside_probe(probed: Verdict, received: Option<i64>, down_since: i64, now: i64) -> Verdict {
    let Verdict::Down(cause) = probed else { return probed };
    // Something of the home's own answers in these; what is wrong with it is known better than that.
    if matches!(cause, DownCause::Unexpected | DownCause::Tls) {
        return probed;
    }
    let speaks = received
        .is_some_and(|received| received > down_since.saturating_add(TOLERANCE) && age(received, now) <= LATE_AFTER);
    if speaks { Verdict::Down(DownCause::Inbound) } else { probed }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const UNKNOWN: Verdict = Verdict::Unknown(UnknownCause::Heartbeats);
    const LATE: Verdict = Verdict::Degraded(DegradedCause::Late);
    const SILENT: Verdict = Verdict::Down(DownCause::Silent);

    fn open(seconds: u64) -> Way {
        Way::Open(Duration::from_secs(seconds))
    }

    fn shut() -> Way {
        Way::Shut("the URL answers 403".into())
    }

    #[test]
    fn a_home_is_up_then_late_then_down() {
        for (age, verdict) in [
            (-30, Verdict::Up),
            (0, Verdict::Up),
            (130, Verdict::Up),
            (131, LATE),
            (190, LATE),
            (191, SILENT),
            (1 << 30, SILENT),
        ] {
            assert_eq!(by_age(Some(NOW - age), NOW, &open(3600)), verdict, "{age}");
        }
    }

    #[test]
    fn silence_says_nothing_where_the_way_was_not_open_all_the_while() {
        for (age, way, verdict) in [
            (60, shut(), Verdict::Up),
            (60, open(0), Verdict::Up),
            (150, shut(), UNKNOWN),
            (150, open(129), UNKNOWN),
            (150, open(130), LATE),
            (191, open(189), UNKNOWN),
            (191, open(190), SILENT),
            (100_000, open(0), UNKNOWN),
            (100_000, shut(), UNKNOWN),
        ] {
            assert_eq!(by_age(Some(NOW - age), NOW, &way), verdict, "{age} {way:?}");
        }
        assert_eq!(by_age(None, NOW, &open(3600)), UNKNOWN, "none has ever come");
    }

    #[test]
    fn the_way_was_open_as_long_as_none_of_the_prober_s_own_is_missing() {
        assert_eq!(open_for(None, NOW), Duration::ZERO);
        assert_eq!(open_for(Some((NOW - 60, 0)), NOW), Duration::from_secs(60));
        assert_eq!(open_for(Some((NOW - 100, 600)), NOW), Duration::from_secs(700));
        assert_eq!(open_for(Some((NOW - 101, 600)), NOW), Duration::ZERO);
    }

    #[test]
    fn a_home_that_speaks_and_cannot_be_reached_has_lost_its_way_in() {
        let down = Verdict::Down(DownCause::Unreachable);
        let inbound = Verdict::Down(DownCause::Inbound);
        let since = NOW - 30;
        for (received, verdict) in
            [(None, down), (Some(since - 20), down), (Some(since + 5), down), (Some(since + 6), inbound)]
        {
            assert_eq!(beside_probe(down, received, since, NOW), verdict, "{received:?}");
        }
        assert_eq!(beside_probe(down, Some(NOW - 131), NOW - 3600, NOW), down, "silent by now");
        for cause in [DownCause::Refused, DownCause::Impostor, DownCause::Unproven, DownCause::Name, DownCause::Reset] {
            assert_eq!(beside_probe(Verdict::Down(cause), Some(NOW), since, NOW), inbound);
        }
        for other in [Verdict::Up, Verdict::Down(DownCause::Unexpected), Verdict::Unknown(UnknownCause::Blind)] {
            assert_eq!(beside_probe(other, Some(NOW), since, NOW), other);
        }
    }

    proptest! {
        /// A home that sends every minute is never down or late, however the way fails for it and the prober alike.
        #[test]
        fn a_way_that_fails_is_no_home_s_outage(fails in proptest::collection::vec(any::<bool>(), 30..120), phase in 0..60_i64) {
            let (mut received, mut own) = (None, None);
            for (minute, fails) in fails.into_iter().enumerate() {
                let at = NOW + i64::try_from(minute).unwrap() * 60;
                // The home's heartbeat of this minute, which fails with the way, and then the run.
                if !fails {
                    received = Some(at);
                }
                let run = at + phase;
                let open = open_for(own, run);
                let way = if fails { shut() } else { Way::Open(open) };
                if !fails {
                    own = Some((run, open.as_secs()));
                }
                let verdict = by_age(received, run, &way);
                prop_assert!(matches!(verdict, Verdict::Up | Verdict::Unknown(_)), "{verdict:?}");
            }
        }
    }
}
