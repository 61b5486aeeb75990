//! Results on their way to a keeper, behind the list of the checks that they are of.

use std::{sync::Arc, time::Duration};

use checks::check::{Check, Dependency, Kind, PassiveCheck, Place};
use serde_json::{Value, json};
use shared::{
    api::ApiError,
    backoff::{Backoff, Jitter},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::super::{
    defined::CheckList,
    own_files,
    reading::reading,
    results::{Finished, Results},
    shown::target,
    totals::Totals,
};
use crate::job::{keeper::KeeperClient, settings::KEEPER_API};

/// How many results go in one call.
const BATCH: usize = 500;

/// The longest title and group of a page, in characters.
const MAX_TITLE: usize = 200;

/// How long the last results may take once the program is asked to end.
const LAST: Duration = Duration::from_secs(5);

/// The pauses while the keeper does not take them.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), Jitter::Equal);

/// Hands results to a keeper.
#[derive(Debug)]
pub(in super::super) struct ToKeeper {
    pub(in super::super) keeper: KeeperClient,
    pub(in super::super) results: Results,
    pub(in super::super) totals: Arc<Totals>,
    /// `None` until there is one.
    pub(in super::super) lists: watch::Receiver<Option<CheckList>>,
}

/// The list of these checks as the keeper is to have it.
fn registration(checks: &[Check]) -> Value {
    let own = own_files::check();
    let checks: Vec<Value> = checks.iter().chain([&own]).filter_map(of_check).collect();
    json!({ "source": "checks", "checks": checks })
}

/// A passive check whose secret cannot be read now is left out: nobody could call it.
fn of_check(check: &Check) -> Option<Value> {
    let depends_on = check.depends_on.iter().map(|dependency| match dependency {
        Dependency::Home => "home".to_owned(),
        Dependency::Check(name) => format!("check:{name}"),
    });
    let passive = match &check.kind {
        Kind::Passive(passive) => of_passive(passive)?,
        _ => Value::Null,
    };
    Some(json!({
        "name": check.name,
        "was": check.was,
        "title": cut(&check.title),
        "group": check.group.as_deref().map(cut),
        "kind": check.kind.label(),
        "target": target(&check.kind),
        "every_seconds": check.every.as_secs(),
        "component": match &check.component {
            Place::Own => "own",
            Place::Nowhere => "nowhere",
            Place::Component(id) => id.as_str(),
        },
        "depends_on": depends_on.collect::<Vec<_>>(),
        "notices": {
            "wanted": check.notices.wanted,
            "after_failures": check.notices.after_failures,
            "all_changes": check.notices.all_changes,
        },
        "passive": passive,
    }))
}

/// As long as a keeper takes titles.
fn cut(text: &str) -> String {
    text.chars().take(MAX_TITLE).collect()
}

fn of_passive(passive: &PassiveCheck) -> Option<Value> {
    let secret = passive.secret.current().ok()?;
    Some(json!({
        "period_seconds": passive.period.as_secs(),
        "grace_seconds": passive.grace.as_secs(),
        "secret_sha256": shared::fingerprint::Fingerprint::of(secret.expose().as_bytes()).to_string(),
    }))
}

impl ToKeeper {
    /// Hands over until `stop`, and then what is left, as far as it goes quickly.
    pub(in super::super) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut registered = None;
        tokio::select! {
            () = &mut stop => (),
            () = self.go_on(&mut registered) => (),
        }
        let last = async {
            self.register(&mut registered).await;
            while self.hand_over(self.results.batch(BATCH)).await && self.results.settle() {}
        };
        if timeout(LAST, last).await.is_err() {
            tracing::warn!("the last results were not handed over in time");
        }
    }

    async fn go_on(&mut self, registered: &mut Option<CheckList>) {
        let mut failures = 0;
        loop {
            let batch = tokio::select! {
                batch = self.results.next(BATCH) => batch,
                _ = self.lists.changed() => Vec::new(),
            };
            let begin = Instant::now();
            while !(self.register(registered).await && self.hand_over(batch.clone()).await) {
                sleep(BACKOFF.pause(failures, fastrand::f64())).await;
                failures += 1;
            }
            if failures > 0 {
                tracing::info!(after = ?begin.elapsed(), "results are handed over again");
            }
            failures = 0;
            if !batch.is_empty() {
                self.results.settle();
            }
        }
    }

    /// Has the keeper know the list as it is now; whether it does.
    async fn register(&mut self, registered: &mut Option<CheckList>) -> bool {
        let Some(wanted) = self.lists.borrow_and_update().clone() else {
            // The files are wrong since the start: what the keeper knows already goes on, and that they are wrong is told.
            return true;
        };
        if registered.as_ref().is_some_and(|registered| Arc::ptr_eq(registered, &wanted)) {
            return true;
        }
        match self.keeper.register_checks(&registration(&wanted)).await {
            Ok(()) => {
                *registered = Some(wanted);
                self.totals.list_refused(false);
                true
            }
            Err(error) => {
                log(&error, "the list of checks is not taken");
                let is_refused = matches!(&error, ApiError::Permanent(it) if is_about_the_content(it.status));
                self.totals.list_refused(is_refused);
                // The same list would be refused again; the results of what the keeper knows already go on.
                if is_refused {
                    *registered = Some(wanted);
                }
                is_refused
            }
        }
    }

    /// Whether these are where they belong, or never will be.
    async fn hand_over(&self, batch: Vec<Finished>) -> bool {
        if batch.is_empty() {
            return true;
        }
        let readings: Vec<_> = batch.iter().map(reading).collect();
        match self.keeper.store(&readings).await {
            Ok(()) => true,
            Err(ApiError::Permanent(error)) if is_about_the_content(error.status) => {
                // One that the keeper does not understand must not keep the others from it.
                for reading in readings {
                    match self.keeper.store(std::slice::from_ref(&reading)).await {
                        Err(ApiError::Permanent(error)) if is_about_the_content(error.status) => {
                            tracing::error!(metric = %reading.metric, "a result is refused, and given up: {}", error.message);
                        }
                        Err(error) => {
                            log(&error, "results are not taken");
                            return false;
                        }
                        Ok(()) => (),
                    }
                }
                true
            }
            Err(error) => {
                log(&error, "results are not taken");
                false
            }
        }
    }
}

/// Whether a status says that what was sent cannot be taken, whoever sends it and whenever.
const fn is_about_the_content(status: u16) -> bool {
    matches!(status, 400 | 413 | 422)
}

/// What does not pass by itself; the client logs the rest.
fn log(error: &ApiError, what: &str) {
    if !matches!(error, ApiError::Passing(_)) {
        tracing::error!("{what}: {}", error.advice(&KEEPER_API));
    }
}
