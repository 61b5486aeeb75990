//! What is read again right before a plan is applied, and which components are skipped then. Reading and writing are
//! `publish`'s.

use std::collections::BTreeSet;

use shared::id::{ComponentId, IncidentId};

use super::{call::Call, our_incident::OurIncident, view::View};

/// What must be read again before calls are made, besides maintenance in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// The open incidents, and the page's time zone for their texts.
    pub incidents: bool,
    /// The components whose status the calls set.
    pub components: BTreeSet<ComponentId>,
    opens: bool,
    changes: BTreeSet<IncidentId>,
}

/// Why a component is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Another client changed it since the run decided, to something else than what is planned.
    Changed,
    /// A maintenance in progress names it.
    Maintained,
}

impl Recheck {
    /// What these calls need.
    pub fn before(planned: &[Call]) -> Self {
        Self {
            incidents: planned.iter().any(|call| !matches!(call, Call::Set { .. })),
            components: planned.iter().flat_map(|call| call.sets().into_keys()).collect(),
            opens: planned.iter().any(|call| matches!(call, Call::Open { .. })),
            changes: planned.iter().filter_map(changed).cloned().collect(),
        }
    }

    /// Whether the latest incidents must be read, too, open or not: one that a human resolved, perhaps just now, must
    /// not be opened again.
    pub fn needs_recent(&self, open: &[OurIncident]) -> bool {
        self.opens || self.changes.iter().any(|changed| !open.iter().any(|incident| incident.id == *changed))
    }
}

fn changed(call: &Call) -> Option<&IncidentId> {
    match call {
        Call::Change { incident, .. } => Some(incident),
        Call::Set { .. } | Call::Open { .. } | Call::Delete { .. } => None,
    }
}

/// The components to skip, from the page as it was when the run decided, and as it is now.
pub fn skipped(planned: &[Call], then: &View, now: &View) -> Vec<(ComponentId, SkipReason)> {
    let skip = |(component, to)| {
        let (before, after) = (then.components.get(&component), now.components.get(&component));
        let changed = after.is_none_or(|after| {
            after.status != Some(to)
                && before.is_none_or(|before| (before.status, &before.updated_at) != (after.status, &after.updated_at))
        });
        let reason = if changed {
            SkipReason::Changed
        } else if now.maintained.contains(&component) {
            SkipReason::Maintained
        } else {
            return None;
        };
        Some((component, reason))
    };
    planned.iter().flat_map(Call::sets).filter_map(skip).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};

    use jiff::{Timestamp, tz::TimeZone};
    use serde_json::Map;
    use shared::statuspage::{Component, ComponentStatus, IncidentChange, IncidentStatus};

    use super::*;
    use crate::plan::Note;
    use ComponentStatus::{MajorOutage, Operational, UnderMaintenance};

    fn id() -> ComponentId {
        "8kbf7d35c070".parse().unwrap()
    }

    fn page(status: ComponentStatus, updated_at: &str) -> View {
        let component =
            Component { id: id(), name: "Home".into(), status: Some(status), updated_at: updated_at.into() };
        let (components, incidents, maintained) = (HashMap::from([(id(), component)]), Vec::new(), HashSet::new());
        View { components, incidents, incidents_known: true, maintained, zone: TimeZone::UTC }
    }

    #[test]
    fn what_changed_since_the_run_decided_is_skipped_unless_it_says_what_is_planned() {
        let (planned, then) = ([Call::Set { component: id(), to: MajorOutage }], page(Operational, "1"));
        let mut maintained = page(Operational, "1");
        maintained.maintained.insert(id());
        let mut gone = page(Operational, "1");
        gone.components.clear();
        for (now, reason) in [
            (page(Operational, "1"), None),
            (page(MajorOutage, "2"), None),
            (page(Operational, "2"), Some(SkipReason::Changed)),
            (page(UnderMaintenance, "2"), Some(SkipReason::Changed)),
            (maintained, Some(SkipReason::Maintained)),
            (gone, Some(SkipReason::Changed)),
        ] {
            let expected: Vec<_> = reason.into_iter().map(|reason| (id(), reason)).collect();
            assert_eq!(skipped(&planned, &then, &now), expected, "{now:?}");
        }
    }

    #[test]
    fn incidents_are_read_again_only_where_one_is_planned() {
        let set = Recheck::before(&[Call::Set { component: id(), to: MajorOutage }]);
        assert!(!set.incidents && !set.needs_recent(&[]) && set.components == BTreeSet::from([id()]));
        let delete = Recheck::before(&[Call::Delete { incident: "p31zjtct2jer".parse().unwrap() }]);
        assert!(delete.incidents && !delete.needs_recent(&[]) && delete.components.is_empty());
    }

    #[test]
    fn an_incident_that_is_not_open_any_more_is_searched_among_the_latest() {
        let note = Note {
            key: "k".into(),
            down_since: Timestamp::UNIX_EPOCH,
            cause: None,
            said: IncidentStatus::Monitoring,
            announced: true,
        };
        let open = OurIncident {
            id: "p31zjtct2jer".parse().unwrap(),
            status: IncidentStatus::Monitoring,
            note,
            components: vec![id()],
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            updates: 1,
            metadata: Map::new(),
        };
        let change = IncidentChange {
            name: None,
            status: IncidentStatus::Investigating,
            body: String::new(),
            component_ids: vec![id()],
            components: BTreeMap::new(),
            metadata: Map::new(),
            deliver_notifications: false,
            reminder_intervals: "[]",
        };
        let falls = Recheck::before(&[Call::Change { incident: open.id.clone(), change: change.clone() }]);
        assert!(falls.incidents && !falls.needs_recent(&[open]));
        assert!(
            falls.needs_recent(&[]),
            "a human resolved it meanwhile, and what would be opened instead is a second one"
        );
        assert!(Recheck::before(&[Call::Open { key: "k".into(), change }]).needs_recent(&[]));
    }
}
