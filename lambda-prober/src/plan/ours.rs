//! Our incidents among those of a page: those whose metadata say which outage they are about.

use jiff::Timestamp;
use serde::Deserialize;
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
    pub status: IncidentStatus,
    pub note: Note,
    pub components: Vec<ComponentId>,
    pub created_at: Timestamp,
    /// When anybody last wrote to it.
    pub updated_at: Timestamp,
    /// How many updates it has had.
    pub updates: usize,
    /// All that programs have noted at it.
    pub metadata: Map<String, Value>,
}

/// What a prober notes at an incident for the runs to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub key: String,
    pub down_since: Timestamp,
    /// The most telling cause that was told.
    pub cause: Option<DownCause>,
    /// The status that a prober gave it last. Any other is a human's.
    pub said: IncidentStatus,
    /// Whether subscribers were to be told of it.
    pub announced: bool,
}

impl Note {
    /// What is written, beside what others have noted.
    pub(super) fn beside(&self, metadata: &Map<String, Value>) -> Map<String, Value> {
        let cause = self.cause.and_then(label_of);
        let noted = json!({"outage_key": self.key, "down_since": self.down_since.to_string(), "cause": cause,
            "said": self.said, "announced": self.announced});
        let mut all = metadata.clone();
        all.insert(NOTED_AS.to_owned(), noted);
        all
    }
}

impl OurIncident {
    /// `None` for somebody else's.
    pub fn read(incident: &Incident) -> Option<Self> {
        let noted = incident.metadata.get(NOTED_AS)?;
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

    /// Whether a prober said that the outage is over, whatever was added since (a postmortem). What is over without that, a
    /// human ended.
    pub fn is_ended(&self) -> bool {
        !self.is_open() && self.note.said == IncidentStatus::Resolved
    }

    /// When a prober said that the home is up again, if that still stands.
    pub fn up_since(&self) -> Option<Timestamp> {
        let said = self.status == IncidentStatus::Monitoring && self.note.said == IncidentStatus::Monitoring;
        said.then_some(self.updated_at)
    }

    pub const fn is_open(&self) -> bool {
        self.status.is_open()
    }

    pub fn names(&self, component: &ComponentId) -> bool {
        self.components.contains(component)
    }

    /// The oldest of several counts; among equals any, but for every prober the same.
    pub fn age(&self) -> impl Ord + use<> {
        (self.created_at, self.id.clone())
    }
}

/// The oldest open one of some.
pub fn oldest_open<'a>(of: impl IntoIterator<Item = &'a OurIncident>) -> Option<&'a OurIncident> {
    of.into_iter().filter(|incident| incident.is_open()).min_by_key(|incident| incident.age())
}

const fn label_of(cause: DownCause) -> Option<&'static str> {
    Verdict::Down(cause).cause()
}
