//! A bound on the connections of one listener: which of its slots are taken, which clients have not sent a request yet, and
//! which connection is closed to make room for a new one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::task::AbortHandle;

/// What a listener has seen, for its metrics.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections without a complete request that made room for a newer one.
    pub evicted: AtomicU64,
    /// Connections turned away because all others were being answered.
    pub refused: AtomicU64,
    /// Connections open now.
    pub open: AtomicU64,
}

/// All connections of one listener.
#[derive(Debug)]
pub(super) struct ConnectionLimiter {
    slots: usize,
    table: Mutex<Table>,
    traffic: Arc<Traffic>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// Those that may be closed, in the order in which they came: without a complete request, or answered and only lingering.
    idle: BTreeMap<u64, Task>,
    /// Those that are being answered.
    answering: BTreeMap<u64, Task>,
}

/// The task that serves a connection; `None` until it is known.
type Task = Option<AbortHandle>;

impl ConnectionLimiter {
    pub(super) fn new(slots: usize, traffic: Arc<Traffic>) -> Self {
        Self { slots, table: Mutex::default(), traffic }
    }

    /// Gives a new connection a slot, if need be that of the oldest one without a complete request.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Slot> {
        self.traffic.accepted.fetch_add(1, Ordering::Relaxed);
        let full = {
            let table = self.table();
            table.idle.len() + table.answering.len() >= self.slots
        };
        if full && !self.make_room() {
            self.traffic.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.idle.insert(number, None);
        self.count(&table);
        Some(Slot(Arc::new(Taken { number, limiter: Arc::clone(self) })))
    }

    /// Closes the oldest idle connection; `false` when there is none.
    pub(super) fn make_room(&self) -> bool {
        let mut table = self.table();
        let Some((_, task)) = table.idle.pop_first() else { return false };
        self.count(&table);
        drop(table);
        if let Some(task) = task {
            task.abort();
        }
        self.traffic.evicted.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code panics while it holds the table, and a miscount would be no reason to stop answering.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, table: &Table) {
        self.traffic.open.store((table.idle.len() + table.answering.len()) as u64, Ordering::Relaxed);
    }
}

/// A slot; given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Slot(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    number: u64,
    limiter: Arc<ConnectionLimiter>,
}

impl Slot {
    /// Records which task serves this connection, so that it can be aborted.
    pub(super) fn served_by(&self, task: AbortHandle) {
        if let Some(known) = self.0.limiter.table().idle.get_mut(&self.0.number) {
            *known = Some(task);
        }
    }

    /// The request is complete: from now on this slot is not taken away.
    pub(super) fn requested(&self) {
        let limiter = &self.0.limiter;
        let table = &mut *limiter.table();
        if let Some(task) = table.idle.remove(&self.0.number) {
            table.answering.insert(self.0.number, task);
        }
    }

    /// The answer is sent: whatever this client still sends, its slot may be taken.
    pub(super) fn answered(&self) {
        let table = &mut *self.0.limiter.table();
        if let Some(task) = table.answering.remove(&self.0.number) {
            table.idle.insert(self.0.number, task);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut table = self.limiter.table();
        if table.idle.remove(&self.number).is_none() {
            table.answering.remove(&self.number);
        }
        self.limiter.count(&table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(slots: usize) -> (Arc<ConnectionLimiter>, Arc<Traffic>) {
        let traffic = Arc::new(Traffic::default());
        (Arc::new(ConnectionLimiter::new(slots, Arc::clone(&traffic))), traffic)
    }

    #[tokio::test]
    async fn the_oldest_without_a_request_makes_room() {
        let (limiter, traffic) = limiter(2);
        let first = limiter.admit().unwrap();
        let second = limiter.admit().unwrap();
        let tasks: Vec<_> = [&first, &second]
            .map(|slot| {
                let task = tokio::spawn(std::future::pending::<()>());
                slot.served_by(task.abort_handle());
                task
            })
            .into();
        first.requested();
        let _third = limiter.admit().unwrap();
        assert_eq!(traffic.evicted.load(Ordering::Relaxed), 1);
        tokio::task::yield_now().await;
        assert!(!tasks[0].is_finished(), "the first has sent its request and is being answered");
        assert!(tasks[1].is_finished(), "the second is closed");
    }

    #[test]
    fn no_connection_with_a_request_is_closed() {
        let (limiter, traffic) = limiter(1);
        let first = limiter.admit().unwrap();
        first.requested();
        assert!(limiter.admit().is_none());
        assert_eq!(traffic.refused.load(Ordering::Relaxed), 1);
        drop(first);
        assert!(limiter.admit().is_some());
    }

    #[test]
    fn one_that_has_been_answered_and_lingers_makes_room() {
        let (limiter, traffic) = limiter(1);
        let first = limiter.admit().unwrap();
        first.requested();
        first.answered();
        assert!(limiter.admit().is_some());
        assert_eq!(traffic.evicted.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn slots_are_given_back() {
        let (limiter, traffic) = limiter(2);
        drop((limiter.admit(), limiter.admit()));
        assert_eq!(traffic.open.load(Ordering::Relaxed), 0);
    }
}
