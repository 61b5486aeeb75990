//! What a run saw of one target, what that means, and what becomes of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::{
    id::PageId,
    statuspage::{Component, ComponentStatus},
};

use crate::{
    apply::{Applied, Published},
    identity::{Began, Proven},
    observation::{Attempt, Exchange},
    page::Pages,
    plan::{OurIncident, Rules, Subject},
    report::Outcome,
    state::{Finding, Prepared, Record},
    target::{Home, Target},
    verdict::Verdict,
};

/// What was seen of a home, and what that means.
#[derive(Clone, Debug)]
pub struct Looked {
    pub home: Home,
    pub attempts: Vec<Attempt>,
    pub verdict: Verdict,
}

/// A target, and its component as the page had it.
#[derive(Debug)]
pub struct Seen<'run> {
    pub target: &'run Target,
    pub attempts: Vec<Attempt>,
    pub verdict: Verdict,
    pub component: Result<&'run Component, String>,
    pub incident: Option<&'run OurIncident>,
}

impl<'run> Seen<'run> {
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
        Self { target, attempts, verdict, component, incident }
    }

    /// For the record. An outage that begins now gets the new key.
    pub fn finding<'a>(&'a self, at: Timestamp, new_key: &'a str, rules: &'a Rules) -> Finding<'a> {
        let proving = self.attempts.iter().find(|attempt| attempt.exchanges.iter().any(|it| it.proven().is_some()));
        Finding {
            at,
            verdict: self.verdict,
            page: self.component.as_ref().ok().copied(),
            incident: self.incident,
            addresses: proving.map_or(&[], |attempt| &attempt.addresses),
            proven: self.proven(),
            began: self.began(at),
            new_key,
            statuses: &rules.statuses,
            resolve_after: rules.resolve_after,
        }
    }

    /// For the plan, with the record as this run leaves it.
    pub fn subject(&self, record: Record, at: Timestamp) -> Subject {
        Subject {
            component: self.target.component.clone(),
            verdict: self.verdict,
            down_since: record.down_since,
            up_since: self.verdict.answers().then_some(record.up_since.unwrap_or(at)),
            before: record.began(),
            outage_key: record.outage_key,
            began: self.began(at),
        }
    }

    /// What became of the component, which should say `wanted`; `None` of a page that could not be written to at all.
    pub(crate) fn outcome(&self, wanted: Option<ComponentStatus>, published: Option<&Published>) -> Outcome {
        let unknown = matches!(self.verdict, Verdict::Unknown(_));
        match &self.component {
            // Where nothing is known nothing is to be published, so the page is not missed.
            Err(_) if unknown => Outcome::Unknown,
            Err(error) => Outcome::Failed(error.clone()),
            Ok(component) => match published.map(|published| published.components.get(&component.id)) {
                None => Outcome::Failed("there is no token to publish with".into()),
                // An incident's call tells a status again that the component had already.
                Some(Some(Applied::Written | Applied::Would | Applied::AlreadyDone)) if component.status == wanted => {
                    Outcome::Agrees
                }
                Some(Some(applied)) => Outcome::from(applied),
                Some(None) if component.status == Some(ComponentStatus::UnderMaintenance) => Outcome::Maintenance,
                Some(None) if unknown => Outcome::Unknown,
                Some(None) => Outcome::Agrees,
            },
        }
    }

    /// When host and beacon began, by the proof of a run that began at `at`.
    fn began(&self, at: Timestamp) -> Option<Began> {
        let told = |attempt: &Attempt| {
            let (exchange, proven) = attempt.exchanges.iter().find_map(|it| Some((it, it.proven()?)))?;
            Began::of(
                proven.running,
                at.checked_add(attempt.started + attempt.resolution.took() + exchange.phases.until_answer()).ok()?,
            )
        };
        self.attempts.iter().find_map(told)
    }

    fn proven(&self) -> Option<Proven> {
        self.attempts.iter().flat_map(|attempt| &attempt.exchanges).find_map(Exchange::proven)
    }
}

impl From<&Applied> for Outcome {
    fn from(applied: &Applied) -> Self {
        match applied {
            Applied::Written => Self::Changed,
            Applied::AlreadyDone => Self::AlreadyChanged,
            Applied::Would => Self::WouldChange,
            Applied::Maintained => Self::Maintenance,
            Applied::Left => Self::LeftToNextRun,
            Applied::Failed(error) => Self::Failed(error.clone()),
        }
    }
}

/// What each page is to be told.
pub(crate) fn subjects<'run>(
    seen: &[Seen<'run>],
    prepared: &Prepared,
    at: Timestamp,
) -> BTreeMap<&'run PageId, Vec<Subject>> {
    let mut subjects: BTreeMap<_, Vec<Subject>> = BTreeMap::new();
    for seen in seen {
        let record = prepared.record(&seen.target.component);
        subjects.entry(&seen.target.page).or_default().push(seen.subject(record, at));
    }
    subjects
}
