//! Repeats what is measured rarely. statuspage.io's day view shows a gap where five minutes have no point
//! (tests/FACTS.md S1), and a bandwidth test takes place every few hours. Pure: the time is handed in.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use shared::id::MetricId;

use super::held_points::LastPoint;
use crate::keeper::outbox::QueuedPoint;

/// There is to be a point in each interval of this length, in seconds.
const REPEAT_INTERVAL: i64 = 300;

/// The interval in which each metric was repeated last.
#[derive(Debug, Default)]
pub(super) struct Repetitions(HashMap<MetricId, i64>);

impl Repetitions {
    /// The points to be made now, of the last ones measured: one in each interval that has none, for as long as `hold`.
    pub(super) fn due(&self, measured: &[LastPoint], hold: Duration, now: Timestamp) -> Vec<QueuedPoint> {
        let now = now.as_second();
        let interval = now.div_euclid(REPEAT_INTERVAL);
        let is_due = |point: &&LastPoint| {
            let age = u64::try_from(now - point.slot).unwrap_or_default();
            age <= hold.as_secs()
                && point.slot.div_euclid(REPEAT_INTERVAL) < interval
                && self.0.get(&point.metric).is_none_or(|last| *last != interval)
        };
        let repeat = |point: &LastPoint| QueuedPoint { metric: point.metric.clone(), slot: now, value: point.value };
        measured.iter().filter(is_due).map(repeat).collect()
    }

    /// These were sent, with or without success: they are never sent later.
    pub(super) fn mark_sent(&mut self, points: &[QueuedPoint]) {
        self.0.extend(points.iter().map(|point| (point.metric.clone(), point.slot.div_euclid(REPEAT_INTERVAL))));
    }

    /// How many seconds until the next interval begins.
    pub(super) fn pause(now: Timestamp) -> Duration {
        let left = REPEAT_INTERVAL - now.as_second().rem_euclid(REPEAT_INTERVAL);
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
        let mut hold = Repetitions::default();
        let mut made = Vec::new();
        for second in (0..4 * 3600).step_by(20) {
            let due = hold.due(&[measured(0)], HOLD, at(second));
            hold.mark_sent(&due);
            made.extend(due);
        }
        let stretches: Vec<_> = made.iter().map(|point| (point.slot - at(0).as_second()) / REPEAT_INTERVAL).collect();
        assert_eq!(stretches, (1..=36).collect::<Vec<_>>(), "none in that of the measurement, and none after 3 h");
        assert!(made.iter().all(|point| (point.value - 93.5).abs() < f64::EPSILON));
    }

    #[test]
    fn what_was_tried_is_not_made_up_for() {
        let mut hold = Repetitions::default();
        let due = hold.due(&[measured(0)], HOLD, at(301));
        hold.mark_sent(&due);
        assert!(hold.due(&[measured(0)], HOLD, at(330)).is_empty());
        let due = hold.due(&[measured(0)], HOLD, at(1900));
        assert_eq!(due.len(), 1, "one for now, none for the intervals in which nothing could be sent");
    }

    #[test]
    fn a_point_of_the_future_is_no_reason_to_hold() {
        assert!(Repetitions::default().due(&[measured(400)], HOLD, at(0)).is_empty());
    }
}
