//! A keeper, as far as runs go: it takes each that is newer than the newest, once.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use checks::check::CheckName;
use home_beacon::{checks::Finished, job::keeper::KnownCheck};
use jiff::Timestamp;

#[derive(Clone)]
pub(super) struct Keeper(Arc<Mutex<State>>);

struct State {
    random: fastrand::Rng,
    is_there: bool,
    newest: HashMap<CheckName, Timestamp>,
    reported: BTreeSet<(String, i64)>,
    wrong: Vec<String>,
}

impl Keeper {
    pub(super) fn new(random: fastrand::Rng) -> Self {
        let (newest, reported) = (HashMap::new(), BTreeSet::new());
        Self(Arc::new(Mutex::new(State { random, is_there: true, newest, reported, wrong: Vec::new() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn set_there(&self, is_there: bool) {
        self.state().is_there = is_there;
    }

    pub(super) fn is_there(&self) -> bool {
        self.state().is_there
    }

    pub(super) fn random(&self) -> f64 {
        self.state().random.f64()
    }

    /// Takes a run; whether it could be.
    pub(super) fn take(&self, run: &Finished) -> bool {
        let mut state = self.state();
        if !state.is_there {
            return false;
        }
        let (name, at) = (run.check.name.clone(), run.at.as_millisecond());
        let (said, key) = (run.outcome.text.clone(), (name.to_string(), at));
        if said.starts_with("run of ") && !said.ends_with(&format!(" {at}")) {
            state.wrong.push(format!("{name}: {said} was told as of {at}"));
        }
        let is_news = state.newest.get(&name).is_none_or(|newest| newest.as_millisecond() < at);
        if is_news {
            state.newest.insert(name, Timestamp::from_millisecond(at).unwrap());
            state.reported.insert(key);
        } else if !state.reported.contains(&key) {
            state.wrong.push(format!("{name}: {said} came behind a newer one"));
        }
        true
    }

    /// What it knows, where it is there.
    pub(super) fn known(&self) -> HashMap<CheckName, KnownCheck> {
        let state = self.state();
        let known = |(name, at): (&CheckName, &Timestamp)| {
            (name.clone(), KnownCheck { ran_at: Some(*at), ..KnownCheck::default() })
        };
        if state.is_there { state.newest.iter().map(known).collect() } else { HashMap::new() }
    }

    pub(super) fn reported(&self) -> BTreeSet<(String, i64)> {
        self.state().reported.clone()
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        self.state().wrong.clone()
    }
}
