//! The rows of incidents and of their updates.

use shared::id::{IncidentId, PageId};
use sqlx::{SqliteConnection, types::Json};

use super::{Incident, IncidentUpdate, Moment, StoreError};

pub(super) async fn incident(
    connection: &mut SqliteConnection,
    page: &PageId,
    id: &IncidentId,
) -> Result<Incident, StoreError> {
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
pub(super) async fn fill(connection: &mut SqliteConnection, incident: &mut Incident) -> Result<(), StoreError> {
    if let Some(word) = incident.upstream_status.take() {
        incident.status = word;
    }
    let components = "SELECT c.* FROM components c JOIN incident_components ic ON ic.component_id = c.id
                      WHERE ic.incident_id = ? ORDER BY c.position, c.id";
    incident.components = sqlx::query_as(components).bind(incident.id.as_str()).fetch_all(&mut *connection).await?;
    let updates = "SELECT * FROM incident_updates WHERE incident_id = ? ORDER BY display_at DESC, created_at DESC";
    incident.incident_updates = sqlx::query_as(updates).bind(incident.id.as_str()).fetch_all(connection).await?;
    Ok(())
}

pub(super) async fn save(connection: &mut SqliteConnection, incident: &Incident) -> Result<(), StoreError> {
    let times = &incident.times;
    sqlx::query(
        "INSERT INTO incidents (id, page_id, name, status, impact, impact_override, metadata, reminder_intervals,
             backfilled, scheduled_for, scheduled_until, started_at, monitoring_at, resolved_at, created_at, updated_at,
             shortlink)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, impact = excluded.impact,
             impact_override = excluded.impact_override, metadata = excluded.metadata,
             reminder_intervals = excluded.reminder_intervals, scheduled_for = excluded.scheduled_for,
             scheduled_until = excluded.scheduled_until, monitoring_at = excluded.monitoring_at,
             resolved_at = excluded.resolved_at, updated_at = excluded.updated_at, shortlink = excluded.shortlink",
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
    .bind(&incident.shortlink)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn save_update(connection: &mut SqliteConnection, update: &IncidentUpdate) -> Result<(), StoreError> {
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
