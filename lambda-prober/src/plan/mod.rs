//! From verdicts and a page as read to the calls that make the page say what it should; none when it does. Pure.
//!
//! The same function is asked again after each reading, so that what somebody else did meanwhile, or an earlier try whose
//! answer was lost, leaves less to do.

mod changes;
mod kind;
mod ours;
mod telling;
mod words;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use shared::{
    id::{ComponentId, IncidentId},
    statuspage::{Component, ComponentStatus, IncidentChange},
};

pub use self::{
    changes::plan,
    kind::Kind,
    ours::{Note, OurIncident, oldest_open},
    words::zone,
};
use crate::{identity::Began, statuses::Statuses, verdict::Verdict};

/// A human who resolves an incident often sets the component, too; what a run then takes for the outage's beginning is up to two
/// runs and their attempts later.
const ABOUT: Duration = Duration::from_mins(3);

/// What the user wants of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub statuses: Statuses,
    /// How long an outage lasts before an incident tells it; `None` is never.
    pub incident_after: Option<Duration>,
    /// How long a home must be up for its outage to be over.
    pub resolve_after: Duration,
    /// Whether the page's subscribers are told of incidents.
    pub notify: bool,
}

impl Default for Rules {
    /// The design's.
    fn default() -> Self {
        Self {
            statuses: Statuses::default(),
            incident_after: Some(Duration::from_mins(5)),
            resolve_after: Duration::from_mins(2),
            notify: true,
        }
    }
}

/// One target, as far as its page is concerned.
#[derive(Clone, Debug)]
pub struct Subject {
    pub component: ComponentId,
    pub verdict: Verdict,
    /// When the outage began that is not over; of a home that is down, always there.
    pub down_since: Option<Timestamp>,
    /// Since when it has been up; of a home that answers, always there.
    pub up_since: Option<Timestamp>,
    pub outage_key: Option<String>,
    /// When host and beacon began, as the last run before an outage saw.
    pub before: Option<Began>,
    /// When they began by the proof that the home has just given.
    pub began: Option<Began>,
}

/// A page as it was read.
#[derive(Clone, Debug)]
pub struct View {
    pub components: HashMap<ComponentId, Component>,
    /// Ours, open or not.
    pub incidents: Vec<OurIncident>,
    /// Whether they could be read.
    pub incidents_known: bool,
    /// Components that a maintenance under way names.
    pub maintained: HashSet<ComponentId>,
    pub zone: TimeZone,
}

/// A call that changes the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Set {
        component: ComponentId,
        to: ComponentStatus,
    },
    Open {
        key: String,
        change: IncidentChange,
    },
    Change {
        incident: IncidentId,
        change: IncidentChange,
    },
    /// Of two incidents about one outage, the younger.
    Delete {
        incident: IncidentId,
    },
}

impl Call {
    /// What it sets components to.
    pub fn sets(&self) -> BTreeMap<ComponentId, ComponentStatus> {
        match self {
            Self::Set { component, to } => BTreeMap::from([(component.clone(), *to)]),
            Self::Open { change, .. } | Self::Change { change, .. } => change.components.clone(),
            Self::Delete { .. } => BTreeMap::new(),
        }
    }

    /// The components that it is about.
    pub fn about(&self) -> Vec<ComponentId> {
        match self {
            Self::Set { component, .. } => vec![component.clone()],
            Self::Open { change, .. } | Self::Change { change, .. } => change.component_ids.clone(),
            Self::Delete { .. } => Vec::new(),
        }
    }
}

impl View {
    /// Why nothing is done about a component, where that is so.
    fn leaves(&self, subject: &Subject) -> bool {
        let status = self.components.get(&subject.component).and_then(|component| component.status);
        status == Some(ComponentStatus::UnderMaintenance) || self.maintained.contains(&subject.component)
    }

    fn name(&self, component: &ComponentId) -> &str {
        self.components
            .get(component)
            .map(|component| component.name.as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or("Home")
    }

    fn says(&self, component: &ComponentId) -> Option<ComponentStatus> {
        self.components.get(component).and_then(|component| component.status)
    }

    /// Our incident about a subject's outage: the oldest open one, else one that a human resolved. Where the key was lost with
    /// the record, one that was open since the outage began is about it, too.
    pub fn incident(&self, subject: &Subject) -> Option<&OurIncident> {
        let with_key = |incident: &&OurIncident| Some(&incident.note.key) == subject.outage_key.as_ref();
        let about = |incident: &&OurIncident| with_key(incident) || incident.names(&subject.component);
        let open = oldest_open(self.incidents.iter().filter(about));
        let resolved = || self.incidents.iter().filter(|incident| !incident.is_open() && !incident.is_ended());
        let since = |incident: &&OurIncident| {
            let until = incident.updated_at + ABOUT;
            incident.names(&subject.component) && subject.down_since.is_some_and(|down| until >= down)
        };
        open.or_else(|| resolved().find(with_key)).or_else(|| resolved().find(since))
    }

    /// Since when a subject's outage lasts. A record that missed the end of an outage, because the run that told it was cut
    /// off, tells of the one before; then it is not before that end.
    fn down_since(&self, subject: &Subject) -> Option<Timestamp> {
        let before = self
            .incidents
            .iter()
            .filter(|incident| incident.is_ended() && Some(&incident.note.key) == subject.outage_key.as_ref());
        let ended = before.map(|incident| incident.updated_at).max();
        subject.down_since.max(ended)
    }
}

#[cfg(test)]
mod tests;
