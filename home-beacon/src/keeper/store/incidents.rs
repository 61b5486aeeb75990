//! Incidents and their updates.
//!
//! An incident is either realtime (investigating, identified, monitoring, resolved) or scheduled (scheduled,
//! in progress, verifying, completed), and stays what it is.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::id::{ComponentId, IncidentId, PageId};
use sqlx::{SqliteConnection, types::Json};

use super::{
    AffectedComponent, Component, Incident, IncidentUpdate, Moment, Store, StoreError, components, new_id, pages,
    records::IncidentTimes,
};

const ONE_KIND: &str = "status: a scheduled incident has scheduled_for and a status of scheduled, in_progress, \
                        verifying or completed; any other has neither";

/// Which incidents to list.
#[derive(Clone, Debug)]
pub enum IncidentFilter {
    /// All, or those whose name, status or updates contain the text.
    All(Option<String>),
    /// Realtime ones that are not resolved.
    Unresolved,
    /// Maintenance that is planned or under way.
    Scheduled,
    /// Maintenance that is planned.
    Upcoming,
    /// Maintenance that is under way.
    ActiveMaintenance,
}

/// An incident to be opened.
#[derive(Debug)]
pub struct NewIncident {
    pub name: String,
    pub patch: IncidentPatch,
    pub backfilled: Option<Moment>,
}

/// What to change of an incident; absent fields stay. A status or a body makes an update.
#[derive(Debug, Default)]
pub struct IncidentPatch {
    pub name: Option<String>,
    pub status: Option<String>,
    pub body: Option<String>,
    pub impact_override: Option<Option<String>>,
    pub component_ids: Option<Vec<ComponentId>>,
    /// Statuses to set in the same change.
    pub components: BTreeMap<ComponentId, String>,
    pub metadata: Option<Value>,
    pub reminder_intervals: Option<Option<String>>,
    pub scheduled_for: Option<Option<Moment>>,
    pub scheduled_until: Option<Option<Moment>>,
    pub deliver_notifications: Option<bool>,
}

/// What to change of an update; absent fields stay.
#[derive(Debug, Default)]
pub struct UpdatePatch {
    pub body: Option<String>,
    pub display_at: Option<Moment>,
    pub deliver_notifications: Option<bool>,
}

impl Store {
    /// A page's incidents, the newest first; `skip` and `limit` count incidents.
    pub async fn incidents(
        &self,
        page: &PageId,
        filter: &IncidentFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let mut connection = self.read.acquire().await?;
        pages::page(&mut connection, page).await?;
        let text = if let IncidentFilter::All(Some(text)) = filter { text.as_str() } else { "" };
        let mut incidents: Vec<Incident> = sqlx::query_as(filter.query())
            .bind(page.as_str())
            .bind(text)
            .bind(limit)
            .bind(skip)
            .fetch_all(&mut *connection)
            .await?;
        for incident in &mut incidents {
            fill(&mut connection, incident).await?;
        }
        Ok(incidents)
    }

    pub async fn incident(&self, page: &PageId, id: &IncidentId) -> Result<Incident, StoreError> {
        incident(&mut *self.read.acquire().await?, page, id).await
    }

    pub async fn create_incident(&self, page: &PageId, new: NewIncident) -> Result<Incident, StoreError> {
        let mut change = self.write.begin().await?;
        pages::page(&mut change, page).await?;
        let now = self.now();
        let patch = new.patch;
        let scheduled = patch.scheduled_for.flatten().is_some();
        let default = match (scheduled, new.backfilled) {
            (true, _) => "scheduled",
            // What is told afterwards is over, unless it is said not to be.
            (false, Some(_)) => "resolved",
            (false, None) => "investigating",
        };
        let status = patch.status.clone().unwrap_or_else(|| default.into());
        if is_scheduled(&status) != scheduled {
            return Err(StoreError::Contradiction(ONE_KIND.into()));
        }
        let id = IncidentId::try_from(new_id()).map_err(|error| StoreError::Contradiction(error.to_string()))?;
        let mut opened = Incident {
            id,
            page_id: page.clone(),
            name: new.name,
            status: String::new(),
            impact: if scheduled { "maintenance" } else { "none" }.into(),
            impact_override: None,
            metadata: Value::Object(serde_json::Map::new()),
            reminder_intervals: None,
            backfilled: new.backfilled.is_some(),
            times: IncidentTimes {
                scheduled_for: None,
                scheduled_until: None,
                started_at: new.backfilled.unwrap_or(now),
                monitoring_at: None,
                resolved_at: None,
                created_at: new.backfilled.unwrap_or(now),
                updated_at: now,
            },
            shortlink: None,
            components: Vec::new(),
            incident_updates: Vec::new(),
        };
        // It must be there before anything can be tied to it, so it begins where it is about to be.
        opened.status.clone_from(&status);
        save(&mut change, &opened).await?;
        opened.status.clear();
        let patch = IncidentPatch { status: Some(status), ..patch };
        self.alter(&mut change, &mut opened, patch, now).await?;
        let opened = incident(&mut change, page, &opened.id).await?;
        change.commit().await?;
        Ok(opened)
    }

    pub async fn update_incident(
        &self,
        page: &PageId,
        id: &IncidentId,
        patch: IncidentPatch,
    ) -> Result<Incident, StoreError> {
        let mut change = self.write.begin().await?;
        let mut changed = incident(&mut change, page, id).await?;
        let scheduled = is_scheduled(&changed.status);
        if patch.status.as_ref().is_some_and(|status| is_scheduled(status) != scheduled) {
            let kind = if scheduled { "scheduled" } else { "realtime" };
            return Err(StoreError::Contradiction(format!("status: a {kind} incident stays one")));
        }
        if patch.scheduled_for.is_some_and(|time| time.is_some() != scheduled) {
            return Err(StoreError::Contradiction(ONE_KIND.into()));
        }
        let now = self.now().after(changed.times.updated_at);
        self.alter(&mut change, &mut changed, patch, now).await?;
        let changed = incident(&mut change, page, id).await?;
        change.commit().await?;
        Ok(changed)
    }

    /// Deletes an incident and returns it as it was.
    pub async fn delete_incident(&self, page: &PageId, id: &IncidentId) -> Result<Incident, StoreError> {
        let mut change = self.write.begin().await?;
        let deleted = incident(&mut change, page, id).await?;
        sqlx::query("DELETE FROM incidents WHERE id = ?").bind(id.as_str()).execute(&mut *change).await?;
        change.commit().await?;
        Ok(deleted)
    }

    pub async fn edit_update(
        &self,
        page: &PageId,
        id: &IncidentId,
        update: &str,
        patch: UpdatePatch,
    ) -> Result<IncidentUpdate, StoreError> {
        let mut change = self.write.begin().await?;
        let of = incident(&mut change, page, id).await?;
        let found = of.incident_updates.into_iter().find(|found| found.id == update);
        let mut edited = found.ok_or_else(|| StoreError::NotFound(format!("update {update} of incident {id}")))?;
        edited.body = patch.body.unwrap_or(edited.body);
        edited.display_at = patch.display_at.unwrap_or(edited.display_at);
        edited.deliver_notifications = patch.deliver_notifications.unwrap_or(edited.deliver_notifications);
        edited.updated_at = self.now().after(edited.updated_at);
        save_update(&mut change, &edited).await?;
        change.commit().await?;
        Ok(edited)
    }

    /// Applies a patch to an incident and to the components that it names.
    async fn alter(
        &self,
        connection: &mut SqliteConnection,
        incident: &mut Incident,
        patch: IncidentPatch,
        now: Moment,
    ) -> Result<(), StoreError> {
        let makes_update = patch.status.is_some() || patch.body.is_some();
        let affected = affect(connection, incident, patch.component_ids, patch.components, now).await?;
        incident.name = patch.name.unwrap_or_else(|| incident.name.clone());
        if let Some(status) = patch.status {
            reach(incident, status, now);
        }
        incident.impact_override = patch.impact_override.unwrap_or_else(|| incident.impact_override.clone());
        let worst = affected.iter().map(|component| impact_of(&component.new_status));
        let impact = worst.chain([incident.impact.as_str()]).max_by_key(|impact| rank(impact)).unwrap_or("none");
        incident.impact = incident.impact_override.clone().unwrap_or_else(|| impact.to_owned());
        incident.metadata = patch.metadata.unwrap_or_else(|| incident.metadata.clone());
        incident.reminder_intervals = patch.reminder_intervals.unwrap_or_else(|| incident.reminder_intervals.clone());
        incident.times.scheduled_for = patch.scheduled_for.unwrap_or(incident.times.scheduled_for);
        incident.times.scheduled_until = patch.scheduled_until.unwrap_or(incident.times.scheduled_until);
        incident.times.updated_at = now;
        save(connection, incident).await?;
        if makes_update || !affected.is_empty() {
            let update = IncidentUpdate {
                id: new_id(),
                incident_id: incident.id.clone(),
                status: incident.status.clone(),
                body: patch.body.unwrap_or_default(),
                deliver_notifications: patch.deliver_notifications.unwrap_or(true),
                affected_components: (!affected.is_empty()).then_some(Json(affected)),
                display_at: if incident.backfilled { incident.times.started_at } else { now },
                created_at: now,
                updated_at: now,
            };
            save_update(connection, &update).await?;
        }
        Ok(())
    }
}

impl IncidentFilter {
    /// The statement; its parameters are page, search text, limit and offset.
    const fn query(&self) -> &'static str {
        match self {
            Self::All(None) => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = '' ORDER BY created_at DESC, id LIMIT ? OFFSET ?"
            }
            Self::All(Some(_)) => {
                "SELECT * FROM incidents i WHERE page_id = ?1 AND (name LIKE '%' || ?2 || '%'
                     OR status LIKE '%' || ?2 || '%' OR EXISTS (SELECT 1 FROM incident_updates u
                         WHERE u.incident_id = i.id AND u.body LIKE '%' || ?2 || '%'))
                 ORDER BY created_at DESC, id LIMIT ?3 OFFSET ?4"
            }
            Self::Unresolved => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = ''
                     AND status IN ('investigating', 'identified', 'monitoring')
                 ORDER BY created_at DESC, id LIMIT ? OFFSET ?"
            }
            Self::Scheduled => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = ''
                     AND status IN ('scheduled', 'in_progress', 'verifying')
                 ORDER BY scheduled_for DESC, id LIMIT ? OFFSET ?"
            }
            Self::Upcoming => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = '' AND status = 'scheduled'
                 ORDER BY scheduled_for DESC, id LIMIT ? OFFSET ?"
            }
            Self::ActiveMaintenance => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = '' AND status IN ('in_progress', 'verifying')
                 ORDER BY scheduled_for DESC, id LIMIT ? OFFSET ?"
            }
        }
    }
}

fn is_scheduled(status: &str) -> bool {
    matches!(status, "scheduled" | "in_progress" | "verifying" | "completed")
}

/// Moves an incident to a status, and notes when it came there.
fn reach(incident: &mut Incident, status: String, now: Moment) {
    if status == incident.status {
        return;
    }
    let now = if incident.backfilled { incident.times.started_at } else { now };
    match status.as_str() {
        "monitoring" => incident.times.monitoring_at = Some(now),
        "resolved" | "completed" => incident.times.resolved_at = Some(now),
        _ => (),
    }
    if !matches!(status.as_str(), "resolved" | "completed") {
        incident.times.resolved_at = None;
    }
    incident.status = status;
}

/// The impact of an incident by the worst status among its components.
fn impact_of(status: &str) -> &'static str {
    match status {
        "degraded_performance" => "minor",
        "partial_outage" => "major",
        "major_outage" => "critical",
        _ => "none",
    }
}

fn rank(impact: &str) -> usize {
    ["none", "maintenance", "minor", "major", "critical"].iter().position(|known| *known == impact).unwrap_or(0)
}

/// Ties components to the incident and sets the statuses asked for; what changed is returned.
async fn affect(
    connection: &mut SqliteConnection,
    incident: &Incident,
    ids: Option<Vec<ComponentId>>,
    statuses: BTreeMap<ComponentId, String>,
    now: Moment,
) -> Result<Vec<AffectedComponent>, StoreError> {
    if let Some(ids) = &ids {
        sqlx::query("DELETE FROM incident_components WHERE incident_id = ?")
            .bind(incident.id.as_str())
            .execute(&mut *connection)
            .await?;
        for id in ids {
            known(connection, &incident.page_id, id, "component_ids").await?;
            tie(connection, incident, id).await?;
        }
    }
    let mut affected = Vec::new();
    for (id, status) in statuses {
        let mut component = known(connection, &incident.page_id, &id, "components").await?;
        tie(connection, incident, &id).await?;
        let old_status = component.status.clone();
        component.updated_at = now.after(component.updated_at);
        components::set_status(connection, &mut component, status.clone()).await?;
        affected.push(AffectedComponent { code: id, name: component.name, old_status, new_status: status });
    }
    Ok(affected)
}

async fn known(
    connection: &mut SqliteConnection,
    page: &PageId,
    id: &ComponentId,
    field: &str,
) -> Result<Component, StoreError> {
    match components::component(connection, page, id).await {
        Err(StoreError::NotFound(what)) => {
            Err(StoreError::Contradiction(format!("{field}: {what} could not be found")))
        }
        other => other,
    }
}

async fn tie(connection: &mut SqliteConnection, incident: &Incident, id: &ComponentId) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO incident_components (incident_id, component_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(incident.id.as_str())
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn incident(connection: &mut SqliteConnection, page: &PageId, id: &IncidentId) -> Result<Incident, StoreError> {
    let found: Option<Incident> = sqlx::query_as("SELECT * FROM incidents WHERE page_id = ? AND id = ?")
        .bind(page.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let mut incident = found.ok_or_else(|| StoreError::NotFound(format!("incident {id} of page {page}")))?;
    fill(connection, &mut incident).await?;
    Ok(incident)
}

/// Adds an incident's components and updates.
async fn fill(connection: &mut SqliteConnection, incident: &mut Incident) -> Result<(), StoreError> {
    let components = "SELECT c.* FROM components c JOIN incident_components ic ON ic.component_id = c.id
                      WHERE ic.incident_id = ? ORDER BY c.position, c.id";
    incident.components = sqlx::query_as(components).bind(incident.id.as_str()).fetch_all(&mut *connection).await?;
    let updates = "SELECT * FROM incident_updates WHERE incident_id = ? ORDER BY display_at DESC, created_at DESC";
    incident.incident_updates = sqlx::query_as(updates).bind(incident.id.as_str()).fetch_all(connection).await?;
    Ok(())
}

async fn save(connection: &mut SqliteConnection, incident: &Incident) -> Result<(), StoreError> {
    let times = &incident.times;
    sqlx::query(
        "INSERT INTO incidents (id, page_id, name, status, impact, impact_override, metadata, reminder_intervals,
             backfilled, scheduled_for, scheduled_until, started_at, monitoring_at, resolved_at, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, impact = excluded.impact,
             impact_override = excluded.impact_override, metadata = excluded.metadata,
             reminder_intervals = excluded.reminder_intervals, scheduled_for = excluded.scheduled_for,
             scheduled_until = excluded.scheduled_until, monitoring_at = excluded.monitoring_at,
             resolved_at = excluded.resolved_at, updated_at = excluded.updated_at",
    )
    .bind(incident.id.as_str())
    .bind(incident.page_id.as_str())
    .bind(&incident.name)
    .bind(&incident.status)
    .bind(&incident.impact)
    .bind(&incident.impact_override)
    .bind(Json(&incident.metadata))
    .bind(&incident.reminder_intervals)
    .bind(incident.backfilled)
    .bind(times.scheduled_for.map(Moment::millis))
    .bind(times.scheduled_until.map(Moment::millis))
    .bind(times.started_at.millis())
    .bind(times.monitoring_at.map(Moment::millis))
    .bind(times.resolved_at.map(Moment::millis))
    .bind(times.created_at.millis())
    .bind(times.updated_at.millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_update(connection: &mut SqliteConnection, update: &IncidentUpdate) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO incident_updates (id, incident_id, status, body, deliver_notifications, affected_components,
             display_at, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET body = excluded.body, display_at = excluded.display_at,
             deliver_notifications = excluded.deliver_notifications, updated_at = excluded.updated_at",
    )
    .bind(&update.id)
    .bind(update.incident_id.as_str())
    .bind(&update.status)
    .bind(&update.body)
    .bind(update.deliver_notifications)
    .bind(update.affected_components.as_ref())
    .bind(update.display_at.millis())
    .bind(update.created_at.millis())
    .bind(update.updated_at.millis())
    .execute(connection)
    .await?;
    Ok(())
}
