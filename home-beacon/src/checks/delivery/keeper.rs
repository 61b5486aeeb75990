//! Results on their way to a keeper, behind the list of the checks that they are of.

use std::{collections::HashSet, sync::Arc, time::Duration};

use checks::check::{Check, CheckName};
use shared::{
    api::ApiError,
    backoff::{Backoff, Jitter},
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    super::{
        defined::CheckList,
        reading::reading,
        results::{Batch, Finished, Results},
        totals::Totals,
    },
    registration::registration,
};
use crate::job::{
    keeper::{KeeperClient, Registered},
    settings::KEEPER_API,
};

/// How many results go in one call.
const BATCH: usize = 500;

/// How often a list is handed over anew that was not taken as it is: what was in the way may have gone.
const AGAIN: Duration = Duration::from_secs(300);

/// How long the last results may take once the program is asked to end.
const LAST: Duration = Duration::from_secs(5);

/// The pauses while the keeper does not take them.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), Jitter::Equal);

/// Something that a keeper does not take as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Of which check; `None` where it is the list as a whole.
    pub check: Option<CheckName>,
    /// What, in a sentence.
    pub sentence: String,
}

/// Hands results to a keeper.
#[derive(Debug)]
pub struct ToKeeper {
    /// Whose list it is: a keeper has one of each.
    source: &'static str,
    /// A check of the program itself, beside those of the list.
    own: Option<Check>,
    /// Gets what has been handed over, where somebody wants to know.
    handed_over: Option<mpsc::Sender<Vec<Finished>>>,
    keeper: KeeperClient,
    results: Results,
    totals: Arc<Totals>,
    /// By which list what is handed over ran; `None` where the files have been wrong since the start.
    list: Option<CheckList>,
    /// Whether the keeper knows it.
    is_registered: bool,
    /// What the keeper does not take of the list as it is.
    refused: watch::Sender<Vec<Refused>>,
    /// Of which it takes nothing: a check of that name is another program's.
    strange: HashSet<CheckName>,
    /// When the list was handed over last.
    registered_at: Option<Instant>,
}

impl ToKeeper {
    /// Results of the list that `source` has; what the keeper does not take of it goes to `refused`.
    pub fn new(
        source: &'static str,
        keeper: KeeperClient,
        results: Results,
        totals: Arc<Totals>,
        refused: watch::Sender<Vec<Refused>>,
    ) -> Self {
        let strange = HashSet::new();
        Self {
            source,
            own: None,
            handed_over: None,
            keeper,
            results,
            totals,
            list: None,
            is_registered: false,
            refused,
            strange,
            registered_at: None,
        }
    }

    /// With a check of the program itself.
    #[must_use]
    pub fn with_own(self, own: Check) -> Self {
        Self { own: Some(own), ..self }
    }

    /// With someone who is told what has been handed over.
    #[must_use]
    pub fn notifying(self, handed_over: mpsc::Sender<Vec<Finished>>) -> Self {
        Self { handed_over: Some(handed_over), ..self }
    }

    /// Hands over until `stop`, and then what is left, as far as it goes quickly.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        tokio::select! {
            () = &mut stop => (),
            () = self.go_on() => (),
        }
        let last = async {
            loop {
                let batch = self.results.batch(BATCH);
                if !self.take(&batch).await || !self.results.settle() {
                    return;
                }
            }
        };
        if timeout(LAST, last).await.is_err() {
            tracing::warn!("the last results were not handed over in time");
        }
    }

    async fn go_on(&mut self) {
        let mut failures = 0;
        loop {
            let is_refused = !self.refused.borrow().is_empty();
            let batch = self.results.next(BATCH).await;
            if is_refused && self.registered_at.is_some_and(|at| at.elapsed() >= AGAIN) {
                self.is_registered = false;
            }
            let begin = Instant::now();
            while !self.take(&batch).await {
                sleep(BACKOFF.pause(failures, fastrand::f64())).await;
                failures += 1;
            }
            if failures > 0 {
                tracing::info!(after = ?begin.elapsed(), "results are handed over again");
            }
            failures = 0;
            self.results.settle();
        }
    }

    /// Whether all of it is where it belongs, or never will be.
    async fn take(&mut self, Batch { list, runs }: &Batch) -> bool {
        if let Some(new) = list
            && self.list.as_ref().is_none_or(|list| !Arc::ptr_eq(list, new))
        {
            (self.list, self.is_registered) = (Some(Arc::clone(new)), false);
        }
        if !(self.register().await && self.hand_over(runs).await) {
            return false;
        }
        if let Some(listener) = self.handed_over.as_ref().filter(|_| !runs.is_empty()) {
            // Who does not listen any more needs nothing.
            let _ = listener.send(runs.clone()).await;
        }
        true
    }

    /// Has the keeper know the list that counts; whether it does.
    async fn register(&mut self) -> bool {
        let Some(wanted) = self.list.as_ref().filter(|_| !self.is_registered).cloned() else {
            // It does; or the files are wrong since the start: what it knows already goes on, and that they are wrong is told.
            return true;
        };
        match self.keeper.register_checks(&registration(self.source, &wanted, self.own.as_ref())).await {
            Ok(answer) => {
                let is_strange = |check: &&Registered| !check.is_known;
                self.strange = answer.iter().filter(is_strange).map(|check| check.name.clone()).collect();
                let refused = |Registered { name, wrong, .. }| Some(Refused { check: Some(name), sentence: wrong? });
                self.report_refused(answer.into_iter().filter_map(refused).collect());
                self.is_registered = true;
                true
            }
            Err(error) => {
                log(&error, "the list of checks is not taken");
                let ApiError::Permanent(refusal) = &error else { return false };
                if !is_about_the_content(refusal.status) {
                    return false;
                }
                // The same list would be refused again; the results of what the keeper knows already go on.
                self.report_refused(vec![Refused { check: None, sentence: refusal.message.clone() }]);
                self.is_registered = true;
                true
            }
        }
    }

    /// Says what the keeper does not take as it is: once, where it is seen; and who reports the files says so too.
    fn report_refused(&mut self, refused: Vec<Refused>) {
        self.totals.list_refused(!refused.is_empty());
        self.registered_at = Some(Instant::now());
        self.refused.send_if_modified(|said| {
            for Refused { sentence, .. } in refused.iter().filter(|refused| !said.contains(refused)) {
                tracing::error!("the keeper does not take a check as it is: {sentence}");
            }
            let is_news = *said != refused;
            *said = refused;
            is_news
        });
    }

    /// Whether these are where they belong, or never will be.
    async fn hand_over(&self, batch: &[Finished]) -> bool {
        if batch.is_empty() {
            return true;
        }
        let ours = batch.iter().filter(|finished| !self.strange.contains(&finished.check.name));
        let readings: Vec<_> = ours.map(reading).collect();
        if readings.is_empty() {
            return true;
        }
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
