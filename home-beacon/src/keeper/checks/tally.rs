//! How the runs of checks have ended, and how long they took, since the keeper began: for `/metrics` alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use checks::{check::CheckName, outcome::State};
use shared::metrics::{Histogram, SECONDS};

use super::{known::Known, results::Ran};

/// The tallies of all checks. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::keeper) struct Tallies(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    checks: HashMap<CheckName, Tally>,
    /// By what is asked over HTTP.
    addresses: HashMap<String, Histogram>,
}

/// How the runs of a check have ended.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::keeper) struct Tally {
    /// In the order of [`State::ALL`].
    pub(in crate::keeper) runs: [u64; 4],
    /// Of those that worked.
    pub(in crate::keeper) took: Histogram,
}

impl Default for Tally {
    fn default() -> Self {
        Self { runs: [0; 4], took: Histogram::new(SECONDS) }
    }
}

impl Tallies {
    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts these.
    pub(in crate::keeper) fn add(&self, ran: &[Ran]) {
        if ran.is_empty() {
            return;
        }
        let mut counted = self.lock();
        for Ran { name, state, took, address, .. } in ran {
            let tally = counted.checks.entry(name.clone()).or_default();
            if let Some(place) = State::ALL.iter().position(|known| known == state) {
                tally.runs[place] += 1;
            }
            let Some(took) = took else { continue };
            tally.took.observe(took.as_secs_f64());
            if let Some(address) = address {
                let histogram = counted.addresses.entry(address.clone()).or_insert_with(|| Histogram::new(SECONDS));
                histogram.observe(took.as_secs_f64());
            }
        }
    }

    /// Those of these checks, which are all that there are: what is counted of others is forgotten.
    pub(in crate::keeper) fn of(&self, all: &[Known]) -> Vec<Tally> {
        let mut counted = self.lock();
        let mut before = std::mem::take(&mut counted.checks);
        let mut addresses = std::mem::take(&mut counted.addresses);
        let of = |known: &Known| {
            let tally = before.remove(&known.check.name).unwrap_or_default();
            counted.checks.insert(known.check.name.clone(), tally.clone());
            if let Some((address, histogram)) = addresses.remove_entry(&known.check.target) {
                counted.addresses.insert(address, histogram);
            }
            tally
        };
        all.iter().map(of).collect()
    }

    /// How long the runs took that asked for an address, and worked.
    pub(in crate::keeper) fn took(&self, address: &str) -> Histogram {
        self.lock().addresses.get(address).cloned().unwrap_or_else(|| Histogram::new(SECONDS))
    }
}
