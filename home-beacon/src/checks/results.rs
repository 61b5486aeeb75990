//! What came of runs, on its way to who keeps it: a queue with a bound. What has turned goes at once, the rest in batches, so that
//! thirty checks cost a keeper's disk no more than one. Lists of checks wait between the runs: what ran by the list before goes
//! before a list, so that each name and each interval is known as what it was then.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use checks::{check::Check, outcome::Outcome, thresholds::Standing};
use jiff::Timestamp;
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};

use super::{defined::CheckList, totals::Totals};

/// How many results wait; of more the oldest are given up.
const MOST: usize = 10_000;

/// How many lists wait: files that are edited again and again while nobody takes what comes of them.
const MOST_LISTS: usize = 16;

/// How long one waits that has turned nothing.
const BATCH: Duration = Duration::from_secs(30);

/// A run that has ended, and what it made of what was known.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The check as it was then.
    pub check: Arc<Check>,
    /// When the run began.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// What counts by it.
    pub standing: Standing,
    /// When the next run is due.
    pub next: Option<Timestamp>,
    /// Whether another state counts now, or nothing can be told any more because of what it depends on, or can be again.
    pub has_turned: bool,
}

/// The queue. Clones share it.
#[derive(Clone, Debug)]
pub struct Results {
    inner: Arc<Inner>,
    totals: Arc<Totals>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    urgent: Notify,
    /// Gets each run as it ends, where somebody wants to know.
    listener: Option<mpsc::Sender<Finished>>,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Item>,
    runs: usize,
    lists: usize,
    /// How many from the front are on their way.
    taken: usize,
}

#[derive(Debug)]
enum Item {
    List(CheckList),
    Run(Box<Finished>),
}

/// What goes together.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    /// The list by which these and all later ones ran, where it is another than before.
    pub(super) list: Option<CheckList>,
    pub(super) runs: Vec<Finished>,
}

impl Waiting {
    fn remove(&mut self, index: usize) {
        match self.queue.remove(index) {
            Some(Item::Run(_)) => self.runs -= 1,
            Some(Item::List(_)) => self.lists -= 1,
            None => return,
        }
        if index < self.taken {
            self.taken -= 1;
        }
    }

    /// Gives up the oldest run.
    fn lose(&mut self) {
        let oldest = self.queue.iter().position(|item| matches!(item, Item::Run(_)));
        if let Some(oldest) = oldest {
            self.remove(oldest);
        }
    }

    /// Takes a list. Where too many wait, the oldest goes, with what ran by it; how many that were.
    fn take_list(&mut self, list: CheckList) -> usize {
        // Nothing ran by the one before; where it renames something, the next one rests on it all the same.
        let is_unused = matches!(self.queue.back(), Some(Item::List(before)) if !before.renames());
        let is_unused = is_unused && self.taken < self.queue.len();
        if is_unused {
            self.remove(self.queue.len() - 1);
        }
        self.queue.push_back(Item::List(list));
        self.lists += 1;
        let before = self.runs;
        let is_too_many = self.lists > MOST_LISTS;
        while is_too_many && (self.lists > MOST_LISTS || matches!(self.queue.front(), Some(Item::Run(_)))) {
            self.remove(0);
        }
        before - self.runs
    }
}

impl Results {
    /// An empty one.
    pub fn new(totals: Arc<Totals>) -> Self {
        Self { inner: Arc::default(), totals }
    }

    /// An empty one; who listens is told of each run when it ends, wherever it goes then. Where too much waits for it, of none.
    pub fn with_listener(totals: Arc<Totals>, listener: mpsc::Sender<Finished>) -> Self {
        let inner = Inner { listener: Some(listener), ..Inner::default() };
        Self { inner: Arc::new(inner), totals }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, finished: Finished) {
        let is_urgent = finished.has_turned;
        if let Some(listener) = &self.inner.listener {
            // The next one is told.
            let _ = listener.try_send(finished.clone());
        }
        let mut waiting = self.waiting();
        waiting.queue.push_back(Item::Run(Box::new(finished)));
        waiting.runs += 1;
        let lost = waiting.runs.saturating_sub(MOST);
        (0..lost).for_each(|_| waiting.lose());
        self.totals.queued(waiting.runs, lost);
        drop(waiting);
        if is_urgent {
            self.inner.urgent.notify_one();
        }
    }

    /// All that is added from now on ran by that list.
    pub(super) fn follow(&self, checks: CheckList) {
        let mut waiting = self.waiting();
        let lost = waiting.take_list(checks);
        self.totals.queued(waiting.runs, lost);
        drop(waiting);
        self.inner.urgent.notify_one();
    }

    /// Waits until it is time, and gives the oldest results, at most so many; they stay until they are [settled](Self::settle).
    pub(super) async fn next(&self, most: usize) -> Batch {
        loop {
            // A full batch waits for nothing.
            if self.waiting().runs < most {
                let _ = timeout(BATCH, self.inner.urgent.notified()).await;
            }
            let batch = self.batch(most);
            if batch.list.is_some() || !batch.runs.is_empty() {
                return batch;
            }
        }
    }

    /// The oldest results as they are now, up to the next list.
    pub(super) fn batch(&self, most: usize) -> Batch {
        let mut waiting = self.waiting();
        let (mut batch, mut taken) = (Batch::default(), 0);
        for item in &waiting.queue {
            match item {
                Item::List(list) if batch.runs.is_empty() && !batch.list.as_ref().is_some_and(|it| it.renames()) => {
                    batch.list = Some(Arc::clone(list));
                }
                Item::Run(finished) if batch.runs.len() < most => batch.runs.push(finished.as_ref().clone()),
                _ => break,
            }
            taken += 1;
        }
        waiting.taken = taken;
        batch
    }

    /// All of them, whatever list they ran by.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Finished> {
        let run = |item: &Item| if let Item::Run(finished) = item { Some(finished.as_ref().clone()) } else { None };
        self.waiting().queue.iter().filter_map(run).collect()
    }

    /// Those that were given last are where they belong; whether more wait.
    pub(super) fn settle(&self) -> bool {
        let mut waiting = self.waiting();
        for _ in 0..waiting.taken {
            waiting.remove(0);
        }
        // What has turned behind these is as urgent as before.
        let is_urgent = |item: &Item| match item {
            Item::List(_) => true,
            Item::Run(finished) => finished.has_turned,
        };
        if waiting.queue.iter().any(is_urgent) {
            self.inner.urgent.notify_one();
        }
        self.totals.queued(waiting.runs, 0);
        !waiting.queue.is_empty()
    }
}

#[cfg(test)]
mod tests;
