//! A page as it was read, and the targets that it shows.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use shared::{
    id::ComponentId,
    statuspage::{Component, ComponentStatus},
};

use super::{
    homes_word::HomesWord,
    our_incident::{OurIncident, oldest_open},
};
use crate::judge::{start_times::StartTimes, verdict::Verdict};

/// A human who resolves an incident often sets the component, too; a run then takes a time for the outage's beginning
/// that is up to two runs and their attempts later.
const RESOLVED_TOLERANCE: Duration = Duration::from_mins(3);

/// One target, as far as its page is concerned.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The component that shows it.
    pub component: ComponentId,
    /// What the run concluded.
    pub verdict: Verdict,
    /// When the outage began that is not over; always set for a home that is down.
    pub down_since: Option<Timestamp>,
    /// Since when it has been up; always set for a home that answers.
    pub up_since: Option<Timestamp>,
    /// What the outage's incident is found by.
    pub outage_key: Option<String>,
    /// When host and beacon started, as the last run before the outage saw.
    pub started_before: Option<StartTimes>,
    /// When they started by the proof of this run.
    pub started_now: Option<StartTimes>,
    /// What the home says of its last outage.
    pub homes_word: Option<HomesWord>,
}

/// A page as it was read.
#[derive(Clone, Debug)]
pub struct View {
    /// The targets' components.
    pub components: HashMap<ComponentId, Component>,
    /// Those that a prober opened, open or not.
    pub incidents: Vec<OurIncident>,
    /// Whether the incidents could be read.
    pub incidents_known: bool,
    /// Components that a maintenance in progress names.
    pub maintained: HashSet<ComponentId>,
    /// The page's time zone, for texts.
    pub zone: TimeZone,
}

impl View {
    /// Whether a human's word holds: the component is under maintenance.
    pub(super) fn is_maintained(&self, subject: &Subject) -> bool {
        let status = self.components.get(&subject.component).and_then(|component| component.status);
        status == Some(ComponentStatus::UnderMaintenance) || self.maintained.contains(&subject.component)
    }

    pub(super) fn name(&self, component: &ComponentId) -> &str {
        self.components
            .get(component)
            .map(|component| component.name.as_str())
            .filter(|name| !name.is_empty())
            .unwrap_or("Home")
    }

    pub(super) fn status(&self, component: &ComponentId) -> Option<ComponentStatus> {
        self.components.get(component).and_then(|component| component.status)
    }

    /// Our incident about a subject's outage: the oldest open one, else one that a human resolved. Where the key was
    /// lost with the record, one that was open since the outage began is about it, too.
    pub(super) fn incident(&self, subject: &Subject) -> Option<&OurIncident> {
        let with_key = |incident: &&OurIncident| Some(&incident.note.key) == subject.outage_key.as_ref();
        let about = |incident: &&OurIncident| with_key(incident) || incident.names(&subject.component);
        let open = oldest_open(self.incidents.iter().filter(about));
        let resolved = || self.incidents.iter().filter(|incident| !incident.is_open() && !incident.is_ended());
        let since = |incident: &&OurIncident| {
            let until = incident.updated_at + RESOLVED_TOLERANCE;
            incident.names(&subject.component) && subject.down_since.is_some_and(|down| until >= down)
        };
        open.or_else(|| resolved().find(with_key)).or_else(|| resolved().find(since))
    }

    /// Since when a subject's outage lasts. A record that missed the end of an outage, because the run that resolved it
    /// was cut off, is about the outage before; then this one began no earlier than that end.
    pub(super) fn down_since(&self, subject: &Subject) -> Option<Timestamp> {
        let before = self
            .incidents
            .iter()
            .filter(|incident| incident.is_ended() && Some(&incident.note.key) == subject.outage_key.as_ref());
        let ended = before.map(|incident| incident.updated_at).max();
        subject.down_since.max(ended)
    }
}
