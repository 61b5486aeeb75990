//! A check as it was defined, and what counted of it before.

use std::sync::Arc;

use checks::{check::Check, thresholds::Standing};

/// All the checks that are defined at one time.
pub(super) type CheckList = Arc<List>;

/// Checks that are defined at one time.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) checks: Box<[Check]>,
    /// Whether there are no others: those that are wrong are not in it, and are no less there.
    pub(super) is_whole: bool,
}

impl List {
    /// Whether one of them was called something else before.
    pub(super) fn renames(&self) -> bool {
        self.checks.iter().any(|check| check.was.is_some())
    }
}

/// A definition.
#[derive(Clone, Debug)]
pub(super) struct Defined {
    pub(super) check: Check,
    /// What is known of it before its first run here.
    pub(super) standing: Standing,
}

impl Defined {
    /// Of which nothing is known yet.
    pub(super) fn new(check: Check) -> Self {
        Self { check, standing: Standing::default() }
    }
}

/// All that is to run from now on.
#[derive(Debug)]
pub(super) struct Definitions {
    pub(super) defined: Vec<Defined>,
    /// The same, for who has to know of it; with what is not run here.
    pub(super) list: CheckList,
}

impl Definitions {
    /// These, and whether there are no others.
    pub(super) fn new(defined: Vec<Defined>, is_whole: bool) -> Self {
        let checks = defined.iter().map(|defined| defined.check.clone()).collect();
        Self { defined, list: Arc::new(List { checks, is_whole }) }
    }
}
