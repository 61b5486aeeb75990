//! Points at which upstream fails (5xx, silence) again and again while it answers everything else. They are found by halves, as
//! refused ones are, wait beside the queue, and are tried again alone; none of them is rejected, because it may go better.

use std::{mem, time::Duration};

use shared::id::MetricId;

use super::{Pause, Planner, QueuedPoint, REFUSED, key};

/// After so many failures with points, between which upstream answered something else, it is the points that are at fault.
const TROUBLES: u32 = 3;

/// The most points of one metric that are left alone by themselves; where there are more it is the metric that is at fault.
const MAX_STUCK: usize = 3;

/// What was left alone and has not been tried for so long is not in the queue any more.
const FORGOTTEN: Duration = Duration::from_hours(1);

impl Planner {
    /// The points that are left alone for now, by metric and slot, and why.
    pub fn stuck(&self) -> impl Iterator<Item = (&(MetricId, i64), &Pause)> {
        self.stuck.iter()
    }

    /// Finds out whether it is the points themselves that upstream fails at, and which one it is. Where nothing else is
    /// answered either, that cannot be known.
    pub(super) fn troubled(&mut self, batch: &[QueuedPoint], reason: &str, now: Duration) {
        let pause = || Pause { reason: reason.to_owned(), until: now + REFUSED };
        if let [point] = batch
            && let Some(stuck) = self.stuck.get_mut(&key(point))
        {
            *stuck = pause();
            self.others_are_well = false;
            return;
        }
        if !mem::take(&mut self.others_are_well) {
            return;
        }
        self.troubles += 1;
        let metric = &batch[0].metric;
        let is_known = self.metrics.contains_key(metric) && batch.iter().all(|point| point.metric == *metric);
        if is_known {
            self.metrics.insert(metric.clone(), pause());
        } else if batch.len() > 1 && (self.suspects > 0 || self.troubles >= TROUBLES) {
            self.suspects = batch.len();
        } else if let [point] = batch
            && (self.suspects > 0 || self.troubles >= TROUBLES)
        {
            (self.suspects, self.most) = (0, 1);
            self.stuck.retain(|_, stuck| stuck.until + FORGOTTEN > now);
            self.stuck.insert(key(point), pause());
            if self.stuck.keys().filter(|(of, _)| of == metric).count() > MAX_STUCK {
                self.stuck.retain(|(of, _), _| of != metric);
                self.metrics.insert(metric.clone(), pause());
            }
        }
    }
}
