//! One run: observe all targets while secrets and pages are read, judge, plan, apply; within its pace, whatever
//! happens.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use futures_util::{StreamExt, future::join_all, stream};
use jiff::Timestamp;
use rustls::ClientConfig;
use shared::{
    http::{self, Deadlines, SetupError},
    id::ComponentId,
    statuspage::{Component, ComponentStatus},
};
use tokio::time::Instant;
use url::Url;

use crate::{
    access::Access,
    apply::{Applied, apply},
    judge::judge,
    observation::{Attempt, Exchange},
    observe::{Checker, observe},
    pace::Pace,
    page::{self, Pages},
    plan::{Reason, Step, plan},
    report::{Outcome, Report, TargetReport},
    secrets::{RunSecrets, Secrets},
    state::{Finding, Kept, State},
    target::{Home, Target, Targets},
    verdict::{UnknownCause, Verdict},
};

/// How many changes are published at once.
const CHANGES_AT_ONCE: usize = 4;

/// Whether changes are written, to the page and to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Publish,
    DryRun,
}

/// Everything that outlives a run. No connection is kept.
#[derive(Debug)]
pub struct Prober {
    statuspage: Url,
    secrets: Secrets,
    state: Option<State>,
    mode: Mode,
    tools: OnceLock<Tools>,
}

/// A run that could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("there are no targets: {0}")]
    Targets(String),
    #[error(
        "there is nothing to probe: set CANARY_URL, PAGE_ID and COMPONENT_ID, or TARGETS, or TARGETS_PARAMETER, or give the \
         schedule an input with targets"
    )]
    NothingToProbe,
}

/// Made at the first run: reading the machine's certificates is kept out of a function's start.
#[derive(Debug)]
struct Tools {
    tls: Arc<ClientConfig>,
    http: reqwest::Client,
}

impl Prober {
    pub fn new(statuspage: Url, secrets: Secrets, state: Option<State>, mode: Mode) -> Self {
        Self { statuspage, secrets, state, mode, tools: OnceLock::new() }
    }

    /// Looks at `targets`, or where there are none at those that Parameter Store lists.
    ///
    /// # Errors
    /// When there is nothing to look at, or this machine cannot make a TLS client at all. Everything else is in the
    /// report.
    pub async fn run(&self, targets: Option<&Targets>, pace: &Pace) -> Result<Report, RunError> {
        let (at, began) = (Timestamp::now(), Instant::now());
        let (observed, until) = (began + pace.observing, began + pace.budget);
        let tools = self.tools()?;
        let listed;
        let targets = if let Some(targets) = targets {
            targets
        } else {
            listed = self.secrets.targets(observed).await.map_err(RunError::Targets)?;
            listed.as_ref().ok_or(RunError::NothingToProbe)?
        };
        let secrets = RunSecrets::new(&self.secrets, targets.iter().map(|target| &target.home).collect(), until);

        let observing = targets
            .iter()
            .map(|target| Checker { secrets: &secrets, home: &target.home })
            .map(|checker| async move { observe(&checker, &tools.tls, pace, began).await });
        let reading = async {
            let access = Access::new(&tools.http, &self.statuspage, &secrets).await;
            let pages = match &access {
                Ok(access) => Ok(page::read(access, targets, observed).await),
                Err(error) => Err(error.clone()),
            };
            (access, pages)
        };
        let (attempts, (access, pages)) = tokio::join!(join_all(observing), reading);
        let seen: Vec<Seen> =
            targets.iter().zip(attempts).map(|(target, attempts)| Seen::new(target, attempts, &pages)).collect();

        let publishing = seen.iter().map(|seen| self.settle(access.as_ref().ok(), &secrets, seen, until));
        let publishing = stream::iter(publishing).buffered(CHANGES_AT_ONCE).collect::<Vec<_>>();
        let (outcomes, kept) = tokio::join!(publishing, self.remember(&seen, at, until));

        let reports = seen.into_iter().zip(outcomes).map(|(seen, outcome)| {
            let state = kept.get(&seen.target.component).cloned();
            let (before, target) = (seen.status(), seen.target.clone());
            TargetReport { target, attempts: seen.attempts, verdict: seen.verdict, before, outcome, state }
        });
        let reports: Vec<TargetReport> = reports.collect();
        let published = !reports.iter().any(|report| matches!(report.outcome, Outcome::Failed(_)));
        Ok(Report { at, duration: began.elapsed(), published, targets: reports })
    }

    /// Looks at one home, whatever its page says.
    ///
    /// # Errors
    /// When this machine cannot make a TLS client at all.
    pub async fn look(&self, home: &Home, pace: &Pace) -> Result<Looked, SetupError> {
        let began = Instant::now();
        let secrets = RunSecrets::new(&self.secrets, vec![home], began + pace.budget);
        let attempts = observe(&Checker { secrets: &secrets, home }, &self.tools()?.tls, pace, began).await;
        Ok(Looked { home: home.clone(), verdict: judge(&attempts), attempts })
    }

    /// Whether this target's answers must be proven.
    pub fn expects_proof(&self, target: &Target) -> bool {
        self.secrets.has_key(&target.home)
    }

    /// Plans one target's change and applies it.
    async fn settle(
        &self,
        access: Option<&Access<'_>>,
        secrets: &RunSecrets<'_>,
        seen: &Seen<'_>,
        until: Instant,
    ) -> Outcome {
        if seen.verdict == Verdict::Unknown(UnknownCause::Key) {
            // Nothing is to be published, but somebody must mend it.
            return Outcome::Failed(match secrets.keys_again(&seen.target.home).await {
                Err(error) => error,
                Ok(_) => "the old key could not be read, and may be the one that the home proves itself with".into(),
            });
        }
        match (&seen.component, access) {
            (Ok(component), Some(access)) => self.publish(access, seen.target, seen.verdict, component, until).await,
            // Where nothing is known nothing is to be published, so the page is not missed.
            (Err(_), _) if seen.verdict.status().is_none() => Outcome::Unknown,
            (Err(error), _) => Outcome::Failed(error.clone()),
            (Ok(_), None) => Outcome::Failed("there is no token to publish with".into()),
        }
    }

    /// Brings the state up to date, beside publishing, so that neither waits for the other.
    async fn remember(&self, seen: &[Seen<'_>], at: Timestamp, until: Instant) -> HashMap<ComponentId, Kept> {
        let Some(state) = &self.state else { return HashMap::new() };
        let findings: Vec<_> = seen.iter().map(|seen| (&seen.target.component, seen.finding(at))).collect();
        state.update(self.secrets.store(), &findings, self.mode, until).await
    }

    async fn publish(
        &self,
        access: &Access<'_>,
        target: &Target,
        verdict: Verdict,
        component: &Component,
        until: Instant,
    ) -> Outcome {
        let change = match plan(verdict, component) {
            Step::Nothing(Reason::Agrees) => return Outcome::Agrees,
            Step::Nothing(Reason::Held) => return Outcome::Maintenance,
            Step::Nothing(Reason::Unknown) => return Outcome::Unknown,
            Step::Change(_) if self.mode == Mode::DryRun => return Outcome::WouldChange,
            Step::Change(change) => change,
        };
        match apply(access, &target.page, &change, until).await {
            Ok(Applied::Written) => Outcome::Changed,
            Ok(Applied::AlreadyDone) => Outcome::AlreadyChanged,
            Ok(Applied::Left) => Outcome::LeftToNextRun,
            Err(error) => Outcome::Failed(access.told(&error)),
        }
    }

    fn tools(&self) -> Result<&Tools, SetupError> {
        if let Some(tools) = self.tools.get() {
            return Ok(tools);
        }
        let tls = http::tls_config()?;
        let http = http::client(&tls, Deadlines::default())?;
        Ok(self.tools.get_or_init(|| Tools { tls, http }))
    }
}

/// What was seen of a home, and what that means.
#[derive(Clone, Debug)]
pub struct Looked {
    pub home: Home,
    pub attempts: Vec<Attempt>,
    pub verdict: Verdict,
}

/// What was seen of one target, what that means, and its component as the page had it.
struct Seen<'run> {
    target: &'run Target,
    attempts: Vec<Attempt>,
    verdict: Verdict,
    component: Result<Component, String>,
}

impl<'run> Seen<'run> {
    fn new(target: &'run Target, attempts: Vec<Attempt>, pages: &Result<Pages, String>) -> Self {
        let component = match pages {
            Ok(pages) => pages.component(&target.component).cloned().map_err(str::to_owned),
            Err(error) => Err(error.clone()),
        };
        Self { target, verdict: judge(&attempts), attempts, component }
    }

    fn status(&self) -> Option<ComponentStatus> {
        self.component.as_ref().ok().and_then(|component| component.status)
    }

    fn finding(&self, at: Timestamp) -> Finding<'_> {
        let proving = self.attempts.iter().find_map(|attempt| {
            let proven = attempt.exchanges.iter().find_map(Exchange::proven)?;
            Some((proven, attempt.addresses.as_slice()))
        });
        let (proven, addresses) = proving.map_or((None, &[][..]), |(proven, addresses)| (Some(proven), addresses));
        Finding { at, verdict: self.verdict, page: self.status(), addresses, proven }
    }
}
