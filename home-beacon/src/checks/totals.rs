//! What the program counts of itself, for `/metrics`.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use checks::outcome::{Outcome, State};
use jiff::Timestamp;
use shared::metrics::{Number, Snapshot};

/// Counts since the start, and the newest of what can change.
#[derive(Debug, Default)]
pub struct Totals {
    ended: [AtomicU64; State::ALL.len()],
    left_out: AtomicU64,
    lost: AtomicU64,
    state: Mutex<Now>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Now {
    defined: usize,
    /// How late runs began lately.
    late: Duration,
    queued: usize,
    files_are_wrong: bool,
    list_is_refused: bool,
    loaded: Option<Timestamp>,
}

impl Totals {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn defined(&self, count: usize) {
        self.now().defined = count;
    }

    pub(super) fn began(&self, late: Duration) {
        let mut now = self.now();
        // Falls slowly, so that a scrape a minute sees a delay.
        now.late = late.max(now.late.mul_f64(0.99));
    }

    pub(super) fn left_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, outcome: &Outcome) {
        let index = State::ALL.iter().position(|state| *state == outcome.state).unwrap_or_default();
        self.ended[index].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn queued(&self, count: usize, lost: usize) {
        self.now().queued = count;
        self.lost.fetch_add(lost as u64, Ordering::Relaxed);
    }

    pub(super) fn list_refused(&self, is_refused: bool) {
        self.now().list_is_refused = is_refused;
    }

    /// Whether all that the files define is right, and what it names is there.
    pub(super) fn valid(&self, are_valid: bool) {
        self.now().files_are_wrong = !are_valid;
    }

    pub(super) fn loaded(&self, at: Timestamp) {
        self.now().loaded = Some(at);
    }

    /// What a scraper reads.
    pub fn exposition(&self) -> Snapshot {
        let mut snapshot = self.of_runs();
        let now = *self.now();
        snapshot.gauge(
            "checks_files_valid",
            "Whether the files that define checks can be used as they are, and all that they name is there.",
            !now.files_are_wrong,
        );
        if let Some(loaded) = now.loaded {
            snapshot.gauge(
                "checks_files_loaded_timestamp_seconds",
                "When definitions were last taken from the files.",
                loaded.as_second(),
            );
        }
        snapshot
    }

    /// The same, but for what is about files: of checks that are defined elsewhere.
    pub fn of_runs(&self) -> Snapshot {
        let now = *self.now();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut snapshot = Snapshot::default();
        snapshot.gauge("checks_defined", "Checks that are run.", now.defined);
        let ended = State::ALL.into_iter().zip(&self.ended);
        let ended = ended.map(|(state, count)| ([state.label().to_owned()], Number::from(read(count))));
        snapshot.counters("checks_runs", "Runs of all checks, by how they ended.", ["outcome"], ended);
        snapshot.counter(
            "checks_runs_left_out",
            "Runs left out: too late, or the one before went on.",
            read(&self.left_out),
        );
        snapshot.gauge(
            "checks_schedule_lag_seconds",
            "How late runs began lately, the latest of them; falls slowly.",
            now.late.as_secs_f64(),
        );
        snapshot.gauge("checks_results_waiting", "Results that wait for the keeper.", now.queued);
        snapshot.counter("checks_results_lost", "Results given up because too many waited.", read(&self.lost));
        let help =
            "Whether the keeper takes the list of checks as it is; what it knows of them goes on where it does not.";
        snapshot.gauge("checks_list_taken", help, !now.list_is_refused);
        snapshot
    }
}
