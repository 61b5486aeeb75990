//! What came of runs, on its way to who keeps it: a queue with a bound. What has turned goes at once, the rest in batches, so that
//! thirty checks cost a keeper's disk no more than one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use checks::{check::Check, outcome::Outcome, thresholds::Standing};
use jiff::Timestamp;
use tokio::{sync::Notify, time::timeout};

use super::totals::Totals;

/// How many results wait; of more the oldest are given up.
const MOST: usize = 10_000;

/// How long one waits that has turned nothing.
const BATCH: Duration = Duration::from_secs(30);

/// A run that has ended, and what it made of what was known.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) check: Arc<Check>,
    pub(super) at: Timestamp,
    pub(super) outcome: Outcome,
    pub(super) standing: Standing,
    /// Whether another state counts now, or nothing can be told any more because of what it depends on, or can be again.
    pub(super) has_turned: bool,
}

/// The queue. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Results {
    inner: Arc<Inner>,
    totals: Arc<Totals>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    urgent: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Finished>,
    /// How many from the front are on their way.
    taken: usize,
}

impl Results {
    pub(super) fn new(totals: Arc<Totals>) -> Self {
        Self { inner: Arc::default(), totals }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, finished: Finished) {
        let is_urgent = finished.has_turned;
        let mut waiting = self.waiting();
        waiting.queue.push_back(finished);
        let lost = waiting.queue.len().saturating_sub(MOST);
        waiting.queue.drain(..lost);
        waiting.taken = waiting.taken.saturating_sub(lost);
        self.totals.queued(waiting.queue.len(), lost);
        drop(waiting);
        if is_urgent {
            self.inner.urgent.notify_one();
        }
    }

    /// Waits until it is time, and gives the oldest results, at most so many; they stay until they are [settled](Self::settle).
    pub(super) async fn next(&self, most: usize) -> Vec<Finished> {
        loop {
            // A full batch waits for nothing.
            if self.waiting().queue.len() < most {
                let _ = timeout(BATCH, self.inner.urgent.notified()).await;
            }
            let batch = self.batch(most);
            if !batch.is_empty() {
                return batch;
            }
        }
    }

    /// The oldest results as they are now.
    pub(super) fn batch(&self, most: usize) -> Vec<Finished> {
        let mut waiting = self.waiting();
        waiting.taken = waiting.queue.len().min(most);
        waiting.queue.range(..waiting.taken).cloned().collect()
    }

    /// Those that were given last are where they belong; whether more wait.
    pub(super) fn settle(&self) -> bool {
        let mut waiting = self.waiting();
        let taken = std::mem::take(&mut waiting.taken);
        waiting.queue.drain(..taken);
        // What has turned behind these is as urgent as before.
        if waiting.queue.iter().any(|finished| finished.has_turned) {
            self.inner.urgent.notify_one();
        }
        self.totals.queued(waiting.queue.len(), 0);
        !waiting.queue.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::{super::fixtures::check, *};

    fn finished(name: &str, has_turned: bool) -> Finished {
        let (check, at) = (Arc::new(check(name)), Timestamp::UNIX_EPOCH);
        Finished { check, at, outcome: Outcome::ok("fine"), standing: Standing::default(), has_turned }
    }

    fn names(batch: &[Finished]) -> Vec<&str> {
        batch.iter().map(|finished| finished.check.name.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_turned_goes_at_once_and_takes_along_what_waits() {
        let results = Results::new(Arc::default());
        let start = Instant::now();
        results.add(finished("a", false));
        results.add(finished("b", true));
        assert_eq!((names(&results.next(10).await), start.elapsed()), (vec!["a", "b"], Duration::ZERO));
        assert!(!results.settle());
        results.add(finished("c", false));
        assert_eq!((names(&results.next(10).await), start.elapsed()), (vec!["c"], BATCH));
    }

    #[tokio::test(start_paused = true)]
    async fn many_results_are_given_without_a_pause_and_what_turned_behind_a_batch_soon() {
        let results = Results::new(Arc::default());
        let start = Instant::now();
        for index in 0..25 {
            results.add(finished(&format!("c{index}"), index == 22));
        }
        for most in [10, 10, 5] {
            assert_eq!(results.next(10).await.len(), most);
            results.settle();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_settled_is_given_again_and_a_full_queue_loses_the_oldest() {
        let totals: Arc<Totals> = Arc::default();
        let results = Results::new(Arc::clone(&totals));
        for index in 0..MOST {
            results.add(finished(&format!("c{index}"), false));
        }
        assert_eq!(names(&results.batch(2)), ["c0", "c1"]);
        assert_eq!(names(&results.batch(2)), ["c0", "c1"]);
        results.add(finished("late", false));
        // One of the two that are on their way was given up: settling must not take one that was never sent.
        assert!(results.settle());
        assert_eq!(names(&results.batch(1)), ["c2"]);
        assert!(
            totals
                .exposition()
                .written(shared::metrics::Format::Text)
                .contains("porchlight_checks_results_lost_total 1")
        );
    }
}
