//! An outage's incident, from its opening to its end.

use jiff::Timestamp;
use shared::statuspage::{IncidentChange, IncidentStatus};

use super::{
    call::Call,
    changes::{MAX_SINGLE_CHANGES, Plan, most_specific},
    our_incident::{Note, OurIncident},
    outage_kind::OutageKind,
    texts,
    view::Subject,
};
use crate::judge::verdict::{DownCause, Verdict};

/// Hours between reminders of an incident that goes on: none.
const NO_REMINDERS: &str = "[]";

/// Whether the page's subscribers are notified of an update.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notify {
    Yes,
    No,
}

impl Plan<'_> {
    /// Opens an incident about these. One that is opened at once, because there are many, is announced once it has
    /// lasted.
    pub(super) fn open(&self, subjects: &[&Subject]) -> Option<Call> {
        let oldest = subjects.iter().min_by_key(|subject| self.view.down_since(subject))?;
        let (key, down_since) = (oldest.outage_key.clone()?, self.view.down_since(oldest)?);
        let cause = most_specific(subjects)?;
        let (said, announced) = (status_for(cause), self.has_lasted(oldest));
        let note = Note { key: key.clone(), down_since, cause: Some(cause), said, announced };
        let change = IncidentChange {
            name: Some(texts::name(&self.names(subjects))),
            status: said,
            body: self.beginning(down_since, cause),
            component_ids: subjects.iter().map(|subject| subject.component.clone()).collect(),
            // All of them, whether they say so already or not: the incident shows its impact by them.
            components: self.statuses(subjects),
            metadata: note.beside(&serde_json::Map::new()),
            deliver_notifications: announced && self.rules.notify,
            reminder_intervals: NO_REMINDERS,
        };
        Some(Call::Open { key, change })
    }

    /// The next update of an open incident; `None` where there is nothing new. `unsure` is whether nothing is known of
    /// some of its homes.
    pub(super) fn update(&self, incident: &OurIncident, members: &[&Subject], unsure: bool) -> Option<IncidentChange> {
        let down: Vec<&Subject> = members.iter().filter(|it| matches!(it.verdict, Verdict::Down(_))).copied().collect();
        match most_specific(&down) {
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
        let change = |status, body, notify| Some(self.change(incident, members, status, Some(cause), body, notify));
        let others = || {
            let needed = self.all_due(members).len() > MAX_SINGLE_CHANGES
                || down.iter().any(|it| !incident.names(&it.component));
            let body = format!("{} not reachable.", texts::these(&self.names(down)));
            needed.then(|| change(incident.status, body, Notify::No)).flatten()
        };
        // A status that a human has set stays until the home is up.
        if incident.status != incident.note.said {
            return others();
        }
        if !incident.note.announced && down.iter().any(|subject| self.has_lasted(subject)) {
            return change(status_for(cause), self.beginning(incident.note.down_since, cause), Notify::Yes);
        }
        if incident.status == IncidentStatus::Monitoring {
            let since = texts::time(self.at, self.at, &self.view.zone);
            let body = format!("Not reachable again since {since}. {}", texts::why(cause));
            return change(IncidentStatus::Investigating, body, Notify::No);
        }
        // Only a more specific cause makes an update: causes may alternate from run to run.
        if cause.is_known() && incident.note.cause.is_none_or(|noted| cause < noted) {
            return change(IncidentStatus::Identified, texts::why(cause).into(), Notify::No);
        }
        others()
    }

    fn up_again(&self, incident: &OurIncident, members: &[&Subject]) -> Option<IncidentChange> {
        let up_since = members.iter().filter_map(|subject| subject.up_since).max()?;
        if self.at.duration_since(up_since).unsigned_abs() >= self.rules.resolve_after {
            // Subscribers who were not notified of the beginning are not notified of the end.
            let notify = if incident.note.announced { Notify::Yes } else { Notify::No };
            let body = self.ending(incident, members, up_since);
            return Some(self.change(incident, members, IncidentStatus::Resolved, None, body, notify));
        }
        if incident.status == IncidentStatus::Monitoring && self.all_due(members).len() <= MAX_SINGLE_CHANGES {
            return None;
        }
        let since = texts::time(up_since, self.at, &self.view.zone);
        let body = format!("Reachable again since {since}. We watch whether it stays so.");
        Some(self.change(incident, members, IncidentStatus::Monitoring, None, body, Notify::No))
    }

    fn change(
        &self,
        incident: &OurIncident,
        members: &[&Subject],
        status: IncidentStatus,
        cause: Option<DownCause>,
        body: String,
        notify: Notify,
    ) -> IncidentChange {
        let mut component_ids = incident.components.clone();
        component_ids.extend(members.iter().map(|it| &it.component).filter(|id| !incident.names(id)).cloned());
        // A status that a human set stays noted as theirs, although the outage goes on.
        let said = if status == incident.status { incident.note.said } else { status };
        let note = Note {
            cause: cause.into_iter().chain(incident.note.cause).min(),
            said,
            announced: incident.note.announced || notify == Notify::Yes,
            ..incident.note.clone()
        };
        IncidentChange {
            name: None,
            status,
            body,
            component_ids,
            components: self.all_due(members),
            metadata: note.beside(&incident.metadata),
            deliver_notifications: notify == Notify::Yes && self.rules.notify,
            reminder_intervals: NO_REMINDERS,
        }
    }

    fn beginning(&self, down_since: Timestamp, cause: DownCause) -> String {
        let since = texts::time(down_since, self.at, &self.view.zone);
        format!("Not reachable since {since}. {}", texts::why(cause))
    }

    fn ending(&self, incident: &OurIncident, members: &[&Subject], up_since: Timestamp) -> String {
        let down_since = incident.note.down_since;
        let length = texts::length(up_since.duration_since(down_since).unsigned_abs());
        let since = texts::time(up_since, self.at, &self.view.zone);
        let kind =
            |subject: &&Subject| OutageKind::of(subject.started_before?, subject.started_now?, self.at, down_since);
        let mut kinds = members.iter().map(kind);
        let kind = kinds.next().flatten().filter(|first| kinds.all(|kind| kind == Some(*first)));
        // A home that tells what it was knows more of it than when its host started.
        let mut homes_word =
            members.iter().map(|member| member.homes_word?.sentence(down_since, self.at, &self.view.zone));
        let homes_word = homes_word.next().flatten().filter(|_| homes_word.next().is_none());
        let kind = homes_word.or_else(|| kind.map(|kind| kind.sentence().to_owned()));
        let kind = kind.map_or_else(String::new, |kind| format!(" {kind}"));
        format!("Reachable since {since}, after {length}.{kind}")
    }

    /// Of two open incidents about one outage the older stays. A younger one that has further updates is resolved
    /// instead of deleted, so that no update is lost.
    pub(super) fn merge_duplicates(&self) -> Vec<Call> {
        let open = || self.view.incidents.iter().filter(|incident| incident.is_open());
        // Two runs that began at the same time may have opened it with keys of their own.
        let same = |one: &OurIncident, other: &OurIncident| {
            let within = || one.components.iter().all(|component| other.names(component));
            one.note.key == other.note.key || (!one.components.is_empty() && within())
        };
        let is_duplicate = |one: &&OurIncident| open().any(|other| other.age() < one.age() && same(one, other));
        let merge = |duplicate: &OurIncident| {
            let incident = duplicate.id.clone();
            if duplicate.updates <= 1 {
                return Call::Delete { incident };
            }
            let body = "Another incident is about the same outage; please read on there.".into();
            let change = self.change(duplicate, &[], IncidentStatus::Resolved, None, body, Notify::No);
            Call::Change { incident, change }
        };
        open().filter(is_duplicate).map(merge).collect()
    }
}

/// The status of an incident about a home that is down.
const fn status_for(cause: DownCause) -> IncidentStatus {
    if cause.is_known() { IncidentStatus::Identified } else { IncidentStatus::Investigating }
}
