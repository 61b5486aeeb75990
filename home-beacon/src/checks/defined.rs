//! A check as it was defined, and what counted of it before.

use std::{sync::Arc, time::Duration};

use checks::{
    check::{Check, CheckName},
    thresholds::Standing,
};
use jiff::Timestamp;

/// All the checks that are defined at one time.
pub type CheckList = Arc<List>;

/// Checks that are defined at one time.
#[derive(Clone, Debug)]
pub struct List {
    /// The checks.
    pub checks: Box<[Check]>,
    /// Whether there are no others: those that are wrong are not in it, and are no less there.
    pub is_whole: bool,
    /// The names of those that are wrong, where they are known: beside them there are no others then.
    pub wrong: Box<[CheckName]>,
}

impl List {
    /// Whether one of them was called something else before.
    pub(super) fn renames(&self) -> bool {
        self.checks.iter().any(|check| check.was.is_some())
    }
}

/// A definition.
#[derive(Clone, Debug)]
pub struct Defined {
    /// The check.
    pub check: Check,
    /// What is known of it before its first run here.
    pub standing: Standing,
    /// When it ran last, before this program began: then it runs an interval later, and not at once.
    pub ran_at: Option<Timestamp>,
    /// Whether it is due at once: a run of it that began before this program did is to be waited for.
    pub is_due: bool,
}

impl Defined {
    /// Of which nothing is known yet.
    pub fn new(check: Check) -> Self {
        Self { check, standing: Standing::default(), ran_at: None, is_due: false }
    }
}

/// All that is to run from now on.
#[derive(Debug)]
pub struct Definitions {
    pub(super) defined: Vec<Defined>,
    /// The same, for who has to know of it; with what is not run here.
    pub(super) list: CheckList,
}

impl Definitions {
    /// These, and whether there are no others.
    pub fn new(defined: Vec<Defined>, is_whole: bool) -> Self {
        let checks = defined.iter().map(|defined| defined.check.clone()).collect();
        Self { defined, list: Arc::new(List { checks, is_whole, wrong: Box::default() }) }
    }

    /// These, and beside them no others than the ones of these names, which are wrong now and stay as they are.
    pub fn beside(defined: Vec<Defined>, wrong: Vec<CheckName>) -> Self {
        let checks = defined.iter().map(|defined| defined.check.clone()).collect();
        Self { defined, list: Arc::new(List { checks, is_whole: true, wrong: wrong.into() }) }
    }
}

/// How much of an interval that began then is still to come.
pub(super) fn left_of(every: Duration, began: Timestamp, now: Timestamp) -> Option<Duration> {
    let since = Duration::try_from(now.duration_since(began)).unwrap_or_default();
    every.checked_sub(since).filter(|left| !left.is_zero())
}
