//! What upstream says of the page: copies of components' statuses and of incidents, with upstream's times. And the other way
//! round, the statuses that upstream is to be told.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use shared::{
    id::{ComponentId, IncidentId, PageId},
    statuspage::ComponentStatus,
};
use sqlx::{SqliteConnection, types::Json};

use super::{
    AffectedComponent, Incident, IncidentUpdate, Moment, Store, StoreError, components,
    incident_rows::{incident, save, save_update},
    records::IncidentTimes,
};

const STATUSES: [&str; 8] =
    ["investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "verifying", "completed"];
const IMPACTS: [&str; 5] = ["none", "maintenance", "minor", "major", "critical"];

/// A component's status that upstream is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusToTell {
    pub component: ComponentId,
    pub status: ComponentStatus,
    /// What upstream took last from here.
    pub delivered: Option<ComponentStatus>,
}

/// An incident as upstream tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct OutsideIncident {
    pub id: IncidentId,
    pub name: String,
    pub status: String,
    #[serde(default)]
    impact: Option<String>,
    created_at: Timestamp,
    pub updated_at: Timestamp,
    started_at: Option<Timestamp>,
    monitoring_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    scheduled_for: Option<Timestamp>,
    scheduled_until: Option<Timestamp>,
    #[serde(default)]
    shortlink: Value,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    components: Vec<Named>,
    #[serde(default, deserialize_with = "or_default")]
    incident_updates: Vec<OutsideUpdate>,
}

#[derive(Clone, Debug, Deserialize)]
struct Named {
    id: String,
}

#[derive(Clone, Debug, Deserialize)]
struct OutsideUpdate {
    id: String,
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    body: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    display_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    deliver_notifications: bool,
    #[serde(default, deserialize_with = "or_default")]
    affected_components: Vec<AffectedComponent>,
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Store {
    /// The components of a page that upstream may know, and that are not told to it.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn mirrored_components(&self, page: &PageId) -> Result<Vec<ComponentId>, StoreError> {
        let query = "SELECT id FROM components WHERE page_id = ? AND NOT relayed ORDER BY position, id";
        let ids: Vec<String> = sqlx::query_scalar(query).bind(page.as_str()).fetch_all(&self.read).await?;
        Ok(ids.into_iter().filter_map(|id| ComponentId::try_from(id).ok()).collect())
    }

    /// Copies what upstream says of a component, since when; writes only what has changed.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn mirror_component(
        &self,
        page: &PageId,
        id: &ComponentId,
        status: Option<ComponentStatus>,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let status = status.map_or("", ComponentStatus::as_str);
        let now = self.component(page, id).await?;
        if now.mirrored && now.status == status {
            return Ok(false);
        }
        let mut change = self.begin_write().await?;
        sqlx::query("UPDATE components SET mirrored = 1 WHERE id = ?").bind(id.as_str()).execute(&mut *change).await?;
        let mut component = components::component(&mut change, page, id).await?;
        let changed = component.status != status;
        if changed {
            let since = Moment::new(since);
            if !now.mirrored {
                // What was said here since then was nobody's word: the component had only been made.
                let query = "DELETE FROM component_statuses WHERE component_id = ? AND since >= ?";
                sqlx::query(query).bind(id.as_str()).bind(since.millis()).execute(&mut *change).await?;
            }
            component.updated_at = if now.mirrored { since.after(component.updated_at) } else { since };
            components::set_status(&mut change, &mut component, status.to_owned()).await?;
        }
        change.commit().await?;
        Ok(changed)
    }

    /// Copies an incident; writes only what has changed.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn mirror_incident(&self, page: &PageId, told: &OutsideIncident) -> Result<bool, StoreError> {
        let known = match self.incident(page, &told.id).await {
            Ok(known) if !known.mirrored => return Ok(false),
            Ok(known) => Some(known),
            Err(StoreError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        // Somebody may have changed an update without touching the incident.
        let stamp = |updates: &mut dyn Iterator<Item = Moment>| updates.max();
        let as_known = known.as_ref().is_some_and(|known| {
            known.status == told.status()
                && known.shortlink.as_deref() == told.shortlink()
                && known.times.updated_at == Moment::new(told.updated_at)
                && known.incident_updates.len() == told.incident_updates.len()
                && stamp(&mut known.incident_updates.iter().map(|update| update.updated_at))
                    == stamp(&mut told.incident_updates.iter().map(|update| Moment::new(update.updated_at)))
        });
        if as_known {
            return Ok(false);
        }
        let mut change = self.begin_write().await?;
        save(&mut change, &told.as_ours(page)).await?;
        sqlx::query("UPDATE incidents SET mirrored = 1 WHERE id = ?")
            .bind(told.id.as_str())
            .execute(&mut *change)
            .await?;
        let query = sqlx::query("DELETE FROM incident_components WHERE incident_id = ?").bind(told.id.as_str());
        query.execute(&mut *change).await?;
        for named in &told.components {
            // Upstream may name components that this page does not have.
            let query = "INSERT OR IGNORE INTO incident_components (incident_id, component_id)
                         SELECT ?, id FROM components WHERE id = ? AND page_id = ?";
            let tie = sqlx::query(query).bind(told.id.as_str()).bind(&named.id).bind(page.as_str());
            tie.execute(&mut *change).await?;
        }
        for update in &told.incident_updates {
            save_update(&mut change, &update.of(&told.id)).await?;
        }
        change.commit().await?;
        Ok(true)
    }

    /// The copies of incidents that were not over when they were made.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn mirrored_open(&self, page: &PageId) -> Result<Vec<IncidentId>, StoreError> {
        let query =
            "SELECT id FROM incidents WHERE page_id = ? AND mirrored AND status NOT IN ('resolved', 'completed')";
        let ids: Vec<String> = sqlx::query_scalar(query).bind(page.as_str()).fetch_all(&self.read).await?;
        Ok(ids.into_iter().filter_map(|id| IncidentId::try_from(id).ok()).collect())
    }

    /// Upstream has it no more.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn unmirror_incident(&self, page: &PageId, id: &IncidentId) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        incident(&mut change, page, id).await?;
        let query = "DELETE FROM incidents WHERE id = ? AND mirrored";
        sqlx::query(query).bind(id.as_str()).execute(&mut *change).await?;
        change.commit().await?;
        Ok(())
    }

    /// Lets everything be written here again that was a copy: there is nobody upstream any more.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn unmirror(&self) -> Result<(), StoreError> {
        for query in
            ["UPDATE components SET mirrored = 0 WHERE mirrored", "UPDATE incidents SET mirrored = 0 WHERE mirrored"]
        {
            sqlx::query(query).execute(&self.write).await?;
        }
        Ok(())
    }

    /// The statuses that upstream is to be told.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn statuses_to_tell(&self, page: &PageId) -> Result<Vec<StatusToTell>, StoreError> {
        let query = "SELECT id, status, delivered FROM components
                     WHERE page_id = ? AND relayed AND status IS NOT delivered ORDER BY position, id";
        let rows: Vec<(String, String, Option<String>)> =
            sqlx::query_as(query).bind(page.as_str()).fetch_all(&self.read).await?;
        let read = |(id, status, delivered): (String, String, Option<String>)| {
            let delivered = delivered.and_then(|status| status.parse().ok());
            Some(StatusToTell { component: id.try_into().ok()?, status: status.parse().ok()?, delivered })
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Upstream has taken that status.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn status_told(&self, component: &ComponentId, status: ComponentStatus) -> Result<(), StoreError> {
        let query = "UPDATE components SET delivered = ? WHERE id = ?";
        sqlx::query(query).bind(status.as_str()).bind(component.as_str()).execute(&self.write).await?;
        Ok(())
    }
}

/// Marks a component as one that upstream is told of, or is not.
pub(super) async fn set_relayed(
    connection: &mut SqliteConnection,
    id: &ComponentId,
    relayed: bool,
) -> Result<(), StoreError> {
    // What is told upstream is nobody's copy.
    let query =
        "UPDATE components SET relayed = ?1, mirrored = mirrored AND NOT ?1 WHERE id = ?2 AND relayed IS NOT ?1";
    sqlx::query(query).bind(relayed).bind(id.as_str()).execute(connection).await?;
    Ok(())
}

impl OutsideIncident {
    /// The status, where it is one that we know; a postmortem, or whatever else there may be, is of something over.
    fn status(&self) -> &str {
        STATUSES.into_iter().find(|status| *status == self.status).unwrap_or("resolved")
    }

    /// Where it can be read upstream; only what a browser may be sent to.
    fn shortlink(&self) -> Option<&str> {
        self.shortlink.as_str().filter(|link| link.starts_with("https://") || link.starts_with("http://"))
    }

    fn as_ours(&self, page: &PageId) -> Incident {
        let impact = self.impact.as_deref().and_then(|told| IMPACTS.into_iter().find(|impact| *impact == told));
        Incident {
            id: self.id.clone(),
            page_id: page.clone(),
            name: self.name.clone(),
            status: self.status().to_owned(),
            impact: impact.unwrap_or("none").to_owned(),
            impact_override: None,
            metadata: Value::Object(self.metadata.clone()),
            reminder_intervals: None,
            backfilled: false,
            mirrored: true,
            times: IncidentTimes {
                scheduled_for: self.scheduled_for.map(Moment::new),
                scheduled_until: self.scheduled_until.map(Moment::new),
                started_at: Moment::new(self.started_at.unwrap_or(self.created_at)),
                monitoring_at: self.monitoring_at.map(Moment::new),
                resolved_at: self.resolved_at.map(Moment::new),
                created_at: Moment::new(self.created_at),
                updated_at: Moment::new(self.updated_at),
            },
            shortlink: self.shortlink().map(str::to_owned),
            components: Vec::new(),
            incident_updates: Vec::new(),
        }
    }
}

impl OutsideUpdate {
    fn of(&self, incident: &IncidentId) -> IncidentUpdate {
        IncidentUpdate {
            id: self.id.clone(),
            incident_id: incident.clone(),
            status: self.status.clone(),
            body: self.body.clone(),
            deliver_notifications: self.deliver_notifications,
            affected_components: Some(Json(self.affected_components.clone())),
            display_at: Moment::new(self.display_at.unwrap_or(self.created_at)),
            created_at: Moment::new(self.created_at),
            updated_at: Moment::new(self.updated_at),
        }
    }
}
