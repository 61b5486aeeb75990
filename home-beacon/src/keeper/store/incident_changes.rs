//! What a patch does to an incident, and to the components that it names: its status and the times of that, its impact,
//! and an update that tells it.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::id::{ComponentId, PageId};
use sqlx::{SqliteConnection, types::Json};

use super::{
    AffectedComponent, Component, Incident, IncidentUpdate, Moment, StoreError, components,
    incident_rows::{save, save_update},
    new_id,
    records::IncidentTimes,
};

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

/// Applies a patch to an incident and to the components that it names.
pub(super) async fn alter(
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
    // Worked out anew from all that the incident did, so that an override that is taken away leaves nothing behind.
    let told = incident.incident_updates.iter().filter_map(|update| update.affected_components.as_ref());
    let worst = told
        .flat_map(|told| told.iter())
        .chain(&affected)
        .map(|component| impact_of(component.new_status.as_deref().unwrap_or_default()));
    let least = if is_scheduled(&incident.status) { "maintenance" } else { "none" };
    let impact = worst.chain([least]).max_by_key(|impact| rank(impact)).unwrap_or(least);
    incident.impact = incident.impact_override.clone().unwrap_or_else(|| impact.to_owned());
    incident.metadata = patch.metadata.unwrap_or_else(|| incident.metadata.clone());
    incident.reminder_intervals = patch.reminder_intervals.unwrap_or_else(|| incident.reminder_intervals.clone());
    let times_change = patch.scheduled_for.is_some() || patch.scheduled_until.is_some();
    incident.times.scheduled_for = patch.scheduled_for.unwrap_or(incident.times.scheduled_for);
    incident.times.scheduled_until = patch.scheduled_until.unwrap_or(incident.times.scheduled_until);
    if times_change {
        in_order(&incident.times)?;
    }
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

/// # Errors
/// When a maintenance ends before it has begun, or ends without having begun.
fn in_order(times: &IncidentTimes) -> Result<(), StoreError> {
    let what = match (times.scheduled_for, times.scheduled_until) {
        (Some(begin), Some(end)) if end <= begin => "must be later than scheduled_for",
        (None, Some(_)) => "is of a maintenance: send scheduled_for, too",
        _ => return Ok(()),
    };
    Err(StoreError::Contradiction(format!("scheduled_until: {what}")))
}

pub(super) fn is_scheduled(status: &str) -> bool {
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
        components::own(&component, &status)?;
        component.updated_at = now.after(component.updated_at);
        components::set_status(connection, &mut component, status.clone()).await?;
        affected.push(AffectedComponent {
            code: Some(id),
            name: component.name,
            old_status: Some(old_status),
            new_status: Some(status),
        });
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
