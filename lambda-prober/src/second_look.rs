//! What is looked at again immediately before a plan is carried out, and what that forbids. Pure: reading and writing are
//! [`apply`](crate::apply)'s.

use std::collections::BTreeSet;

use shared::id::{ComponentId, IncidentId};

use crate::plan::{Call, OurIncident, View};

/// What must be read again before these calls are made, besides maintenance under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondLook {
    /// The open incidents, and the page's time zone for their texts.
    pub incidents: bool,
    pub components: BTreeSet<ComponentId>,
    opens: bool,
    changes: BTreeSet<IncidentId>,
}

/// Why a component is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Somebody changed it since the run decided, to something else than what is planned.
    Moved,
    /// A maintenance that is under way names it.
    Maintained,
}

impl SecondLook {
    pub fn before(planned: &[Call]) -> Self {
        Self {
            incidents: planned.iter().any(|call| !matches!(call, Call::Set { .. })),
            components: planned.iter().flat_map(|call| call.sets().into_keys()).collect(),
            opens: planned.iter().any(|call| matches!(call, Call::Open { .. })),
            changes: planned.iter().filter_map(changed).cloned().collect(),
        }
    }

    /// Whether the last incidents must be read, too, open or not: one that a human resolved, perhaps just now, is not doubled.
    pub fn recent(&self, open: &[OurIncident]) -> bool {
        self.opens || self.changes.iter().any(|changed| !open.iter().any(|incident| incident.id == *changed))
    }
}

fn changed(call: &Call) -> Option<&IncidentId> {
    match call {
        Call::Change { incident, .. } => Some(incident),
        Call::Set { .. } | Call::Open { .. } | Call::Delete { .. } => None,
    }
}

/// The components that are left alone, with the page as it was when the run decided, and as it is now.
pub fn held(planned: &[Call], then: &View, now: &View) -> Vec<(ComponentId, Hold)> {
    let hold = |(component, to)| {
        let (before, after) = (then.components.get(&component), now.components.get(&component));
        let moved = after.is_none_or(|after| {
            after.status != Some(to)
                && before.is_none_or(|before| (before.status, &before.updated_at) != (after.status, &after.updated_at))
        });
        let hold = if moved {
            Hold::Moved
        } else if now.maintained.contains(&component) {
            Hold::Maintained
        } else {
            return None;
        };
        Some((component, hold))
    };
    planned.iter().flat_map(Call::sets).filter_map(hold).collect()
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
    fn what_moved_since_the_run_decided_is_left_unless_it_says_what_is_planned() {
        let (planned, then) = ([Call::Set { component: id(), to: MajorOutage }], page(Operational, "1"));
        let mut maintained = page(Operational, "1");
        maintained.maintained.insert(id());
        let mut gone = page(Operational, "1");
        gone.components.clear();
        for (now, hold) in [
            (page(Operational, "1"), None),
            (page(MajorOutage, "2"), None),
            (page(Operational, "2"), Some(Hold::Moved)),
            (page(UnderMaintenance, "2"), Some(Hold::Moved)),
            (maintained, Some(Hold::Maintained)),
            (gone, Some(Hold::Moved)),
        ] {
            let expected: Vec<_> = hold.into_iter().map(|hold| (id(), hold)).collect();
            assert_eq!(held(&planned, &then, &now), expected, "{now:?}");
        }
    }

    #[test]
    fn incidents_are_looked_at_again_only_where_one_is_planned() {
        let set = SecondLook::before(&[Call::Set { component: id(), to: MajorOutage }]);
        assert!(!set.incidents && !set.recent(&[]) && set.components == BTreeSet::from([id()]));
        let delete = SecondLook::before(&[Call::Delete { incident: "p31zjtct2jer".parse().unwrap() }]);
        assert!(delete.incidents && !delete.recent(&[]) && delete.components.is_empty());
    }

    #[test]
    fn an_incident_that_is_not_open_any_more_is_looked_for_among_the_last() {
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
        let falls = SecondLook::before(&[Call::Change { incident: open.id.clone(), change: change.clone() }]);
        assert!(falls.incidents && !falls.recent(&[open]));
        assert!(falls.recent(&[]), "a human resolved it meanwhile, and what would be opened instead is a second one");
        assert!(SecondLook::before(&[Call::Open { key: "k".into(), change }]).recent(&[]));
    }
}
