//! One run: observe all targets while secrets and pages are read, judge, plan, apply; within its pace, whatever
//! happens.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use shared::{
    http::{self, Deadlines, SetupError},
    id::PageId,
};
use tokio::time::Instant;
use url::Url;

use crate::{
    access::Access,
    apply::{Publication, Published},
    judge::judge,
    mode::Mode,
    observe::{Certificates, Checker, Hearing, Observer, Progress},
    pace::Pace,
    page::{self, Pages},
    plan::{Rules, Subject},
    report::{Outcome, Report, TargetReport},
    secrets::{RunSecrets, Secrets},
    seen::{Looked, Seen, subjects},
    state::{Prepared, Recall, State},
    target::{Home, Target, Targets},
    verdict::{UnknownCause, Verdict},
    witness::{Witnesses, WrongWitnesses},
};

/// How long the state may take between observing and publishing.
const STATE_TIME: Duration = Duration::from_secs(3);

/// How to look at homes.
#[derive(Clone, Debug)]
pub struct Looking {
    pub witnesses: Witnesses,
    /// A home that is reached more slowly than this is degraded.
    pub degraded_above: Duration,
}

/// Everything that outlives a run. No connection is kept.
#[derive(Debug)]
pub struct Prober {
    pub(crate) statuspage: Url,
    pub(crate) secrets: Secrets,
    mode: Mode,
    state: Option<State>,
    looking: Looking,
    rules: Rules,
    progress: Option<Progress>,
    tools: OnceLock<Tools>,
}

/// A run that could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("there are no targets: {0}")]
    Targets(String),
    #[error("WITNESSES: {0}")]
    Witnesses(#[from] WrongWitnesses),
    #[error(
        "there is nothing to probe: set CANARY_URL, PAGE_ID and COMPONENT_ID, or TARGETS, or TARGETS_PARAMETER, or give the \
         schedule an input with targets"
    )]
    NothingToProbe,
}

/// Made at the first run: reading the machine's certificates is kept out of a function's start.
#[derive(Debug)]
struct Tools {
    certificates: Certificates,
    http: http::Client,
}

impl Default for Looking {
    fn default() -> Self {
        Self { witnesses: Witnesses::default(), degraded_above: Duration::from_secs(2) }
    }
}

impl Prober {
    /// One that remembers nothing, and looks and publishes by the defaults.
    pub fn new(statuspage: Url, secrets: Secrets, mode: Mode) -> Self {
        let (looking, rules) = (Looking::default(), Rules::default());
        Self { statuspage, secrets, mode, state: None, looking, rules, progress: None, tools: OnceLock::new() }
    }

    #[must_use]
    pub fn with_state(self, state: Option<State>) -> Self {
        Self { state, ..self }
    }

    #[must_use]
    pub fn with_looking(self, looking: Looking) -> Self {
        Self { looking, ..self }
    }

    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Tells of each attempt as it ends.
    #[must_use]
    pub fn with_progress(self, progress: Option<Progress>) -> Self {
        Self { progress, ..self }
    }

    /// Looks at `targets`, or where there are none at those that Parameter Store lists.
    ///
    /// # Errors
    /// When there is nothing to look at, a witness is a target, or this machine cannot make a TLS client at all. Everything
    /// else is in the report.
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
        targets.iter().try_for_each(|target| self.looking.witnesses.besides(&target.home.url))?;
        let secrets = RunSecrets::new(&self.secrets, targets.iter().map(|target| &target.home).collect(), until);
        let hearing = Hearing::new(&self.looking.witnesses, pace);

        let observing = targets.iter().map(|target| async {
            let recall = Recall { from: self.state.as_ref().map(|it| (it, self.secrets.store(), &target.component)) };
            self.observer(&target.home, &secrets, tools, &hearing, recall, began).observe().await
        });
        let reading = async {
            let access = Access::new(&tools.http, &self.statuspage, &secrets, pace).await;
            let pages = match &access {
                Ok(access) => Ok(page::read(access, targets, observed).await),
                Err(error) => Err(error.clone()),
            };
            (access, pages)
        };
        let (attempts, (access, pages)) = tokio::join!(join_all(observing), reading);
        let judged = targets.iter().zip(attempts);
        let seen: Vec<Seen> = judged
            .map(|(target, attempts)| {
                let verdict = judge(&attempts, self.looking.degraded_above);
                Seen::new(target, attempts, verdict, &pages)
            })
            .collect();

        let prepared = self.prepare(&seen, at, observed).await;
        let subjects = subjects(&seen, &prepared, at);
        let publishing = self.publish_all(access.as_ref().ok(), &pages, &subjects, at, until);
        let remembering = async {
            match &self.state {
                Some(state) => state.commit(self.secrets.store(), prepared, self.mode, until).await,
                None => HashMap::new(),
            }
        };
        let (published, kept) = tokio::join!(publishing, remembering);

        let mut reports = Vec::with_capacity(seen.len());
        for seen in seen {
            let status = self.rules.statuses.of(seen.verdict);
            let outcome = match seen.verdict {
                Verdict::Unknown(UnknownCause::Key) => Outcome::Failed(secrets.key_trouble(&seen.target.home).await),
                _ => seen.outcome(status, published.get(&seen.target.page)),
            };
            let untold = pages.as_ref().ok().and_then(|pages| pages.incidents_trouble(&seen.target.page));
            let outcome = match (seen.verdict, untold) {
                (Verdict::Down(_), Some(error)) => Outcome::Failed(error.to_owned()),
                _ => outcome,
            };
            let warning = pages.as_ref().ok().and_then(|it| it.warning(&seen.target.page, &seen.target.component));
            if let Some(warning) = warning {
                tracing::warn!(home = seen.target.home.name, warning = warning.text, "the page warns");
            }
            let outcome = outcome.where_shown(warning);
            let warning = warning.map(|warning| warning.text.clone());
            let (state, before) =
                (kept.get(&seen.target.component).cloned(), seen.component.ok().and_then(|it| it.status));
            let (target, verdict) = (seen.target.clone(), seen.verdict);
            reports.push(TargetReport {
                target,
                attempts: seen.attempts,
                verdict,
                before,
                status,
                outcome,
                warning,
                state,
            });
        }
        let calls =
            published.into_iter().flat_map(|(page, it)| it.calls.into_iter().map(move |call| (page.clone(), call)));
        let calls = calls.collect();
        let failed = reports.iter().any(|report| matches!(report.outcome, Outcome::Failed(_)));
        Ok(Report { at, duration: began.elapsed(), published: !failed, mode: self.mode, targets: reports, calls })
    }

    /// Looks at one home, whatever its page says.
    ///
    /// # Errors
    /// When a witness is the target, or this machine cannot make a TLS client at all.
    pub async fn look(&self, home: &Home, pace: &Pace) -> Result<Looked, RunError> {
        let began = Instant::now();
        self.looking.witnesses.besides(&home.url)?;
        let secrets = RunSecrets::new(&self.secrets, vec![home], began + pace.budget);
        let hearing = Hearing::new(&self.looking.witnesses, pace);
        let recall = Recall { from: None };
        let attempts = self.observer(home, &secrets, self.tools()?, &hearing, recall, began).observe().await;
        Ok(Looked { home: home.clone(), verdict: judge(&attempts, self.looking.degraded_above), attempts })
    }

    /// Whether this target's answers must be proven.
    pub fn expects_proof(&self, target: &Target) -> bool {
        self.secrets.has_key(&target.home)
    }

    fn observer<'run>(
        &self,
        home: &'run Home,
        secrets: &'run RunSecrets<'run>,
        tools: &'run Tools,
        hearing: &'run Hearing<'run>,
        recall: Recall<'run>,
        began: Instant,
    ) -> Observer<'run> {
        let (checker, certificates) = (Checker { secrets, home }, &tools.certificates);
        let degraded_above = self.looking.degraded_above;
        let (progress, hear_always) = (self.progress, self.mode == Mode::DryRun);
        let pace = hearing.pace;
        Observer { checker, certificates, pace, hearing, recall, degraded_above, began, progress, hear_always }
    }

    /// The records as this run leaves them, before they are written.
    async fn prepare(&self, seen: &[Seen<'_>], at: Timestamp, observed: Instant) -> Prepared {
        // Homes that go down in one run are one outage.
        let down = seen.iter().filter(|seen| matches!(seen.verdict, Verdict::Down(_)));
        let first = down.map(|seen| &seen.target.component).min();
        let new_key = first.map_or_else(String::new, |component| format!("{component}-{}", at.as_second()));
        let findings: Vec<_> =
            seen.iter().map(|seen| (&seen.target.component, seen.finding(at, &new_key, &self.rules))).collect();
        let now = Instant::now();
        let until = (now + STATE_TIME).min(observed.max(now + STATE_TIME / 6));
        match &self.state {
            Some(state) => state.prepare(self.secrets.store(), &findings, until).await,
            None => Prepared::without_state(&findings),
        }
    }

    async fn publish_all(
        &self,
        access: Option<&Access<'_>>,
        pages: &Result<Pages, String>,
        subjects: &BTreeMap<&PageId, Vec<Subject>>,
        at: Timestamp,
        until: Instant,
    ) -> BTreeMap<PageId, Published> {
        let (Some(access), Ok(pages)) = (access, pages) else { return BTreeMap::new() };
        let publishing = subjects.iter().map(|(page, subjects)| async move {
            let published = match pages.view(page) {
                Some(seen) => {
                    let (rules, mode) = (&self.rules, self.mode);
                    Publication { access, page, subjects, rules, mode, at, seen }.publish(until).await
                }
                None => Published::default(),
            };
            (PageId::clone(page), published)
        });
        join_all(publishing).await.into_iter().collect()
    }

    /// The client that the page is called with.
    pub(crate) fn http(&self) -> Result<&http::Client, SetupError> {
        Ok(&self.tools()?.http)
    }

    fn tools(&self) -> Result<&Tools, SetupError> {
        if let Some(tools) = self.tools.get() {
            return Ok(tools);
        }
        let verifier = http::verifier();
        let http = http::client(&http::tls_config_by(verifier.clone())?, Deadlines::default());
        let certificates = Certificates::by(verifier)?;
        Ok(self.tools.get_or_init(|| Tools { certificates, http }))
    }
}
