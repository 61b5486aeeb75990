//! The rows of incidents and of their updates.

use shared::{
    id::{IncidentId, PageId},
    statuspage::Impact,
};

use super::{Incident, IncidentUpdate};
use crate::keeper::{
    KeeperError,
    db::{Conn, Tx, query},
};

/// An incident with its components and updates.
pub(in crate::keeper) async fn find(conn: &mut Conn, page: &PageId, id: &IncidentId) -> Result<Incident, KeeperError> {
    let find = query("SELECT * FROM incidents WHERE page_id = ? AND id = ?").bind(page.as_str()).bind(id.as_str());
    let found: Option<Incident> = find.optional(conn).await?;
    let mut incident = found.ok_or_else(|| KeeperError::NotFound(format!("incident {id} of page {page}")))?;
    fill(conn, &mut incident).await?;
    Ok(incident)
}

/// Adds an incident's components and updates.
pub(in crate::keeper) async fn fill(conn: &mut Conn, incident: &mut Incident) -> Result<(), KeeperError> {
    let components = "SELECT c.* FROM components c JOIN incident_components ic ON ic.component_id = c.id
                      WHERE ic.incident_id = ? ORDER BY c.position, c.id";
    incident.components = query(components).bind(incident.id.as_str()).all(conn).await?;
    let updates = "SELECT * FROM incident_updates WHERE incident_id = ? ORDER BY display_at DESC, created_at DESC";
    incident.incident_updates = query(updates).bind(incident.id.as_str()).all(conn).await?;
    Ok(())
}

/// Writes the incident without its components and updates, new or not.
pub(in crate::keeper) async fn save(tx: &mut Tx, incident: &Incident) -> Result<(), KeeperError> {
    let (times, plan) = (&incident.times, &incident.plan);
    query(
        "INSERT INTO incidents (id, page_id, name, status, impact, impact_override, metadata, reminder_intervals,
             backfilled, scheduled_for, scheduled_until, started_at, monitoring_at, resolved_at, created_at, updated_at,
             shortlink, upstream_status, auto_in_progress, auto_completed, to_maintenance, to_operational,
             notify_at_start, notify_at_end, remind_prior)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, impact = excluded.impact,
             impact_override = excluded.impact_override, metadata = excluded.metadata,
             reminder_intervals = excluded.reminder_intervals, scheduled_for = excluded.scheduled_for,
             scheduled_until = excluded.scheduled_until, monitoring_at = excluded.monitoring_at,
             resolved_at = excluded.resolved_at, updated_at = excluded.updated_at, shortlink = excluded.shortlink,
             upstream_status = excluded.upstream_status, auto_in_progress = excluded.auto_in_progress,
             auto_completed = excluded.auto_completed, to_maintenance = excluded.to_maintenance,
             to_operational = excluded.to_operational, notify_at_start = excluded.notify_at_start,
             notify_at_end = excluded.notify_at_end, remind_prior = excluded.remind_prior",
    )
    .bind(incident.id.as_str())
    .bind(incident.page_id.as_str())
    .bind(&incident.name)
    .bind(incident.state.status.as_str())
    .bind(incident.impact.as_str())
    .bind(incident.impact_override.map(Impact::as_str))
    .bind(incident.metadata.to_string())
    .bind(&incident.reminder_intervals)
    .bind(incident.backfilled)
    .bind(times.scheduled_for)
    .bind(times.scheduled_until)
    .bind(times.started_at)
    .bind(times.monitoring_at)
    .bind(times.resolved_at)
    .bind(times.created_at)
    .bind(times.updated_at)
    .bind(&incident.shortlink)
    .bind(&incident.state.word)
    .bind(plan.begins)
    .bind(plan.ends)
    .bind(plan.to_maintenance)
    .bind(plan.to_operational)
    .bind(plan.notify_at_start)
    .bind(plan.notify_at_end)
    .bind(plan.remind_prior)
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes an update, new or not.
pub(in crate::keeper) async fn save_update(tx: &mut Tx, update: &IncidentUpdate) -> Result<(), KeeperError> {
    let affected = update.affected_components.as_ref().and_then(|affected| serde_json::to_string(affected).ok());
    query(
        "INSERT INTO incident_updates (id, incident_id, status, body, deliver_notifications, affected_components,
             display_at, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET body = excluded.body, display_at = excluded.display_at,
             deliver_notifications = excluded.deliver_notifications, updated_at = excluded.updated_at",
    )
    .bind(&update.id)
    .bind(update.incident_id.as_str())
    .bind(update.state.as_str())
    .bind(&update.body)
    .bind(update.deliver_notifications)
    .bind(affected)
    .bind(update.display_at)
    .bind(update.created_at)
    .bind(update.updated_at)
    .execute(tx)
    .await?;
    Ok(())
}
