//! Points on their way upstream: those that wait, and the repetitions of what is measured rarely.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use shared::{id::MetricId, message::RelayFault, statuspage::Point};

use super::{
    super::{
        answer,
        held_points::held_points,
        planner::{Answer, BatchOutcome},
        repeat::Repetitions,
    },
    A_WHILE, RelayWorker, Step,
};
use crate::keeper::{KeeperError, outbox::QueuedPoint};

impl RelayWorker {
    pub(super) async fn send(&mut self, batch: Vec<QueuedPoint>) -> Result<Step, KeeperError> {
        self.calls();
        let sent = self.client.add_points(&self.page, &by_metric(&batch)).await;
        let answer = answer(&sent);
        self.watch(&answer);
        let failed = answer != Answer::Accepted;
        match self.planner.answered(&batch, answer, self.uptime(), fastrand::f64()) {
            BatchOutcome::Delivered => {
                self.reports.change(|report| report.points += batch.len() as u64);
                self.outbox.mark_delivered(batch, self.uptime()).await?;
            }
            BatchOutcome::Rejected(reason) => {
                for point in &batch {
                    let (words, more) = (RelayFault::Point.words(), RelayFault::Point.entry().link());
                    tracing::warn!(metric = %point.metric, slot = point.slot, value = point.value, reason, more, "{words}");
                    self.outbox.reject(point, &reason, self.clock.now()).await?;
                }
            }
            BatchOutcome::Kept => self.log_paused(),
        }
        if failed {
            self.reports.change(|report| report.failed_calls += 1);
        }
        Ok(Step::Again)
    }

    /// Logs once each metric that upstream does not take.
    fn log_paused(&mut self) {
        let now = self.uptime();
        for (metric, pause) in self.planner.paused(now) {
            if self.missing.insert(metric.clone()) {
                let (words, more) = (RelayFault::Metric.words(), RelayFault::Metric.entry().link());
                tracing::warn!(%metric, reason = pause.reason, more, "{words}");
            }
        }
        for ((metric, slot), pause) in self.planner.stuck() {
            if self.missing.insert(metric.clone()) {
                let (words, more) = (RelayFault::StuckPoint.words(), RelayFault::StuckPoint.entry().link());
                tracing::warn!(%metric, slot, reason = pause.reason, more, "{words}");
            }
        }
    }

    /// Repeats what is measured rarely, while upstream is well; `until` something else is to be done.
    pub(super) async fn repeat(
        &mut self,
        wall: Timestamp,
        now: Duration,
        until: Duration,
    ) -> Result<Step, KeeperError> {
        let pause = until.min(self.mirror_due).saturating_sub(now).min(Repetitions::pause(wall));
        let fresh = self.mirrored.is_some_and(|mirrored| now.saturating_sub(mirrored) <= A_WHILE);
        if self.held_for.is_zero() || !fresh || !self.planner.is_well() {
            return Ok(Step::After(pause));
        }
        let mut due = self.repetitions.due(&held_points(&self.db, wall, self.held_for).await?, self.held_for, wall);
        due.retain(|point| self.planner.paused(now).all(|(metric, _)| *metric != point.metric));
        // One at a time, so that none pays for another's failure.
        let Some(point) = due.into_iter().next() else { return Ok(Step::After(pause)) };
        let point = [point];
        self.repetitions.mark_sent(&point);
        self.calls();
        match answer(&self.client.add_points(&self.page, &by_metric(&point)).await) {
            missing @ Answer::Missing(_) => {
                self.watch(&missing);
                self.planner.answered(&point, missing, self.uptime(), fastrand::f64());
            }
            answer => {
                if answer == Answer::Accepted {
                    self.reports.change(|report| report.held_points += 1);
                }
                self.record_answer(answer);
            }
        }
        Ok(Step::Again)
    }
}

/// Points as the API takes them, each metric's in their order.
fn by_metric(points: &[QueuedPoint]) -> BTreeMap<MetricId, Vec<Point>> {
    let mut sorted: BTreeMap<_, Vec<Point>> = BTreeMap::new();
    for point in points {
        sorted.entry(point.metric.clone()).or_default().push(Point { timestamp: point.slot, value: point.value });
    }
    sorted
}
