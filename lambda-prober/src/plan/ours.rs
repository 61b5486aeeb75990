//! Our incidents among those of a page: those whose metadata say which outage they are about.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use shared::{
    id::{ComponentId, IncidentId},
    statuspage::{Incident, IncidentStatus},
};

use crate::verdict::{DownCause, Verdict};

/// The name under which we note things at an incident.
const NOTED_AS: &str = "porchlight";

/// An incident that a prober opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OurIncident {
    pub id: IncidentId,
    pub key: String,
    pub status: IncidentStatus,
    pub down_since: Timestamp,
    /// When it was last said that the home is up again; `None` while it is not said.
    pub up_since: Option<Timestamp>,
    /// The most telling cause that it has told.
    pub cause: Option<DownCause>,
    pub components: Vec<ComponentId>,
    pub created_at: Timestamp,
    /// When anybody last wrote to it.
    pub updated_at: Timestamp,
    /// How many updates it has had.
    pub updates: usize,
    /// Whether a prober has said that the outage is over. What is resolved without that, a human resolved.
    pub ended: bool,
}

impl OurIncident {
    /// `None` for somebody else's.
    pub fn read(incident: &Incident) -> Option<Self> {
        let noted = incident.metadata.get(NOTED_AS)?;
        let text = |name: &str| noted.get(name).and_then(Value::as_str);
        let cause = text("cause").and_then(|label| DownCause::ALL.into_iter().find(|it| label_of(*it) == Some(label)));
        let said_up = incident.status == IncidentStatus::Monitoring;
        Some(Self {
            id: incident.id.clone(),
            key: text("outage_key")?.to_owned(),
            status: incident.status,
            down_since: text("down_since").and_then(|time| time.parse().ok()).unwrap_or(incident.created_at),
            up_since: said_up.then_some(incident.updated_at),
            cause,
            components: incident.components.iter().map(|affected| affected.id.clone()).collect(),
            created_at: incident.created_at,
            updated_at: incident.updated_at,
            updates: incident.updates,
            ended: noted.get("ended") == Some(&Value::Bool(true)),
        })
    }

    pub const fn is_open(&self) -> bool {
        matches!(self.status, IncidentStatus::Investigating | IncidentStatus::Identified | IncidentStatus::Monitoring)
    }

    pub fn names(&self, component: &ComponentId) -> bool {
        self.components.contains(component)
    }

    /// The oldest of several counts; among equals any, but for every prober the same.
    pub fn age(&self) -> impl Ord + use<> {
        (self.created_at, self.id.clone())
    }
}

/// What is noted at an incident.
pub(super) fn note(key: &str, down_since: Timestamp, cause: Option<DownCause>, ended: bool) -> Map<String, Value> {
    let cause = cause.and_then(label_of);
    let noted = json!({"outage_key": key, "down_since": down_since.to_string(), "cause": cause, "ended": ended});
    Map::from_iter([(NOTED_AS.to_owned(), noted)])
}

const fn label_of(cause: DownCause) -> Option<&'static str> {
    Verdict::Down(cause).cause()
}
