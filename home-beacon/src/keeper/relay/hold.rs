//! Repeats what is measured rarely. statuspage.io's day view shows a gap where five minutes have no point
//! (tests/FACTS.md S1), and a bandwidth test takes place every few hours. Pure: the time is handed in.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use shared::id::MetricId;

use crate::keeper::store::{LastPoint, QueuedPoint};

/// There is to be a point in each of these, in seconds.
const STRETCH: i64 = 300;

/// Which stretch of time each metric was repeated in last.
#[derive(Debug, Default)]
pub(super) struct Hold(HashMap<MetricId, i64>);

impl Hold {
    /// The points to be made now, of the last ones measured: one in each stretch that has none, for as long as `hold`.
    pub(super) fn due(&self, measured: &[LastPoint], hold: Duration, now: Timestamp) -> Vec<QueuedPoint> {
        let now = now.as_second();
        let stretch = now.div_euclid(STRETCH);
        let is_due = |point: &&LastPoint| {
            let age = u64::try_from(now - point.slot).unwrap_or_default();
            age <= hold.as_secs()
                && point.slot.div_euclid(STRETCH) < stretch
                && self.0.get(&point.metric).is_none_or(|last| *last != stretch)
        };
        let repeat = |point: &LastPoint| QueuedPoint { metric: point.metric.clone(), slot: now, value: point.value };
        measured.iter().filter(is_due).map(repeat).collect()
    }

    /// These were tried, whatever came of it: they are never made up for.
    pub(super) fn tried(&mut self, points: &[QueuedPoint]) {
        self.0.extend(points.iter().map(|point| (point.metric.clone(), point.slot.div_euclid(STRETCH))));
    }

    /// How many seconds until the next stretch begins.
    pub(super) fn pause(now: Timestamp) -> Duration {
        let left = STRETCH - now.as_second().rem_euclid(STRETCH);
        Duration::from_secs(u64::try_from(left).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_hours(3);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn measured(second: i64) -> LastPoint {
        LastPoint { metric: "9kbf7d35c070".parse().unwrap(), slot: at(second).as_second(), value: 93.5 }
    }

    #[test]
    fn each_stretch_has_one_point_until_the_hold_is_over() {
        let mut hold = Hold::default();
        let mut made = Vec::new();
        for second in (0..4 * 3600).step_by(20) {
            let due = hold.due(&[measured(0)], HOLD, at(second));
            hold.tried(&due);
            made.extend(due);
        }
        let stretches: Vec<_> = made.iter().map(|point| (point.slot - at(0).as_second()) / STRETCH).collect();
        assert_eq!(stretches, (1..=36).collect::<Vec<_>>(), "none in that of the measurement, and none after 3 h");
        assert!(made.iter().all(|point| (point.value - 93.5).abs() < f64::EPSILON));
    }

    #[test]
    fn what_was_tried_is_not_made_up_for() {
        let mut hold = Hold::default();
        let due = hold.due(&[measured(0)], HOLD, at(301));
        hold.tried(&due);
        assert!(hold.due(&[measured(0)], HOLD, at(330)).is_empty());
        let due = hold.due(&[measured(0)], HOLD, at(1900));
        assert_eq!(due.len(), 1, "one for now, none for the stretches in which nobody could be told");
    }

    #[test]
    fn a_point_of_the_future_is_no_reason_to_hold() {
        assert!(Hold::default().due(&[measured(400)], HOLD, at(0)).is_empty());
    }
}
