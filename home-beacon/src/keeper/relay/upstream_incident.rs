//! An incident as upstream sends it. What it is, and how it stands, must be readable; everything else is only shown, and an
//! odd detail costs itself alone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::{
    id::{ComponentId, IncidentId, PageId},
    statuspage::{Impact, IncidentStatus},
};

use crate::keeper::{
    db::Moment,
    status::{AffectedComponent, Incident, IncidentState, IncidentTimes, IncidentUpdate, Plan},
};

/// What a status of upstream's that comes after the end is called: an incident with an account of it is over.
const AFTERWARDS: &str = "postmortem";

/// An incident as upstream sends it.
#[derive(Clone, Debug)]
pub(super) struct UpstreamIncident {
    pub(super) id: IncidentId,
    /// As upstream says it, which may be a word that this version does not know.
    pub(super) status: String,
    /// The fields that cannot be read and were left out.
    pub(super) odd: BTreeSet<&'static str>,
    name: String,
    impact: Option<String>,
    metadata: Map<String, Value>,
    shortlink: Option<String>,
    times: IncidentTimes,
    /// `None` where nothing is said of them.
    pub(super) components: Option<Vec<String>>,
    updates: Option<Vec<UpstreamUpdate>>,
}

#[derive(Clone, Debug)]
struct UpstreamUpdate {
    id: String,
    status: String,
    body: String,
    created_at: Moment,
    updated_at: Moment,
    display_at: Moment,
    deliver_notifications: bool,
    affected_components: Vec<AffectedComponent>,
}

/// A document whose fields are read one by one.
struct Fields<'a> {
    of: &'a Map<String, Value>,
    odd: &'a mut BTreeSet<&'static str>,
}

impl Fields<'_> {
    /// A field; `None` where it is not there, null, or odd.
    fn get<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let value = self.of.get(name).filter(|value| !value.is_null())?;
        let read = T::deserialize(value).ok();
        if read.is_none() {
            self.odd.insert(name);
        }
        read
    }

    /// The objects of a list; `None` where there is no list.
    fn objects(&mut self, name: &'static str) -> Option<Vec<Map<String, Value>>> {
        let values: Vec<Value> = self.get(name)?;
        let mut objects = Vec::with_capacity(values.len());
        for value in values {
            match value {
                Value::Object(object) => objects.push(object),
                _ => {
                    self.odd.insert(name);
                }
            }
        }
        Some(objects)
    }

    fn moment(&mut self, name: &'static str) -> Option<Moment> {
        self.get::<Timestamp>(name).map(Moment::new)
    }
}

impl UpstreamIncident {
    /// Reads one; `now` stands for a time that it should have and has not.
    ///
    /// # Errors
    /// When it has no id or no status; says what it lacks.
    pub(super) fn read(document: &Value, now: Timestamp) -> Result<Self, &'static str> {
        let mut odd = BTreeSet::new();
        let mut fields = Fields { of: document.as_object().ok_or("it is no object")?, odd: &mut odd };
        let id: IncidentId = document["id"].as_str().and_then(|id| id.parse().ok()).ok_or("its id cannot be read")?;
        let status = document["status"].as_str().filter(|status| !status.is_empty());
        let status = status.ok_or("its status cannot be read")?.to_owned();
        let updated_at = fields.moment("updated_at");
        let created_at = fields.moment("created_at").or(updated_at).unwrap_or(Moment::new(now));
        let updated_at = updated_at.unwrap_or(created_at);
        let times = IncidentTimes {
            scheduled_for: fields.moment("scheduled_for"),
            scheduled_until: fields.moment("scheduled_until"),
            started_at: fields.moment("started_at").unwrap_or(created_at),
            monitoring_at: fields.moment("monitoring_at"),
            resolved_at: fields.moment("resolved_at"),
            created_at,
            updated_at,
        };
        // Some languages write an empty map as an empty list.
        let none = document["metadata"].as_array().is_some_and(Vec::is_empty);
        let metadata = if none { None } else { fields.get("metadata") };
        let components = fields.objects("components").map(|named| {
            let ids = named.iter().filter_map(|named| named.get("id")?.as_str().map(ToOwned::to_owned));
            ids.collect::<Vec<_>>()
        });
        let listed = fields.objects("incident_updates");
        let name = fields.get("name").unwrap_or_else(|| "An incident without a name".into());
        let impact = fields.get("impact");
        // Where it can be read upstream; only what a browser may be sent to.
        let shortlink =
            fields.get("shortlink").filter(|link: &String| link.starts_with("https://") || link.starts_with("http://"));
        let mut updates = listed.as_ref().map(|listed| Vec::with_capacity(listed.len()));
        for update in listed.iter().flatten() {
            match UpstreamUpdate::read(update, &status, created_at, &mut odd) {
                Some(update) => updates.iter_mut().for_each(|updates| updates.push(update.clone())),
                None => {
                    odd.insert("incident_updates");
                }
            }
        }
        Ok(Self {
            id,
            status,
            odd,
            name,
            impact,
            metadata: metadata.unwrap_or_default(),
            shortlink,
            times,
            components,
            updates,
        })
    }

    /// The status that it is treated as. A word that is not known stands for something that goes on, unless it is an account
    /// of the end.
    fn known_status(&self) -> IncidentStatus {
        let is_maintenance = self.times.scheduled_for.is_some();
        self.status.parse().unwrap_or(match (self.status == AFTERWARDS, is_maintenance) {
            (true, false) => IncidentStatus::Resolved,
            (true, true) => IncidentStatus::Completed,
            (false, false) => IncidentStatus::Investigating,
            (false, true) => IncidentStatus::InProgress,
        })
    }

    /// The status in upstream's word, where that is none of the API's.
    pub(super) fn other_word(&self) -> Option<&str> {
        (self.known_status().as_str() != self.status).then_some(&self.status)
    }

    /// Whether a copy says the same. An update may have been changed without the incident.
    pub(super) fn is_as(&self, copy: &Incident) -> bool {
        let same_updates = self.updates.as_ref().is_none_or(|updates| {
            let newest = |moments: &mut dyn Iterator<Item = Moment>| moments.max();
            copy.incident_updates.len() == updates.len()
                && newest(&mut copy.incident_updates.iter().map(|update| update.updated_at))
                    == newest(&mut updates.iter().map(|update| update.updated_at))
        });
        copy.state.as_str() == self.status
            && copy.shortlink == self.shortlink
            && copy.times.updated_at == self.times.updated_at
            && same_updates
    }

    pub(super) fn as_ours(&self, page: &PageId) -> Incident {
        let status = self.known_status();
        let usual = if status.is_maintenance() { Impact::Maintenance } else { Impact::None };
        Incident {
            id: self.id.clone(),
            page_id: page.clone(),
            name: self.name.clone(),
            state: IncidentState { status, word: self.other_word().map(ToOwned::to_owned) },
            impact: self.impact.as_deref().and_then(|impact| impact.parse().ok()).unwrap_or(usual),
            impact_override: None,
            metadata: Value::Object(self.metadata.clone()),
            reminder_intervals: None,
            backfilled: false,
            mirrored: true,
            times: self.times,
            // Upstream moves it.
            plan: Plan::default(),
            postmortem: None,
            shortlink: self.shortlink.clone(),
            components: Vec::new(),
            incident_updates: Vec::new(),
        }
    }

    /// Its updates; `None` where nothing is said of them.
    pub(super) fn updates(&self) -> Option<impl Iterator<Item = IncidentUpdate>> {
        Some(self.updates.as_ref()?.iter().map(|update| IncidentUpdate {
            id: update.id.clone(),
            incident_id: self.id.clone(),
            state: IncidentState::read(&update.status),
            body: update.body.clone(),
            deliver_notifications: update.deliver_notifications,
            affected_components: Some(update.affected_components.clone()),
            display_at: update.display_at,
            created_at: update.created_at,
            updated_at: update.updated_at,
        }))
    }
}

impl UpstreamUpdate {
    /// `None` where it has no id. What it does not say itself is the incident's.
    fn read(
        document: &Map<String, Value>,
        status: &str,
        begun: Moment,
        odd: &mut BTreeSet<&'static str>,
    ) -> Option<Self> {
        let mut fields = Fields { of: document, odd };
        let id = fields.get::<String>("id").filter(|id| !id.is_empty())?;
        let (created_at, updated_at) = (fields.moment("created_at"), fields.moment("updated_at"));
        let display_at = fields.moment("display_at");
        let created_at = created_at.or(display_at).or(updated_at).unwrap_or(begun);
        let affected = fields.objects("affected_components").unwrap_or_default();
        let mut affect = |named: &Map<String, Value>| {
            let mut fields = Fields { of: named, odd: fields.odd };
            AffectedComponent {
                code: fields.get::<String>("code").and_then(|code| ComponentId::try_from(code).ok()),
                name: fields.get("name").unwrap_or_default(),
                old_status: fields.get("old_status").and_then(|status: String| status.parse().ok()),
                new_status: fields.get("new_status").and_then(|status: String| status.parse().ok()),
            }
        };
        Some(Self {
            affected_components: affected.iter().map(&mut affect).collect(),
            id,
            status: fields.get("status").unwrap_or_else(|| status.to_owned()),
            body: fields.get("body").unwrap_or_default(),
            deliver_notifications: fields.get("deliver_notifications").unwrap_or_default(),
            display_at: display_at.unwrap_or(created_at),
            created_at,
            updated_at: updated_at.unwrap_or(created_at),
        })
    }
}

#[cfg(test)]
mod tests;
