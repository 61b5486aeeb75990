//! Which calls the page needs, for each component and each incident.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::{id::ComponentId, statuspage::ComponentStatus};

use super::{
    call::Call,
    our_incident::OurIncident,
    rules::Rules,
    view::{Subject, View},
};
use crate::judge::verdict::{DownCause, Verdict};

/// Up to this many components are changed by a call each. More are changed through an incident at once: a call for each
/// would not fit into statuspage.io's rate limit.
pub(super) const MAX_SINGLE_CHANGES: usize = 8;

/// The calls that the page needs, incidents first.
pub fn plan(subjects: &[Subject], view: &View, rules: &Rules, at: Timestamp) -> Vec<Call> {
    let plan = Plan { view, rules, at };
    let concerned: Vec<&Subject> = subjects
        .iter()
        .filter(|subject| rules.statuses.of(subject.verdict).is_some() && !view.is_maintained(subject))
        .filter(|subject| view.components.contains_key(&subject.component))
        .collect();
    let unsure = |incident: &OurIncident| {
        let unknown = |subject: &Subject| matches!(subject.verdict, Verdict::Unknown(_)) || view.is_maintained(subject);
        subjects.iter().any(|subject| unknown(subject) && view.incident(subject).is_some_and(|it| it.id == incident.id))
    };

    let mut calls = Vec::new();
    let mut without_incident = Vec::new();
    let mut with_incident: BTreeMap<_, Vec<&Subject>> = BTreeMap::new();
    for subject in concerned {
        match view.incident(subject).filter(|incident| incident.is_open()) {
            Some(incident) => with_incident.entry(incident.age()).or_default().push(subject),
            None => without_incident.push(subject),
        }
    }
    let mut single = Vec::new();
    for members in with_incident.into_values() {
        let Some(incident) = members.first().and_then(|member| view.incident(member)) else { continue };
        match plan.update(incident, &members, unsure(incident)) {
            Some(change) => calls.push(Call::Change { incident: incident.id.clone(), change }),
            None => single.extend(members),
        }
    }
    let (opening, rest) = plan.opening(without_incident);
    calls.extend(plan.open(&opening));
    single.extend(rest);
    calls.extend(single.iter().filter_map(|subject| {
        let to = plan.due(subject)?;
        Some(Call::Set { component: subject.component.clone(), to })
    }));
    calls.extend(plan.merge_duplicates());
    calls
}

/// What a plan is made from.
pub(super) struct Plan<'a> {
    pub(super) view: &'a View,
    pub(super) rules: &'a Rules,
    pub(super) at: Timestamp,
}

impl Plan<'_> {
    /// What the component is to be set to; `None` where it says so already.
    fn due(&self, subject: &Subject) -> Option<ComponentStatus> {
        let to = self.rules.statuses.of(subject.verdict)?;
        (self.view.status(&subject.component) != Some(to)).then_some(to)
    }

    pub(super) fn all_due<'s>(
        &self,
        subjects: impl IntoIterator<Item = &'s &'s Subject>,
    ) -> BTreeMap<ComponentId, ComponentStatus> {
        subjects.into_iter().filter_map(|subject| Some((subject.component.clone(), self.due(subject)?))).collect()
    }

    /// The subjects about which an incident is to be opened, and the others.
    fn opening<'s>(&self, subjects: Vec<&'s Subject>) -> (Vec<&'s Subject>, Vec<&'s Subject>) {
        if self.rules.incident_after.is_none() || !self.view.incidents_known {
            return (Vec::new(), subjects);
        }
        let new =
            |subject: &&Subject| matches!(subject.verdict, Verdict::Down(_)) && self.view.incident(subject).is_none();
        let down = subjects.iter().filter(|subject| new(subject) && self.due(subject).is_some()).count();
        let many = down > MAX_SINGLE_CHANGES;
        subjects.into_iter().partition(|subject| new(subject) && (many || self.has_lasted(subject)))
    }

    /// Whether an outage has lasted long enough for an incident.
    pub(super) fn has_lasted(&self, subject: &Subject) -> bool {
        let (Some(after), Some(down)) = (self.rules.incident_after, self.view.down_since(subject)) else {
            return false;
        };
        self.at.duration_since(down).unsigned_abs() >= after
    }

    pub(super) fn statuses(&self, subjects: &[&Subject]) -> BTreeMap<ComponentId, ComponentStatus> {
        let status = |subject: &&Subject| Some((subject.component.clone(), self.rules.statuses.of(subject.verdict)?));
        subjects.iter().filter_map(status).collect()
    }

    pub(super) fn names(&self, subjects: &[&Subject]) -> Vec<&str> {
        subjects.iter().map(|subject| self.view.name(&subject.component)).collect()
    }
}

/// The most specific cause of those that are down.
pub(super) fn most_specific(subjects: &[&Subject]) -> Option<DownCause> {
    let causes = subjects.iter().filter_map(|subject| match subject.verdict {
        Verdict::Down(cause) => Some(cause),
        _ => None,
    });
    causes.min()
}
