//! What to send upstream next, given the queue, the budget of calls, the last answer, the time and a random number. Pure.
//!
//! Delivery is at least once: an answer that is lost means that the same points are sent again. That is harmless, because
//! upstream keeps one value for each slot of 30 seconds and the last one wins.

mod answer;
mod stuck;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use shared::{backoff, id::MetricId};

use crate::keeper::outbox::QueuedPoint;

pub use self::answer::{Answer, BatchOutcome, Next, Pause};

/// The most points of one call. statuspage.io names no limit (tests/FACTS.md S2).
pub const MAX_POINTS: usize = 500;

/// Calls in any minute: half of what statuspage.io grants a token, so that the prober keeps the other half.
pub const MAX_CALLS: usize = 30;

/// Of these, what is reserved for copying the page.
pub const RESERVED_FOR_MIRROR: usize = 3;

/// How many calls a planner that has just begun believes to have made: the keeper before it may have died a moment ago.
/// What is left is enough to read the page and to send what is most urgent.
const BEFORE: usize = MAX_CALLS - 10;

const MINUTE: Duration = Duration::from_mins(1);

/// The pauses between calls that fail.
const BACKOFF: backoff::Backoff =
    backoff::Backoff::new(Duration::from_secs(2), Duration::from_secs(30), backoff::Jitter::Full);

/// How long a refusal stands that only a person can mend, before it is tried whether they have.
pub const REFUSED: Duration = Duration::from_mins(5);

/// Times count from any fixed moment, and never go back.
#[derive(Debug)]
pub struct Planner {
    /// When the calls of the last minute were made.
    calls: VecDeque<Duration>,
    /// How many calls failed in a row, and why the last one did.
    failures: u32,
    failure: Option<String>,
    not_before: Duration,
    token: Option<Pause>,
    metrics: BTreeMap<MetricId, Pause>,
    /// How many of the points at the head of the queue have one among them that upstream does not want.
    suspects: usize,
    /// How many points to send at once: after one that was refused few, because the next may be refused, too.
    most: usize,
    /// Metrics to be sent alone, because one of them is missing upstream.
    alone: VecDeque<MetricId>,
    /// How often points failed while others were answered, and whether anything was since the last failure.
    troubles: u32,
    others_are_well: bool,
    /// Points at which upstream fails (5xx, silence) again and again while it is well otherwise. They wait beside the queue and
    /// are tried again alone.
    stuck: BTreeMap<(MetricId, i64), Pause>,
}

impl Planner {
    /// One that begins now.
    pub fn new(now: Duration) -> Self {
        Self {
            calls: std::iter::repeat_n(now, BEFORE).collect(),
            failures: 0,
            failure: None,
            not_before: Duration::ZERO,
            token: None,
            metrics: BTreeMap::new(),
            suspects: 0,
            most: MAX_POINTS,
            alone: VecDeque::new(),
            troubles: 0,
            others_are_well: false,
            stuck: BTreeMap::new(),
        }
    }

    /// What to send of the queue, which is sorted by time and has [`MAX_POINTS`] or more where so many wait.
    pub fn next(&self, queue: &[QueuedPoint], now: Duration) -> Next {
        if let Some(until) = self.closed(now, RESERVED_FOR_MIRROR) {
            return Next::At(until);
        }
        let open = queue.iter().filter(|point| !self.is_paused(&point.metric, now));
        let (stuck, open): (Vec<_>, Vec<_>) = open.partition(|point| self.stuck.contains_key(&key(point)));
        let again = stuck.into_iter().find(|point| self.stuck[&key(point)].until <= now);
        // In between the others, of which one was accepted since the last failure; or when nothing else waits.
        if let Some(point) = again.filter(|_| self.others_are_well || open.is_empty()) {
            return Next::Send(vec![point.clone()]);
        }
        let open = open.into_iter();
        // One that was paused and is tried again is tried alone, too.
        let mut apart = self.alone.iter().chain(self.metrics.keys());
        let alone = apart.find(|metric| open.clone().any(|point| point.metric == **metric));
        let most = if self.suspects > 0 { self.suspects.div_ceil(2) } else { self.most };
        let chosen = open.filter(|point| alone.is_none_or(|metric| point.metric == *metric));
        let batch: Vec<_> = chosen.take(most).cloned().collect();
        if batch.is_empty() {
            let pauses = self.metrics.values().chain(self.stuck.values());
            let first = pauses.map(|pause| pause.until).filter(|until| *until > now).min();
            return first.map_or(Next::Idle, Next::At);
        }
        Next::Send(batch)
    }

    /// Until when no call may be made, of any kind; `spare` calls of the budget are left for others.
    pub fn closed(&self, now: Duration, spare: usize) -> Option<Duration> {
        let recent: Vec<_> = self.calls.iter().filter(|call| now < **call + MINUTE).collect();
        let most = MAX_CALLS - spare;
        // The call that must leave the minute before there is room for another one.
        let full = recent.len().checked_sub(most).map(|leaving| *recent[leaving] + MINUTE);
        let paused = self.token.as_ref().map(|pause| pause.until);
        [Some(self.not_before), paused, full].into_iter().flatten().filter(|until| *until > now).max()
    }

    /// How many calls may be made now.
    pub fn room(&self, now: Duration) -> usize {
        MAX_CALLS.saturating_sub(self.calls.iter().filter(|call| now < **call + MINUTE).count())
    }

    /// A call is being made.
    pub fn calls(&mut self, now: Duration) {
        while self.calls.front().is_some_and(|call| *call + MINUTE <= now) {
            self.calls.pop_front();
        }
        self.calls.push_back(now);
    }

    /// Takes the answer to a call that brought `batch`. `random` is from 0 to 1.
    pub fn answered(&mut self, batch: &[QueuedPoint], answer: Answer, now: Duration, random: f64) -> BatchOutcome {
        match answer {
            Answer::Wrong(reason) => {
                self.well();
                self.narrow(batch, reason)
            }
            Answer::Missing(reason) => {
                self.well();
                self.part(batch, reason, now);
                BatchOutcome::Kept
            }
            answer => {
                let taken = answer == Answer::Accepted;
                if let Answer::Failed { reason, retry_after: None } = &answer {
                    self.troubled(batch, reason, now);
                }
                self.record_answer(answer, now, random);
                if !taken {
                    return BatchOutcome::Kept;
                }
                self.troubles = 0;
                if let [point] = batch
                    && self.stuck.remove(&key(point)).is_some()
                {
                    return BatchOutcome::Delivered;
                }
                self.suspects = self.suspects.saturating_sub(batch.len());
                if self.suspects == 0 {
                    self.most = (self.most * 2).min(MAX_POINTS);
                }
                self.release(batch);
                self.metrics.retain(|metric, _| batch.iter().all(|point| point.metric != *metric));
                BatchOutcome::Delivered
            }
        }
    }

    /// Takes the answer to a call that is about no points, as far as it says something of the others.
    pub fn record_answer(&mut self, answer: Answer, now: Duration, random: f64) {
        match answer {
            Answer::Accepted | Answer::Missing(_) | Answer::Wrong(_) => self.well(),
            Answer::Refused(reason) => self.token = Some(Pause { reason, until: now + REFUSED }),
            Answer::Failed { reason, retry_after } => {
                let pause = BACKOFF.pause(self.failures, random);
                self.failures += 1;
                self.failure = Some(reason);
                self.not_before = now + pause.max(retry_after.unwrap_or_default());
            }
        }
    }

    /// The token is another one now.
    pub fn token_changed(&mut self) {
        self.token = None;
    }

    /// Whether the last call was answered as it should be.
    pub fn is_well(&self) -> bool {
        self.failures == 0 && self.token.is_none()
    }

    /// Why nothing is sent.
    pub fn refused(&self) -> Option<&Pause> {
        self.token.as_ref()
    }

    /// What went wrong the last time, if it did.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The metrics that are not sent for now, and why.
    pub fn paused(&self, now: Duration) -> impl Iterator<Item = (&MetricId, &Pause)> {
        self.metrics.iter().filter(move |(_, pause)| pause.until > now)
    }

    fn is_paused(&self, metric: &MetricId, now: Duration) -> bool {
        self.metrics.get(metric).is_some_and(|pause| pause.until > now)
    }

    fn well(&mut self) {
        (self.failures, self.failure, self.token) = (0, None, None);
        self.others_are_well = true;
    }

    /// Searches the older half first for the one that is not wanted.
    fn narrow(&mut self, batch: &[QueuedPoint], reason: String) -> BatchOutcome {
        if batch.len() > 1 {
            self.suspects = batch.len();
            return BatchOutcome::Kept;
        }
        (self.suspects, self.most) = (0, 1);
        BatchOutcome::Rejected(reason)
    }

    /// Pauses the metric, or finds out which one it is by sending each alone.
    fn part(&mut self, batch: &[QueuedPoint], reason: String, now: Duration) {
        let mut metrics: Vec<&MetricId> = Vec::new();
        for point in batch {
            if !metrics.contains(&&point.metric) {
                metrics.push(&point.metric);
            }
        }
        if let [metric] = metrics[..] {
            self.release(batch);
            self.metrics.insert(metric.clone(), Pause { reason, until: now + REFUSED });
        } else {
            self.alone = metrics.into_iter().cloned().collect();
        }
    }

    /// What was sent alone need not be again.
    fn release(&mut self, batch: &[QueuedPoint]) {
        self.alone.retain(|metric| batch.iter().all(|point| point.metric != *metric));
    }
}

fn key(point: &QueuedPoint) -> (MetricId, i64) {
    (point.metric.clone(), point.slot)
}

#[cfg(test)]
mod tests;
