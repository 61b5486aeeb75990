//! Points of metrics, and the slots of time that they are moved to.

use jiff::{SignedDuration, Timestamp};

/// statuspage.io keeps one point for each 30 seconds, and takes them up to 28 days back (tests/FACTS.md S1).
const SLOT: i64 = 30;
pub(crate) const BACKFILL: SignedDuration = SignedDuration::from_hours(28 * 24);

/// How far a client's clock may be ahead of ours.
pub(crate) const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// A point of a metric as it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SentPoint {
    /// Seconds since 1970.
    pub timestamp: i64,
    /// In the metric's unit.
    pub value: f64,
}

impl SentPoint {
    /// The slot that the point is moved to, in seconds since 1970: the nearest one, the later one of two.
    pub fn slot(&self) -> i64 {
        self.timestamp.saturating_add(SLOT / 2).div_euclid(SLOT) * SLOT
    }

    /// Whether a point may lie there.
    pub fn in_range(&self, now: Timestamp) -> bool {
        match Timestamp::from_second(self.timestamp) {
            Ok(time) => now.duration_since(time) <= BACKFILL && time.duration_since(now) <= AHEAD,
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_timestamp_has_a_slot_within_half_of_one(timestamp: i64) {
            let slot = point(timestamp).slot();
            proptest::prop_assert_eq!(slot % SLOT, 0);
            proptest::prop_assert!(slot.abs_diff(timestamp) <= SLOT.unsigned_abs());
        }

        #[test]
        fn any_timestamp_can_be_asked_about(timestamp: i64, now in 0..4_000_000_000_i64) {
            let now = Timestamp::from_second(now).unwrap();
            let inside = timestamp >= now.as_second() - 28 * 86_400 && timestamp <= now.as_second() + 600;
            proptest::prop_assert_eq!(point(timestamp).in_range(now), inside);
        }
    }

    fn point(timestamp: i64) -> SentPoint {
        SentPoint { timestamp, value: 0.0 }
    }

    #[test]
    fn a_point_is_moved_to_the_nearest_slot_of_30_seconds() {
        for (timestamp, slot) in [(0, 0), (14, 0), (15, 30), (29, 30), (30, 30), (44, 30), (45, 60), (-10, 0)] {
            assert_eq!(point(timestamp).slot(), slot, "{timestamp}");
        }
    }

    #[test]
    fn points_may_lie_28_days_back_and_hardly_ahead() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let day = 24 * 3600;
        for (timestamp, good) in [
            (now.as_second(), true),
            (now.as_second() - 28 * day, true),
            (now.as_second() - 28 * day - 1, false),
            (now.as_second() + 600, true),
            (now.as_second() + 601, false),
            // Milliseconds by mistake.
            (now.as_second() * 1000, false),
            (i64::MAX, false),
            (i64::MIN, false),
        ] {
            assert_eq!(point(timestamp).in_range(now), good, "{timestamp}");
        }
    }
}
