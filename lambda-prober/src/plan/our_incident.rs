//! Incidents that a prober opened: those whose metadata name the outage that they are about.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::{
    id::{ComponentId, IncidentId},
    statuspage::{Incident, IncidentStatus},
};

use crate::judge::verdict::{DownCause, Verdict};

/// The key of our note in an incident's metadata.
const METADATA_KEY: &str = "porchlight";

/// An incident that a prober opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OurIncident {
    /// Its id.
    pub id: IncidentId,
    /// Its status now.
    pub status: IncidentStatus,
    /// What the prober noted in its metadata.
    pub note: Note,
    /// The components that it names.
    pub components: Vec<ComponentId>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last written to, by any client.
    pub updated_at: Timestamp,
    /// How many updates it has had.
    pub updates: usize,
    /// All of its metadata, other programs' notes included.
    pub metadata: Map<String, Value>,
}

/// What a prober notes in an incident's metadata for later runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The outage's key.
    pub key: String,
    /// When the outage began.
    pub down_since: Timestamp,
    /// The most specific cause that was published.
    pub cause: Option<DownCause>,
    /// The status that a prober gave it last. Any other is a human's.
    pub said: IncidentStatus,
    /// Whether subscribers were to be notified of it.
    pub announced: bool,
}

impl Note {
    /// The metadata with this note in place of the last one.
    pub(super) fn beside(&self, metadata: &Map<String, Value>) -> Map<String, Value> {
        let cause = self.cause.and_then(label_of);
        let noted = json!({"outage_key": self.key, "down_since": self.down_since.to_string(), "cause": cause,
            "said": self.said, "announced": self.announced});
        let mut all = metadata.clone();
        all.insert(METADATA_KEY.to_owned(), noted);
        all
    }
}

impl OurIncident {
    /// Reads an incident; `None` where no prober opened it.
    pub fn read(incident: &Incident) -> Option<Self> {
        let noted = incident.metadata.get(METADATA_KEY)?;
        let text = |name: &str| noted.get(name).and_then(Value::as_str);
        let cause = text("cause").and_then(|label| DownCause::ALL.into_iter().find(|it| label_of(*it) == Some(label)));
        let said = noted.get("said").and_then(|said| IncidentStatus::deserialize(said).ok());
        let note = Note {
            key: text("outage_key")?.to_owned(),
            down_since: text("down_since").and_then(|time| time.parse().ok()).unwrap_or(incident.created_at),
            cause,
            said: said.unwrap_or(incident.status),
            announced: noted.get("announced") != Some(&Value::Bool(false)),
        };
        Some(Self {
            id: incident.id.clone(),
            status: incident.status,
            note,
            components: incident.components.iter().map(|affected| affected.id.clone()).collect(),
            created_at: incident.created_at,
            updated_at: incident.updated_at,
            updates: incident.updates,
            metadata: incident.metadata.clone(),
        })
    }

    /// Whether a prober resolved it, whatever was added since (a postmortem). Any other that is not open, a human
    /// resolved.
    pub fn is_ended(&self) -> bool {
        !self.is_open() && self.note.said == IncidentStatus::Resolved
    }

    /// When a prober published that the home is up again, if that is still its last status.
    pub(crate) fn up_since(&self) -> Option<Timestamp> {
        let said = self.status == IncidentStatus::Monitoring && self.note.said == IncidentStatus::Monitoring;
        said.then_some(self.updated_at)
    }

    /// Whether it is not resolved.
    pub const fn is_open(&self) -> bool {
        self.status.is_open()
    }

    /// Whether it names the component.
    pub fn names(&self, component: &ComponentId) -> bool {
        self.components.contains(component)
    }

    /// Orders incidents by age; among equals by id, so that every prober orders them alike.
    pub fn age(&self) -> impl Ord + use<> {
        (self.created_at, self.id.clone())
    }
}

/// The oldest open incident.
pub(crate) fn oldest_open<'a>(of: impl IntoIterator<Item = &'a OurIncident>) -> Option<&'a OurIncident> {
    of.into_iter().filter(|incident| incident.is_open()).min_by_key(|incident| incident.age())
}

const fn label_of(cause: DownCause) -> Option<&'static str> {
    Verdict::Down(cause).cause()
}
