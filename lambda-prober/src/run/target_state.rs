//! One target during a run: what was seen of it, what its page says, and what becomes of that.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;
use shared::{
    id::PageId,
    look::Vantage,
    statuspage::{Component, ComponentStatus},
};

use super::last_heartbeat::LastHeartbeat;
use crate::{
    judge::{
        identity::Proven,
        observation::{Attempt, Exchange},
        start_times::StartTimes,
        verdict::{DownCause, Verdict},
    },
    kept::state::{Finding, PreparedRecords, StateRecord},
    plan::{HomesWord, OurIncident, Rules, Subject},
    publish::{
        apply::{Applied, Published},
        page::Pages,
    },
    report::PublishOutcome,
    target::Target,
};

/// A target, what was seen of it, and its component as read.
#[derive(Debug)]
pub struct TargetState<'run> {
    /// The target.
    pub target: &'run Target,
    /// What was seen.
    pub attempts: Vec<Attempt>,
    /// Its newest heartbeat, where it sends any.
    pub last_heartbeat: Option<LastHeartbeat>,
    /// What that means.
    pub verdict: Verdict,
    /// From where it was looked at; inside until more is known.
    pub from: Vantage,
    /// Its component, or why it could not be read.
    pub component: Result<&'run Component, String>,
    /// Our open incident that names the component.
    pub incident: Option<&'run OurIncident>,
}

impl<'run> TargetState<'run> {
    pub(crate) fn new(
        target: &'run Target,
        attempts: Vec<Attempt>,
        verdict: Verdict,
        pages: &'run Result<Pages, String>,
    ) -> Self {
        let component = match pages {
            Ok(pages) => pages.component(&target.page, &target.component).map_err(str::to_owned),
            Err(error) => Err(error.clone()),
        };
        let incident = pages.as_ref().ok().and_then(|pages| pages.incident(&target.page, &target.component));
        Self { target, attempts, last_heartbeat: None, verdict, from: Vantage::Inside, component, incident }
    }

    /// What the record is updated with. An outage that begins now gets the new key.
    pub fn finding<'a>(&'a self, at: Timestamp, new_key: &'a str, rules: &'a Rules) -> Finding<'a> {
        let proving = self.attempts.iter().find(|attempt| attempt.exchanges.iter().any(|it| it.proven().is_some()));
        Finding {
            at,
            verdict: self.verdict,
            page: self.component.as_ref().ok().copied(),
            incident: self.incident,
            addresses: proving.map_or(&[], |attempt| &attempt.addresses),
            proven: self.proven(),
            start_times: self.start_times(at),
            began: self.silent_since(),
            new_key,
            statuses: &rules.statuses,
            resolve_after: rules.resolve_after,
        }
    }

    /// What the plan is made from, with the record as this run leaves it.
    pub fn subject(&self, record: StateRecord, at: Timestamp) -> Subject {
        Subject {
            component: self.target.component.clone(),
            verdict: self.verdict,
            down_since: record.down_since,
            up_since: self.verdict.answers().then_some(record.up_since.unwrap_or(at)),
            started_before: record.start_times(),
            outage_key: record.outage_key,
            started_now: self.start_times(at),
            homes_word: self.homes_word(),
        }
    }

    /// What became of the component, which should have the status `wanted`; `published` is `None` where nothing could
    /// be written.
    pub(crate) fn outcome(&self, wanted: Option<ComponentStatus>, published: Option<&Published>) -> PublishOutcome {
        let unknown = matches!(self.verdict, Verdict::Unknown(_));
        match &self.component {
            // Where nothing is known nothing is to be published, so the page is not needed.
            Err(_) if unknown => PublishOutcome::Unknown,
            Err(error) => PublishOutcome::Failed(error.clone()),
            Ok(component) => match published.map(|published| published.components.get(&component.id)) {
                None => PublishOutcome::Failed("there is no token to publish with".into()),
                // An incident's call repeats a status that the component had already.
                Some(Some(Applied::Written | Applied::WouldWrite | Applied::AlreadyDone))
                    if component.status == wanted =>
                {
                    PublishOutcome::Agrees
                }
                Some(Some(applied)) => PublishOutcome::from(applied),
                Some(None) if component.status == Some(ComponentStatus::UnderMaintenance) => {
                    PublishOutcome::Maintenance
                }
                Some(None) if unknown => PublishOutcome::Unknown,
                Some(None) => PublishOutcome::Agrees,
            },
        }
    }

    /// The exchange that showed that the home answers; of several, the one that took the least time.
    pub(crate) fn enough(&self) -> Option<&Exchange> {
        let enough =
            self.attempts.iter().flat_map(|attempt| &attempt.exchanges).filter(|exchange| exchange.is_enough());
        enough.min_by_key(|exchange| exchange.phases.until_answer())
    }

    /// The address at which the home answered or, where it did not, all that were tried.
    pub(crate) fn looked_at(&self) -> Vec<IpAddr> {
        let tried = self.attempts.iter().flat_map(|attempt| &attempt.exchanges);
        match self.enough() {
            Some(enough) => vec![enough.address.ip()],
            None => tried.map(|exchange| exchange.address.ip()).collect(),
        }
    }

    /// When host and beacon started, by the proof of a run that began at `at`.
    pub(crate) fn start_times(&self, at: Timestamp) -> Option<StartTimes> {
        let times = |attempt: &Attempt| {
            let (exchange, proven) = attempt.exchanges.iter().find_map(|it| Some((it, it.proven()?)))?;
            StartTimes::of(
                proven.running,
                at.checked_add(attempt.started + attempt.resolution.took() + exchange.phases.until_answer()).ok()?,
            )
        };
        self.attempts.iter().find_map(times).or_else(|| {
            let last_heartbeat = self.last_heartbeat.as_ref()?;
            StartTimes::of(last_heartbeat.item.heartbeat.running, last_heartbeat.received()?)
        })
    }

    /// What the home says of its last outage.
    fn homes_word(&self) -> Option<HomesWord> {
        let last_heartbeat = self.last_heartbeat.as_ref()?;
        HomesWord::of(last_heartbeat.item.heartbeat.last?, last_heartbeat.received()?)
    }

    /// When a home that has fallen silent was last heard.
    fn silent_since(&self) -> Option<Timestamp> {
        let silent = self.verdict == Verdict::Down(DownCause::Silent);
        self.last_heartbeat.as_ref().filter(|_| silent)?.received()
    }

    fn proven(&self) -> Option<Proven> {
        self.attempts.iter().flat_map(|attempt| &attempt.exchanges).find_map(Exchange::proven)
    }
}

impl From<&Applied> for PublishOutcome {
    fn from(applied: &Applied) -> Self {
        match applied {
            Applied::Written => Self::Changed,
            Applied::AlreadyDone => Self::AlreadyChanged,
            Applied::WouldWrite => Self::WouldChange,
            Applied::Maintained => Self::Maintenance,
            Applied::LeftToNextRun => Self::LeftToNextRun,
            Applied::Failed(error) => Self::Failed(error.clone()),
        }
    }
}

/// The subjects of each page's plan.
pub(crate) fn subjects<'run>(
    states: &[TargetState<'run>],
    prepared: &PreparedRecords,
    at: Timestamp,
) -> BTreeMap<&'run PageId, Vec<Subject>> {
    let mut subjects: BTreeMap<_, Vec<Subject>> = BTreeMap::new();
    for state in states {
        let record = prepared.record(&state.target.component);
        subjects.entry(&state.target.page).or_default().push(state.subject(record, at));
    }
    subjects
}
