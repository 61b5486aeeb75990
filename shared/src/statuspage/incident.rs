//! Incidents, as far as a prober reads and writes them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{ComponentStatus, IncidentStatus};
use crate::id::{ComponentId, IncidentId};

/// An incident as the API sends it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// Where it stands.
    pub status: IncidentStatus,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// What programs note at an incident: an object for each of them, by name.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Map<String, Value>,
    /// The components that it names.
    #[serde(default, deserialize_with = "or_default")]
    pub components: Vec<Affected>,
    /// How many updates it has had, the opening one among them.
    #[serde(default, rename = "incident_updates", deserialize_with = "length")]
    pub updates: usize,
}

/// A component that an incident names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Affected {
    pub id: ComponentId,
}

/// What to write of an incident; what is absent stays. `deliver_notifications` and `reminder_intervals` are always sent,
/// because statuspage.io's defaults notify all subscribers, again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncidentChange {
    /// Its name; absent where it is not changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it stands from now on.
    pub status: IncidentStatus,
    /// The text of the update.
    pub body: String,
    /// Which components it is about from now on.
    pub component_ids: Vec<ComponentId>,
    /// What to set them to in the same call.
    pub components: BTreeMap<ComponentId, ComponentStatus>,
    /// What programs note at it: an object for each of them, by name.
    pub metadata: Map<String, Value>,
    /// Whether subscribers are notified.
    pub deliver_notifications: bool,
    /// Hours between reminders, as a list in a text.
    pub reminder_intervals: &'static str,
}

/// A list of incidents, of which those that lack what matters are left out: an odd one must not stop a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incidents(pub Vec<Incident>);

impl<'de> Deserialize<'de> for Incidents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let listed = Vec::<Value>::deserialize(deserializer)?;
        let read = |value: Value| {
            Incident::deserialize(value).inspect_err(|error| tracing::debug!(%error, "an incident is left out")).ok()
        };
        Ok(Self(listed.into_iter().filter_map(read).collect()))
    }
}

/// A field that may also be `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    Ok(Option::<Vec<Value>>::deserialize(deserializer)?.map_or(0, |list| list.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_incident_is_read_for_what_matters() {
        let sent = json!([
            {"id": "p31zjtct2jer", "name": "Down", "status": "monitoring", "created_at": "2026-11-21T04:30:00.123Z",
             "updated_at": "2026-11-21T05:30:00+01:00", "metadata": {"porchlight": {"outage_key": "k"}},
             "components": [{"id": "8kbf7d35c070", "new": 1}], "incident_updates": [{}, {}], "impact": "major"},
            {"id": "p31zjtct2jes", "status": "in_progress", "created_at": "2026-11-21T04:30:00Z",
             "updated_at": "2026-11-21T04:30:00Z", "metadata": null, "components": null, "incident_updates": null},
            {"id": "half"}
        ]);
        let Incidents(read) = serde_json::from_value(sent).unwrap();
        let [ours, maintenance] = &read[..] else { panic!("two of them can be read: {read:?}") };
        assert!(ours.components[0].id.as_str() == "8kbf7d35c070" && ours.status.is_open() && ours.updates == 2);
        assert!(ours.updated_at < ours.created_at, "times of any zone");
        assert!(!maintenance.status.is_open() && maintenance.components.is_empty());
        assert_eq!(maintenance.status, IncidentStatus::InProgress);
    }
}
