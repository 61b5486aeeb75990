//! The plan itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::{
    id::ComponentId,
    statuspage::{ComponentStatus, IncidentChange, IncidentStatus},
};

use super::{Call, Kind, OurIncident, Rules, Subject, View, ours::note, phase_of, words};
use crate::verdict::{DownCause, Verdict};

/// Up to so many components are changed by a call each. More than that is something that an incident should tell at
/// once, and a call for each would not fit into what statuspage.io allows.
const FEW: usize = 8;

/// Hours between reminders of an incident that goes on: none.
const NO_REMINDERS: &str = "[]";

/// The calls that the page needs, the most telling first.
pub fn plan(subjects: &[Subject], view: &View, rules: &Rules, at: Timestamp) -> Vec<Call> {
    let plan = Plan { view, rules, at };
    let concerned: Vec<&Subject> = subjects
        .iter()
        .filter(|subject| rules.statuses.of(subject.verdict).is_some() && !view.leaves(subject))
        .filter(|subject| view.components.contains_key(&subject.component))
        .collect();
    let unsure = |incident: &OurIncident| {
        let unknown = |subject: &Subject| matches!(subject.verdict, Verdict::Unknown(_)) || view.leaves(subject);
        subjects.iter().any(|subject| unknown(subject) && view.incident(subject).is_some_and(|it| it.id == incident.id))
    };

    let mut calls = Vec::new();
    let mut told_by_none = Vec::new();
    let mut told: BTreeMap<_, Vec<&Subject>> = BTreeMap::new();
    for subject in concerned {
        match view.incident(subject).filter(|incident| incident.is_open()) {
            Some(incident) => told.entry(incident.age()).or_default().push(subject),
            None => told_by_none.push(subject),
        }
    }
    let mut alone = Vec::new();
    for members in told.into_values() {
        let Some(incident) = members.first().and_then(|member| view.incident(member)) else { continue };
        match plan.go_on(incident, &members, unsure(incident)) {
            Some(change) => calls.push(Call::Change { incident: incident.id.clone(), change }),
            None => alone.extend(members),
        }
    }
    let (opening, rest) = plan.opening(told_by_none);
    calls.extend(plan.open(&opening));
    alone.extend(rest);
    calls.extend(alone.iter().filter_map(|subject| {
        let to = plan.due(subject)?;
        Some(Call::Set { component: subject.component.clone(), to })
    }));
    calls.extend(plan.doubles());
    calls
}

struct Plan<'a> {
    view: &'a View,
    rules: &'a Rules,
    at: Timestamp,
}

impl Plan<'_> {
    /// What the component is to be set to; `None` where it says so already.
    fn due(&self, subject: &Subject) -> Option<ComponentStatus> {
        let to = self.rules.statuses.of(subject.verdict)?;
        (self.view.says(&subject.component) != Some(to)).then_some(to)
    }

    fn all_due<'s>(
        &self,
        subjects: impl IntoIterator<Item = &'s &'s Subject>,
    ) -> BTreeMap<ComponentId, ComponentStatus> {
        subjects.into_iter().filter_map(|subject| Some((subject.component.clone(), self.due(subject)?))).collect()
    }

    /// Those about whom an incident is to be opened, and the others.
    fn opening<'s>(&self, subjects: Vec<&'s Subject>) -> (Vec<&'s Subject>, Vec<&'s Subject>) {
        let Some(after) = self.rules.incident_after else { return (Vec::new(), subjects) };
        let new =
            |subject: &&Subject| matches!(subject.verdict, Verdict::Down(_)) && self.view.incident(subject).is_none();
        let many = subjects.iter().filter(|subject| new(subject) && self.due(subject).is_some()).count() > FEW;
        let lasted = |subject: &&Subject| {
            self.view.down_since(subject).is_some_and(|down| self.at.duration_since(down).unsigned_abs() >= after)
        };
        subjects.into_iter().partition(|subject| new(subject) && (many || lasted(subject)))
    }

    fn open(&self, subjects: &[&Subject]) -> Option<Call> {
        let oldest = subjects.iter().min_by_key(|subject| self.view.down_since(subject))?;
        let (key, down_since) = (oldest.outage_key.clone()?, self.view.down_since(oldest)?);
        let (cause, names) = (worst(subjects)?, self.names(subjects));
        let since = words::time(down_since, self.at, &self.view.zone);
        let change = IncidentChange {
            name: Some(words::name(&names)),
            status: phase_of(Verdict::Down(cause)),
            body: format!("Not reachable since {since}. {}", words::why(cause)),
            component_ids: subjects.iter().map(|subject| subject.component.clone()).collect(),
            // All of them, whether they say so already or not: so the incident tells how bad it is.
            components: self.statuses(subjects),
            metadata: note(&key, down_since, Some(cause), false),
            deliver_notifications: self.rules.notify,
            reminder_intervals: NO_REMINDERS,
        };
        Some(Call::Open { key, change })
    }

    /// What is to be told of an outage that has an incident; `None` where nothing is.
    fn go_on(&self, incident: &OurIncident, members: &[&Subject], unsure: bool) -> Option<IncidentChange> {
        let down: Vec<&Subject> = members.iter().filter(|it| matches!(it.verdict, Verdict::Down(_))).copied().collect();
        let many = self.all_due(members).len() > FEW;
        let change = |status, cause: Option<DownCause>, body: String, notify| {
            let mut component_ids = incident.components.clone();
            let new = members.iter().map(|it| &it.component).filter(|id| !incident.names(id));
            component_ids.extend(new.cloned());
            Some(IncidentChange {
                name: None,
                status,
                body,
                component_ids,
                components: self.all_due(members),
                metadata: note(
                    &incident.key,
                    incident.down_since,
                    cause.into_iter().chain(incident.cause).min(),
                    status == IncidentStatus::Resolved,
                ),
                deliver_notifications: notify && self.rules.notify,
                reminder_intervals: NO_REMINDERS,
            })
        };
        if let Some(cause) = worst(&down) {
            let why = words::why(cause);
            if incident.status == IncidentStatus::Monitoring {
                let since = words::time(self.at, self.at, &self.view.zone);
                let body = format!("Not reachable again since {since}. {why}");
                return change(IncidentStatus::Investigating, Some(cause), body, false);
            }
            // Only what says more than before is worth a word: causes may alternate from run to run.
            if cause.is_known() && incident.cause.is_none_or(|told| cause < told) {
                return change(IncidentStatus::Identified, Some(cause), why.into(), false);
            }
            if many || down.iter().any(|subject| !incident.names(&subject.component)) {
                let body = format!("{} not reachable.", words::these(&self.names(&down)));
                return change(incident.status, Some(cause), body, false);
            }
            return None;
        }
        let up_since = members.iter().filter_map(|subject| subject.up_since).max()?;
        if unsure {
            return None;
        }
        if self.at.duration_since(up_since).unsigned_abs() >= self.rules.resolve_after {
            return change(IncidentStatus::Resolved, None, self.ending(incident, members, up_since), true);
        }
        if incident.status != IncidentStatus::Monitoring || many {
            let since = words::time(up_since, self.at, &self.view.zone);
            let body = format!("Reachable again since {since}. We watch whether it stays so.");
            return change(IncidentStatus::Monitoring, None, body, false);
        }
        None
    }

    fn ending(&self, incident: &OurIncident, members: &[&Subject], up_since: Timestamp) -> String {
        let length = words::length(up_since.duration_since(incident.down_since).unsigned_abs());
        let since = words::time(up_since, self.at, &self.view.zone);
        let mut kinds = members.iter().map(|subject| Some(Kind::of(subject.running?, self.at, incident.down_since)));
        let kind = kinds.next().flatten().filter(|first| kinds.all(|kind| kind == Some(*first)));
        let kind = kind.map_or_else(String::new, |kind| format!(" {}", kind.sentence()));
        format!("Reachable since {since}, after {length}.{kind}")
    }

    /// Of two open incidents about one outage the older stays. A younger one to which anything was added is resolved, so that
    /// nobody's words are lost.
    fn doubles(&self) -> Vec<Call> {
        let open = || self.view.incidents.iter().filter(|incident| incident.is_open());
        let is_double = |one: &&OurIncident| open().any(|other| other.key == one.key && other.age() < one.age());
        let merge = |double: &OurIncident| {
            let incident = double.id.clone();
            if double.updates <= 1 {
                return Call::Delete { incident };
            }
            let change = IncidentChange {
                name: None,
                status: IncidentStatus::Resolved,
                body: "Another incident tells the same outage; please read on there.".into(),
                component_ids: double.components.clone(),
                components: BTreeMap::new(),
                metadata: note(&double.key, double.down_since, double.cause, true),
                deliver_notifications: false,
                reminder_intervals: NO_REMINDERS,
            };
            Call::Change { incident, change }
        };
        open().filter(is_double).map(merge).collect()
    }

    fn statuses(&self, subjects: &[&Subject]) -> BTreeMap<ComponentId, ComponentStatus> {
        let status = |subject: &&Subject| Some((subject.component.clone(), self.rules.statuses.of(subject.verdict)?));
        subjects.iter().filter_map(status).collect()
    }

    fn names(&self, subjects: &[&Subject]) -> Vec<&str> {
        subjects.iter().map(|subject| self.view.name(&subject.component)).collect()
    }
}

/// The most telling cause.
fn worst(subjects: &[&Subject]) -> Option<DownCause> {
    let causes = subjects.iter().filter_map(|subject| match subject.verdict {
        Verdict::Down(cause) => Some(cause),
        _ => None,
    });
    causes.min()
}
