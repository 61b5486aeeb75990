//! One run: observe all targets while the pages are read, judge, plan, apply; within its pace, whatever happens.

use std::sync::{Arc, OnceLock};

use futures_util::{StreamExt, future::join_all, stream};
use jiff::Timestamp;
use rustls::ClientConfig;
use shared::{
    http::{self, Deadlines, SetupError},
    secret::SecretSource,
    statuspage::{Client, Component},
};
use tokio::time::Instant;
use url::Url;

use crate::{
    apply::{Applied, apply},
    judge::judge,
    observation::Attempt,
    observe::observe,
    pace::Pace,
    page::{self, Pages},
    plan::{Reason, Step, plan},
    report::{Outcome, Report, TargetReport},
    target::{Target, Targets},
    verdict::Verdict,
};

/// How many changes are published at once.
const CHANGES_AT_ONCE: usize = 4;

/// Whether changes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Publish,
    DryRun,
}

/// Everything that outlives a run: where to publish and with which token. No connection is kept.
#[derive(Debug)]
pub struct Prober {
    statuspage: Url,
    token: SecretSource,
    mode: Mode,
    tools: OnceLock<Tools>,
}

/// Made at the first run: reading the machine's certificates is kept out of a function's start.
#[derive(Debug)]
struct Tools {
    tls: Arc<ClientConfig>,
    http: reqwest::Client,
}

impl Prober {
    pub fn new(statuspage: Url, token: SecretSource, mode: Mode) -> Self {
        Self { statuspage, token, mode, tools: OnceLock::new() }
    }

    /// # Errors
    /// Only when this machine cannot make a TLS client at all. Everything else is in the report.
    pub async fn run(&self, targets: &Targets, pace: &Pace) -> Result<Report, SetupError> {
        let (at, began) = (Timestamp::now(), Instant::now());
        let tools = self.tools()?;
        let client = self.client(tools);

        let observing = join_all(targets.iter().map(|target| observe(&target.url, &tools.tls, pace, began)));
        let reading = async {
            match &client {
                Ok(client) => Ok(page::read(client, targets, began + pace.observing).await),
                Err(error) => Err(error.clone()),
            }
        };
        let (seen, pages) = tokio::join!(observing, reading);

        let until = began + pace.budget;
        let settling = targets.iter().zip(seen).map(|(target, attempts)| {
            let component = component(&pages, target);
            self.settle(client.as_ref().ok(), target, attempts, component, until)
        });
        let reports: Vec<TargetReport> = stream::iter(settling).buffered(CHANGES_AT_ONCE).collect().await;
        let published = !reports.iter().any(|report| matches!(report.outcome, Outcome::Failed(_)));
        Ok(Report { at, duration: began.elapsed(), published, targets: reports })
    }

    /// Judges one target, plans its change and applies it.
    async fn settle(
        &self,
        client: Option<&Client>,
        target: &Target,
        attempts: Vec<Attempt>,
        component: Result<Component, String>,
        until: Instant,
    ) -> TargetReport {
        let verdict = judge(&attempts);
        let before = component.as_ref().ok().and_then(|component| component.status);
        let outcome = match (component, client) {
            (Ok(component), Some(client)) => self.publish(client, target, verdict, &component, until).await,
            // Where nothing is known nothing is to be published, so the page is not missed.
            (Err(_), _) if verdict.status().is_none() => Outcome::Unknown,
            (Err(error), _) => Outcome::Failed(error),
            (Ok(_), None) => Outcome::Failed("there is no token to publish with".into()),
        };
        TargetReport { target: target.clone(), attempts, verdict, before, outcome }
    }

    async fn publish(
        &self,
        client: &Client,
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
        match apply(client, &target.page, &change, until).await {
            Ok(Applied::Written) => Outcome::Changed,
            Ok(Applied::AlreadyDone) => Outcome::AlreadyChanged,
            Ok(Applied::Left) => Outcome::LeftToNextRun,
            Err(error) => Outcome::Failed(page::told(&error)),
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

    /// A client with the token as it is now, which may come from a file that has changed.
    fn client(&self, tools: &Tools) -> Result<Client, String> {
        let token = self.token.current().map_err(|error| error.to_string())?;
        Ok(Client::new(tools.http.clone(), &self.statuspage, token))
    }
}

fn component(pages: &Result<Pages, String>, target: &Target) -> Result<Component, String> {
    match pages {
        Ok(pages) => pages.component(&target.component).cloned().map_err(str::to_owned),
        Err(error) => Err(error.clone()),
    }
}
