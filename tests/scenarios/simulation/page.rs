//! A simulated statuspage with one component: obeys calls, and notes what the page said, since when, and who said it. Humans
//! act on it, too.

mod fate;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use lambda_prober::plan::OurIncident;
use serde_json::{Value, json};
use shared::{
    api::{ApiError, Permanent},
    id::{ComponentId, IncidentId},
    statuspage::{Component, ComponentStatus, Incident, IncidentChange, IncidentStatus},
};

use super::{
    rng::{MINUTE, Ms},
    weather::{Act, Weather},
};

/// What statuspage.io documents for a token.
pub(crate) const A_MINUTE: usize = 60;

const COMPONENT: &str = "8kbf7d35c070";

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// A listing, or the component alone.
    Component,
    Unresolved,
    Recent,
    Page,
    Maintenance,
    Set(ComponentStatus),
    Open(Box<IncidentChange>),
    Change(IncidentId, Box<IncidentChange>),
    Delete(IncidentId),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct PageAnswer {
    pub(crate) component: Option<Component>,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) maintained: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Human,
    /// A run that began then.
    Run(Ms),
}

/// The page says so from then on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub(crate) at: Ms,
    pub(crate) status: ComponentStatus,
    pub(crate) who: Who,
}

/// An incident that a prober opened.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) id: IncidentId,
    pub(crate) at: Ms,
    pub(crate) key: String,
    /// Of the outage, as its note has it.
    pub(crate) down_since: Ms,
    pub(crate) resolved: Option<(Ms, Who)>,
    pub(crate) ending: String,
    pub(crate) deleted: bool,
}

#[derive(Debug)]
pub(crate) struct Page<'w> {
    weather: &'w Weather,
    component: Component,
    incidents: VecDeque<Incident>,
    acted: usize,
    touched_by_hand: Ms,
    /// When runs last read the incidents.
    listed: BTreeMap<Ms, Ms>,
    lately: VecDeque<Ms>,
    pub(crate) calls: usize,
    pub(crate) most_a_minute: usize,
    pub(crate) history: Vec<Said>,
    pub(crate) opened: Vec<Opened>,
    /// When a run overwrote what a human had set, which it knew, or could have known.
    pub(crate) overwritten: Vec<Ms>,
    /// When a run opened again what a human had resolved.
    pub(crate) reopened: Vec<Ms>,
    /// How often a run's write and a human's crossed.
    pub(crate) crossed: usize,
}

pub(crate) fn component_id() -> ComponentId {
    COMPONENT.parse().expect("an id")
}

/// The simulated year's beginning is that of 2026.
pub(crate) fn timestamp(time: Ms) -> Timestamp {
    Timestamp::from_millisecond(1_767_225_600_000 + time).expect("a time within the year")
}

pub(crate) fn ms_of(timestamp: Timestamp) -> Ms {
    timestamp.as_millisecond() - 1_767_225_600_000
}

impl<'w> Page<'w> {
    pub(crate) fn new(weather: &'w Weather) -> Self {
        let status = ComponentStatus::Operational;
        let updated_at = timestamp(-MINUTE).to_string();
        Self {
            weather,
            component: Component { id: component_id(), name: "Home".into(), status: Some(status), updated_at },
            incidents: VecDeque::new(),
            acted: 0,
            touched_by_hand: Ms::MIN,
            listed: BTreeMap::new(),
            lately: VecDeque::new(),
            calls: 0,
            most_a_minute: 0,
            history: vec![Said { at: 0, status, who: Who::Human }],
            opened: Vec::new(),
            overwritten: Vec::new(),
            reopened: Vec::new(),
            crossed: 0,
        }
    }

    pub(crate) fn has_open_incident(&self) -> bool {
        self.incidents.iter().any(|incident| incident.status.is_open())
    }

    /// Obeys a call of a run that began at `run` and decided on what the page said at `decided`.
    pub(crate) fn obey(&mut self, now: Ms, ask: &Ask, run: Ms, decided: Ms) -> Result<PageAnswer, ApiError> {
        self.act_until(now);
        let mut answer = PageAnswer::default();
        match ask {
            Ask::Component => answer.component = Some(self.component.clone()),
            Ask::Unresolved => {
                self.listed.insert(run, now);
                answer.incidents = self.incidents.iter().filter(|it| it.status.is_open()).cloned().collect();
            }
            Ask::Recent => answer.incidents = self.incidents.iter().rev().take(20).cloned().collect(),
            Ask::Page => (),
            Ask::Maintenance => answer.maintained = self.weather.planned.at(now).is_some(),
            Ask::Set(status) => self.set(now, *status, Who::Run(run), decided),
            Ask::Open(change) => self.open(now, change, run, decided),
            Ask::Change(id, change) => self.change(now, id, change, run, decided)?,
            Ask::Delete(id) => {
                self.incidents.retain(|incident| incident.id != *id);
                self.opened.iter_mut().filter(|opened| opened.id == *id).for_each(|opened| opened.deleted = true);
            }
        }
        Ok(answer)
    }

    /// Lets humans do what they do until then.
    pub(crate) fn act_until(&mut self, now: Ms) {
        while let Some((at, act)) = self.weather.acts.get(self.acted).copied().filter(|(at, _)| *at <= now) {
            self.acted += 1;
            let incident = self.incidents.iter_mut().rev().find(|incident| incident.status.is_open());
            match (act, incident) {
                (Act::Maintain, _) => self.set(at, ComponentStatus::UnderMaintenance, Who::Human, at),
                (Act::EndMaintenance | Act::SetOperational, _) => {
                    self.set(at, ComponentStatus::Operational, Who::Human, at);
                }
                (Act::ResolveIncident, Some(incident)) => {
                    (incident.status, incident.updated_at) = (IncidentStatus::Resolved, timestamp(at));
                    incident.updates += 1;
                    let id = incident.id.clone();
                    self.note_resolved(&id, at, Who::Human, "");
                }
                (Act::Comment, Some(incident)) => {
                    incident.updates += 1;
                    incident.updated_at = timestamp(at);
                }
                (Act::ResolveIncident | Act::Comment, None) => (),
            }
        }
    }

    fn set(&mut self, now: Ms, status: ComponentStatus, who: Who, decided: Ms) {
        if self.component.status == Some(status) {
            return;
        }
        let unknown = self.touched_by_hand > decided;
        // A maintenance that begins between the last read and the write cannot be known.
        let planned = self.weather.planned.at(now).is_some() && self.weather.planned.at(decided).is_some();
        let maintained = self.component.status == Some(ComponentStatus::UnderMaintenance) || planned;
        match who {
            Who::Human => self.touched_by_hand = now,
            Who::Run(_) if unknown || maintained => self.overwritten.push(now),
            Who::Run(_) => (),
        }
        (self.component.status, self.component.updated_at) = (Some(status), timestamp(now).to_string());
        self.history.push(Said { at: now, status, who });
    }

    fn open(&mut self, now: Ms, change: &IncidentChange, run: Ms, decided: Ms) {
        let id: IncidentId = format!("p{:011}", self.opened.len()).parse().expect("an id");
        let incident = Incident {
            id: id.clone(),
            status: change.status,
            created_at: timestamp(now),
            updated_at: timestamp(now),
            metadata: change.metadata.clone(),
            components: serde_json::from_value(affected(change)).expect("components"),
            updates: 1,
        };
        let read = OurIncident::read(&incident).expect("ours");
        let (key, down_since) = (read.note.key, ms_of(read.note.down_since));
        let (resolved, ending, deleted) = (None, String::new(), false);
        self.opened.push(Opened { id, at: now, key, down_since, resolved, ending, deleted });
        self.incidents.push_back(incident);
        // No run reads further back.
        while self.incidents.len() > 30 && !self.incidents[0].status.is_open() {
            self.incidents.pop_front();
        }
        self.set_all(now, change, run, decided);
    }

    fn change(
        &mut self,
        now: Ms,
        id: &IncidentId,
        change: &IncidentChange,
        run: Ms,
        decided: Ms,
    ) -> Result<(), ApiError> {
        let Some(incident) = self.incidents.iter_mut().find(|incident| incident.id == *id) else {
            let (call, message) = ("PATCH incident".into(), "there is none".into());
            return Err(Permanent { call, status: 404, message }.into());
        };
        let was_open = incident.status.is_open();
        (incident.status, incident.updated_at) = (change.status, timestamp(now));
        incident.metadata.clone_from(&change.metadata);
        incident.components = serde_json::from_value(affected(change)).expect("components");
        incident.updates += 1;
        match (was_open, incident.status.is_open()) {
            // What was resolved after the run's last read could not be known.
            (false, true) => {
                let resolved = self.opened.iter().find(|opened| opened.id == *id).and_then(|opened| opened.resolved);
                let known = resolved.is_none_or(|(at, _)| self.listed.get(&run).is_some_and(|listed| at < *listed));
                if known {
                    self.reopened.push(now);
                } else {
                    self.crossed += 1;
                }
            }
            (true, false) => self.note_resolved(id, now, Who::Run(run), &change.body),
            _ => (),
        }
        self.set_all(now, change, run, decided);
        Ok(())
    }

    fn set_all(&mut self, now: Ms, change: &IncidentChange, run: Ms, decided: Ms) {
        for status in change.components.values() {
            self.set(now, *status, Who::Run(run), decided);
        }
    }

    fn note_resolved(&mut self, id: &IncidentId, at: Ms, who: Who, ending: &str) {
        for opened in self.opened.iter_mut().filter(|opened| opened.id == *id) {
            (opened.resolved, opened.ending) = (Some((at, who)), ending.to_owned());
        }
    }
}

/// As the API would return them.
fn affected(change: &IncidentChange) -> Value {
    Value::Array(change.component_ids.iter().map(|id| json!({"id": id})).collect())
}
