//! Incidents: how an outage is told from its beginning to its end.

use jiff::Timestamp;
use shared::statuspage::{IncidentChange, IncidentStatus};

use super::{
    Call, Kind, Note, OurIncident, Subject,
    changes::{FEW, Plan, worst},
    words,
};
use crate::verdict::{DownCause, Verdict};

/// Hours between reminders of an incident that goes on: none.
const NO_REMINDERS: &str = "[]";

/// Whether the page's subscribers hear of an update.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loud {
    Yes,
    No,
}

impl Plan<'_> {
    /// Opens an incident about these. One that is opened at once, because there are many, is announced once it has lasted.
    pub(super) fn open(&self, subjects: &[&Subject]) -> Option<Call> {
        let oldest = subjects.iter().min_by_key(|subject| self.view.down_since(subject))?;
        let (key, down_since) = (oldest.outage_key.clone()?, self.view.down_since(oldest)?);
        let cause = worst(subjects)?;
        let (said, announced) = (phase_of(cause), self.has_lasted(oldest));
        let note = Note { key: key.clone(), down_since, cause: Some(cause), said, announced };
        let change = IncidentChange {
            name: Some(words::name(&self.names(subjects))),
            status: said,
            body: self.beginning(down_since, cause),
            component_ids: subjects.iter().map(|subject| subject.component.clone()).collect(),
            // All of them, whether they say so already or not: so the incident tells how bad it is.
            components: self.statuses(subjects),
            metadata: note.beside(&serde_json::Map::new()),
            deliver_notifications: announced && self.rules.notify,
            reminder_intervals: NO_REMINDERS,
        };
        Some(Call::Open { key, change })
    }

    /// What is to be told of an outage that has an incident; `None` where nothing is. `unsure` is whether there are homes
    /// among the incident's of which nothing is known.
    pub(super) fn go_on(&self, incident: &OurIncident, members: &[&Subject], unsure: bool) -> Option<IncidentChange> {
        let down: Vec<&Subject> = members.iter().filter(|it| matches!(it.verdict, Verdict::Down(_))).copied().collect();
        match worst(&down) {
            Some(cause) => self.still_down(incident, members, &down, cause),
            None if unsure => None,
            None => self.up_again(incident, members),
        }
    }

    fn still_down(
        &self,
        incident: &OurIncident,
        members: &[&Subject],
        down: &[&Subject],
        cause: DownCause,
    ) -> Option<IncidentChange> {
        let change = |status, body, loud| Some(self.change(incident, members, status, Some(cause), body, loud));
        let others = || {
            let needed = self.all_due(members).len() > FEW || down.iter().any(|it| !incident.names(&it.component));
            let body = format!("{} not reachable.", words::these(&self.names(down)));
            needed.then(|| change(incident.status, body, Loud::No)).flatten()
        };
        // What a human has set it to stays until the home is up.
        if incident.status != incident.note.said {
            return others();
        }
        if !incident.note.announced && down.iter().any(|subject| self.has_lasted(subject)) {
            return change(phase_of(cause), self.beginning(incident.note.down_since, cause), Loud::Yes);
        }
        if incident.status == IncidentStatus::Monitoring {
            let since = words::time(self.at, self.at, &self.view.zone);
            let body = format!("Not reachable again since {since}. {}", words::why(cause));
            return change(IncidentStatus::Investigating, body, Loud::No);
        }
        // Only what says more than before is worth a word: causes may alternate from run to run.
        if cause.is_known() && incident.note.cause.is_none_or(|told| cause < told) {
            return change(IncidentStatus::Identified, words::why(cause).into(), Loud::No);
        }
        others()
    }

    fn up_again(&self, incident: &OurIncident, members: &[&Subject]) -> Option<IncidentChange> {
        let up_since = members.iter().filter_map(|subject| subject.up_since).max()?;
        if self.at.duration_since(up_since).unsigned_abs() >= self.rules.resolve_after {
            // Who was not told of the beginning is not told of the end.
            let loud = if incident.note.announced { Loud::Yes } else { Loud::No };
            let body = self.ending(incident, members, up_since);
            return Some(self.change(incident, members, IncidentStatus::Resolved, None, body, loud));
        }
        if incident.status == IncidentStatus::Monitoring && self.all_due(members).len() <= FEW {
            return None;
        }
        let since = words::time(up_since, self.at, &self.view.zone);
        let body = format!("Reachable again since {since}. We watch whether it stays so.");
        Some(self.change(incident, members, IncidentStatus::Monitoring, None, body, Loud::No))
    }

    fn change(
        &self,
        incident: &OurIncident,
        members: &[&Subject],
        status: IncidentStatus,
        cause: Option<DownCause>,
        body: String,
        loud: Loud,
    ) -> IncidentChange {
        let mut component_ids = incident.components.clone();
        component_ids.extend(members.iter().map(|it| &it.component).filter(|id| !incident.names(id)).cloned());
        // A human's word stays a human's, although what it is about goes on.
        let said = if status == incident.status { incident.note.said } else { status };
        let note = Note {
            cause: cause.into_iter().chain(incident.note.cause).min(),
            said,
            announced: incident.note.announced || loud == Loud::Yes,
            ..incident.note.clone()
        };
        IncidentChange {
            name: None,
            status,
            body,
            component_ids,
            components: self.all_due(members),
            metadata: note.beside(&incident.metadata),
            deliver_notifications: loud == Loud::Yes && self.rules.notify,
            reminder_intervals: NO_REMINDERS,
        }
    }

    fn beginning(&self, down_since: Timestamp, cause: DownCause) -> String {
        let since = words::time(down_since, self.at, &self.view.zone);
        format!("Not reachable since {since}. {}", words::why(cause))
    }

    fn ending(&self, incident: &OurIncident, members: &[&Subject], up_since: Timestamp) -> String {
        let down_since = incident.note.down_since;
        let length = words::length(up_since.duration_since(down_since).unsigned_abs());
        let since = words::time(up_since, self.at, &self.view.zone);
        let kind = |subject: &&Subject| Kind::of(subject.before?, subject.began?, self.at, down_since);
        let mut kinds = members.iter().map(kind);
        let kind = kinds.next().flatten().filter(|first| kinds.all(|kind| kind == Some(*first)));
        let kind = kind.map_or_else(String::new, |kind| format!(" {}", kind.sentence()));
        format!("Reachable since {since}, after {length}.{kind}")
    }

    /// Of two open incidents about one outage the older stays. A younger one to which anything was added is resolved, so that
    /// nobody's words are lost.
    pub(super) fn doubles(&self) -> Vec<Call> {
        let open = || self.view.incidents.iter().filter(|incident| incident.is_open());
        // Two runs that began at the same time may have opened it with keys of their own.
        let same = |one: &OurIncident, other: &OurIncident| {
            let within = || one.components.iter().all(|component| other.names(component));
            one.note.key == other.note.key || (!one.components.is_empty() && within())
        };
        let is_double = |one: &&OurIncident| open().any(|other| other.age() < one.age() && same(one, other));
        let merge = |double: &OurIncident| {
            let incident = double.id.clone();
            if double.updates <= 1 {
                return Call::Delete { incident };
            }
            let body = "Another incident tells the same outage; please read on there.".into();
            let change = self.change(double, &[], IncidentStatus::Resolved, None, body, Loud::No);
            Call::Change { incident, change }
        };
        open().filter(is_double).map(merge).collect()
    }
}

/// Where an incident about a home that is down stands.
const fn phase_of(cause: DownCause) -> IncidentStatus {
    if cause.is_known() { IncidentStatus::Identified } else { IncidentStatus::Investigating }
}
