//! A run on all targets, within its timing.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use shared::{
    id::{ComponentId, PageId},
    look::Vantage,
};
use tokio::time::Instant;

use super::{
    last_heartbeat::LastHeartbeat,
    prober::{Clients, Prober, RunError},
    target_state::{TargetState, subjects},
};
use crate::{
    heartbeat::Hearing,
    judge::{
        judge,
        observation::Attempt,
        verdict::{UnknownCause, Verdict},
        with_dependencies,
    },
    kept::{
        secrets::RunSecrets,
        state::{PreparedRecords, RecordResult, StateSession},
    },
    mode::Mode,
    notices::Found,
    observe::{Checker, WitnessCheck},
    plan::Subject,
    publish::{
        access::Access,
        apply::{Publication, Published},
        page::{self, Pages},
    },
    report::{PublishOutcome, Report, TargetReport},
    target::{Target, Targets},
    timing::Timing,
};

/// How long reading the state may take between observing and publishing.
const STATE_TIMEOUT: Duration = Duration::from_secs(3);

impl Prober {
    /// Probes `targets`, or where there are none those that Parameter Store lists, and publishes their state.
    ///
    /// # Errors
    /// When there is nothing to probe, a witness is a target, or this machine cannot make a TLS client at all.
    /// Everything else is in the report.
    pub async fn run(&self, targets: Option<&Targets>, timing: &Timing) -> Result<Report, RunError> {
        let (at, began) = (Timestamp::now(), Instant::now());
        let (observed, until) = (began + timing.observing, began + timing.budget);
        let clients = self.clients()?;
        let listed;
        let targets = if let Some(targets) = targets {
            targets
        } else {
            listed = self.listed_targets(observed).await?;
            &listed
        };
        self.check_heartbeats(targets)?;
        targets.iter().try_for_each(|target| self.config.witnesses.check_against(&target.home.addresses))?;
        let secrets = RunSecrets::new(&self.secrets, targets.iter().map(|target| &target.home).collect(), until);
        let witness_check = WitnessCheck::new(&self.config.witnesses, timing);

        let observing = targets.iter().map(|target| async {
            if !target.home.ways.is_probed() {
                return Vec::new();
            }
            let record = self.state.as_ref().map(|state| (state, self.secrets.store(), &target.component));
            let session = StateSession { record };
            let signer = self.signer(&target.component, at, &clients.http);
            let checker = Checker { secrets: &secrets, home: &target.home, signer: Some(signer) };
            self.observer(checker, clients, &witness_check, session, began).observe().await
        });
        let reading = async {
            let access = Access::new(&clients.http, &self.statuspage, &secrets, timing).await;
            let pages = match &access {
                Ok(access) => Ok(page::read(access, targets, observed).await),
                Err(error) => Err(error.clone()),
            };
            (access, pages)
        };
        let hearing = Box::pin(self.read_heartbeats(targets, &secrets, clients, observed));
        let (attempts, (access, pages), mut hearing) = tokio::join!(join_all(observing), reading, hearing);
        let judging = self.judged(targets, attempts, &pages, &mut hearing, (at, clients, until));
        let mut states = Box::pin(judging).await;
        let sighting = Box::pin(self.heed_other_location(&mut states, at, observed)).await;
        self.find_vantages(&mut states, &clients.http, until).await;
        let seen = states
            .iter()
            .map(|state| (&state.target.component, (state.from == Vantage::Outside).then_some(state.verdict)));
        self.memory.note(seen, at.as_second());

        let prepared = self.prepare(&states, at, observed).await;
        let subjects = subjects(&states, &prepared, at);
        let notices = self.notices.as_ref().filter(|_| self.mode == Mode::Publish);
        let notices = notices.map(|notices| (notices, Found::new(&states, &prepared, at)));
        // Where nothing may be written, or can be, nothing is sent beside the plan either.
        let writable = access.as_ref().ok().zip(pages.as_ref().ok()).filter(|_| self.mode == Mode::Publish);
        let publishing = async {
            let published = self.publish_all(access.as_ref().ok(), &pages, &subjects, at, until).await;
            if let Some((access, pages)) = writable {
                self.add_response_times(access, pages, &states, at, until).await;
            }
            published
        };
        let reporting = async {
            match writable {
                Some((access, pages)) => self.put_looks(access, pages, &states, at, until).await,
                None => Vec::new(),
            }
        };
        let writing = async {
            match &self.state {
                Some(state) => state.commit(self.secrets.store(), prepared, self.mode, until).await,
                None => HashMap::new(),
            }
        };
        let sighting = Box::pin(self.share_sighting(sighting, until));
        let (published, records, muted, ()) = tokio::join!(publishing, writing, reporting, sighting);
        // After the page, which is what is shown to everybody.
        if let Some((notices, mut found)) = notices {
            found.note_maintenance(&published);
            notices.mutes.note(muted);
            found.note_muted(&notices.mutes.at(at));
            Box::pin(notices.send(self.secrets.store(), &found, until)).await;
        }

        let mut reports = Vec::with_capacity(states.len());
        for state in states {
            reports.push(self.report(state, &secrets, &pages, &published, &records).await);
        }
        let calls =
            published.into_iter().flat_map(|(page, it)| it.calls.into_iter().map(move |call| (page.clone(), call)));
        let calls = calls.collect();
        let failed = reports.iter().any(|report| matches!(report.outcome, PublishOutcome::Failed(_)));
        Ok(Report { at, duration: began.elapsed(), published: !failed, mode: self.mode, targets: reports, calls })
    }

    /// What attempts and heartbeats of each target mean, with regard to what it depends on.
    async fn judged<'run>(
        &self,
        targets: &'run Targets,
        attempts: Vec<Vec<Attempt>>,
        pages: &'run Result<Pages, String>,
        hearing: &mut Option<Hearing>,
        within: (Timestamp, &Clients, Instant),
    ) -> Vec<TargetState<'run>> {
        let mut verdicts: Vec<_> =
            attempts.iter().map(|attempts| judge(attempts, self.config.degraded_above)).collect();
        self.take_heartbeats_in(targets, &mut verdicts, hearing, pages, within).await;
        let verdicts = with_dependencies(&verdicts, targets.dependencies());
        let seen = targets.iter().zip(attempts).zip(verdicts);
        let state = |((target, attempts), verdict): ((&'run Target, _), _)| {
            let item = hearing.as_ref().and_then(|it| Some((it.items.as_ref().ok()?.get(&target.component)?, it.now)));
            let last_heartbeat = item.map(|(item, now)| LastHeartbeat { item: item.clone(), now });
            TargetState { last_heartbeat, ..TargetState::new(target, attempts, verdict, pages) }
        };
        seen.map(state).collect()
    }

    async fn report(
        &self,
        state: TargetState<'_>,
        secrets: &RunSecrets<'_>,
        pages: &Result<Pages, String>,
        published: &BTreeMap<PageId, Published>,
        records: &HashMap<ComponentId, RecordResult>,
    ) -> TargetReport {
        let (page, component) = (&state.target.page, &state.target.component);
        let status = self.rules.statuses.of(state.verdict);
        let outcome = match state.verdict {
            Verdict::Unknown(UnknownCause::Key) => PublishOutcome::Failed(secrets.key_error(&state.target.home).await),
            _ => state.outcome(status, published.get(page)),
        };
        let unread = pages.as_ref().ok().and_then(|pages| pages.incidents_error(page));
        let outcome = match (state.verdict, unread) {
            (Verdict::Down(_), Some(error)) => PublishOutcome::Failed(error.to_owned()),
            _ => outcome,
        };
        let warning = pages.as_ref().ok().and_then(|pages| pages.warning(page, component));
        if let Some(warning) = warning {
            tracing::warn!(home = state.target.home.name, warning = warning.text, "the page warns");
        }
        TargetReport {
            outcome: outcome.where_shown(warning),
            warning: warning.map(|warning| warning.text.clone()).or_else(|| state.last_heartbeat.as_ref()?.warning()),
            last_heartbeat: state.last_heartbeat.clone(),
            state: records.get(component).cloned(),
            before: state.component.ok().and_then(|component| component.status),
            target: state.target.clone(),
            attempts: state.attempts,
            verdict: state.verdict,
            status,
        }
    }

    /// The records as this run leaves them, before they are written.
    async fn prepare(&self, states: &[TargetState<'_>], at: Timestamp, observed: Instant) -> PreparedRecords {
        // Homes that go down in one run are one outage.
        let down = states.iter().filter(|state| matches!(state.verdict, Verdict::Down(_)));
        let first = down.map(|state| &state.target.component).min();
        let new_key = first.map_or_else(String::new, |component| format!("{component}-{}", at.as_second()));
        let findings: Vec<_> =
            states.iter().map(|state| (&state.target.component, state.finding(at, &new_key, &self.rules))).collect();
        let now = Instant::now();
        let until = (now + STATE_TIMEOUT).min(observed.max(now + STATE_TIMEOUT / 6));
        match &self.state {
            Some(state) => state.prepare(self.secrets.store(), &findings, until).await,
            None => PreparedRecords::without_state(&findings),
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
                Some(decided_on) => {
                    let (rules, mode) = (&self.rules, self.mode);
                    Publication { access, page, subjects, rules, mode, at, decided_on }.publish(until).await
                }
                None => Published::default(),
            };
            (PageId::clone(page), published)
        });
        join_all(publishing).await.into_iter().collect()
    }
}
