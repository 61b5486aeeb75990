//! Files that are read again when their content changes. A file that cannot be used leaves what runs alone, and says so.

use std::{collections::HashMap, sync::Arc, time::Duration};

use checks::{
    check::{Check, CheckName, Kind},
    file::{
        Wrong,
        change::{Change, between},
    },
    thresholds::Standing,
};
use jiff::Timestamp;
use shared::fingerprint::Fingerprint;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    defined::{CheckList, Defined, Definitions, List},
    delivery::{Refused, fingerprint},
    own_files::{self, OwnFiles},
    results::Results,
    source::{Found, Source, Stamp, Update},
    totals::Totals,
};

/// How often files are looked into.
const EVERY: Duration = Duration::from_secs(2);

/// What follows from something that is wrong.
const GOES_ON: &str = "what runs goes on as it is";
const NOTHING_RUNS: &str = "nothing that is defined is checked";
const OTHERS_RUN: &str = "what it is about is not checked, and all else is";

/// To whom what is defined goes.
#[derive(Debug)]
pub(super) struct Outlets {
    /// Who runs it.
    pub(super) definitions: mpsc::Sender<Definitions>,
    /// What the keeper does not take as it is.
    pub(super) refused: watch::Receiver<Vec<Refused>>,
    pub(super) results: Results,
    pub(super) totals: Arc<Totals>,
}

/// What has been taken from the files so far.
#[derive(Debug)]
struct Watch {
    outlets: Outlets,
    own: OwnFiles,
    /// What counts of checks before their first run here.
    known: HashMap<CheckName, Standing>,
    current: Option<CheckList>,
    /// The secrets of its passive checks as they were then, which the keeper knows them by.
    secrets: Vec<Option<Fingerprint>>,
    listless: Vec<Wrong>,
    /// What was said last: of what is wrong, and of what is missing.
    said: Vec<Wrong>,
    /// When files were read of which not everything runs.
    failed_at: Option<Instant>,
}

impl Source {
    /// Takes what it came to at `first`, reads again and again, and passes on what has changed; never ends by itself. `known` is what
    /// counts of checks before their first run here.
    pub(super) async fn watch(self, first: Found, known: HashMap<CheckName, Standing>, outlets: Outlets) {
        let mut taken = first.stamp.clone();
        let mut seen = taken.clone();
        let mut watch = Watch {
            outlets,
            own: OwnFiles::new(),
            known,
            current: None,
            secrets: Vec::new(),
            listless: first.usable.iter().flat_map(|update| update.listless.clone()).collect(),
            said: Vec::new(),
            failed_at: None,
        };
        let mut next = Some(first);
        let mut reported = None::<Instant>;
        loop {
            if let Some(found) = next.take() {
                let is_news = watch.take(found).await;
                reported = reported.filter(|_| !is_news);
            }
            let is_refused = watch.outlets.refused.has_changed().unwrap_or(false);
            if is_refused || reported.is_none_or(|at| at.elapsed() >= own_files::EVERY) {
                let refused = watch.outlets.refused.borrow_and_update().clone();
                let refused: Vec<String> = refused.into_iter().map(|refused| refused.sentence).collect();
                watch.own.report(&refused, &watch.outlets.results);
                reported = Some(Instant::now());
                watch.renew().await;
            }
            sleep(EVERY).await;
            let now: Stamp = self.stamp();
            if now != seen {
                // It may still be being written.
                seen = now;
                continue;
            }
            // What a file refers to may be there by now.
            let is_retried = watch.failed_at.is_some_and(|at| at.elapsed() >= own_files::EVERY);
            if now != taken || is_retried {
                taken = now;
                next = Some(self.load());
            }
        }
    }
}

impl Watch {
    /// Takes what the files come to; whether that is anything new.
    async fn take(&mut self, found: Found) -> bool {
        let Found { usable, mut wrong, missing, .. } = found.unless_cut_off(&self.listless);
        // What is right of a wrong file is better than nothing, and no better than what was right as a whole.
        let has_whole = self.current.as_ref().is_some_and(|list| list.is_whole);
        let usable = usable.filter(|update| update.is_whole || !has_whole);
        let what_follows = match (&usable, &self.current) {
            (Some(_), _) => OTHERS_RUN,
            (None, Some(_)) => GOES_ON,
            (None, None) => NOTHING_RUNS,
        };
        wrong.extend(missing.into_iter().filter(|_| usable.is_some()));
        self.failed_at = (!wrong.is_empty()).then(Instant::now);
        let is_news = wrong != self.said;
        for wrong in wrong.iter().filter(|wrong| is_news && !self.said.contains(wrong)) {
            tracing::error!("{what_follows}, because of {wrong}");
        }
        let is_changed = match usable {
            Some(update) => self.define(update).await,
            None => false,
        };
        self.outlets.totals.valid(wrong.is_empty());
        match &self.current {
            Some(current) if wrong.is_empty() => self.own.are_valid(current.checks.len()),
            _ => self.own.are_wrong(&wrong, what_follows),
        }
        self.said = wrong;
        is_news || is_changed
    }

    /// Has these run; whether there is anything new in them.
    async fn define(&mut self, mut update: Update) -> bool {
        self.listless.clone_from(&update.listless);
        update.stand(&self.known);
        if update.is_whole {
            self.known.clear();
        } else if let Some(current) = &self.current {
            update.keep(&current.checks);
        }
        let new = Definitions::new(update.defined, update.is_whole);
        let secrets = secrets(&new.list);
        if let Some(current) = &self.current {
            let changes = between(&current.checks, &new.list.checks);
            let is_same = |change: &Change| matches!(change, Change::Unchanged(_));
            let is_as_before = current.is_whole == new.list.is_whole && self.secrets == secrets;
            // A file that is read once more because something is missing starts nothing anew.
            if self.failed_at.is_some() && is_as_before && changes.iter().all(is_same) {
                return false;
            }
            log_changes(&new.list.checks, &changes);
            update.notes.iter().for_each(|note| tracing::warn!("{note}"));
        }
        self.outlets.totals.loaded(Timestamp::now());
        (self.current, self.secrets) = (Some(Arc::clone(&new.list)), secrets);
        // Who runs them ends this, too.
        let _ = self.outlets.definitions.send(new).await;
        true
    }

    /// Has the secrets of passive checks known anew where one has come, or is another one: that changes no file of ours, which may be
    /// wrong meanwhile.
    async fn renew(&mut self) {
        let Some(current) = &self.current else { return };
        let now = secrets(current);
        if now != self.secrets {
            let new = Definitions::new(current.checks.iter().cloned().map(Defined::new).collect(), current.is_whole);
            (self.current, self.secrets) = (Some(Arc::clone(&new.list)), now);
            let _ = self.outlets.definitions.send(new).await;
        }
    }
}

/// The secrets of passive checks, as far as they can be read now.
fn secrets(list: &List) -> Vec<Option<Fingerprint>> {
    let passive = |check: &Check| match &check.kind {
        Kind::Passive(passive) => Some(fingerprint(passive)),
        _ => None,
    };
    list.checks.iter().filter_map(passive).collect()
}

/// What another list of checks changes, in numbers.
fn log_changes(checks: &[Check], changes: &[Change]) {
    let count = |is: fn(&Change) -> bool| changes.iter().filter(|change| is(change)).count();
    tracing::info!(
        checks = checks.len(),
        added = count(|change| matches!(change, Change::Added(_))),
        changed = count(|change| matches!(change, Change::Changed(_))),
        renamed = count(|change| matches!(change, Change::Renamed { .. })),
        removed = count(|change| matches!(change, Change::Removed(_))),
        "the files of checks have changed, and are taken up"
    );
}

#[cfg(test)]
mod tests;
