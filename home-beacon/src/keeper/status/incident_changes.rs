//! What a patch does to an incident, and to the components that it names: its status and the times of that, its impact, and
//! an update that says so.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::{
    id::{ComponentId, PageId},
    statuspage::{ComponentStatus, Impact, IncidentStatus},
};

use super::{
    AffectedComponent, Component, Incident, IncidentUpdate,
    components::{self, check_is_ours},
    incident_rows::{save, save_update},
    model::IncidentTimes,
    plan::PlanPatch,
};
use crate::keeper::{
    KeeperError,
    db::{Conn, Moment, Tx, new_id, query},
};

/// What to change of an incident; absent fields stay. A status or a body makes an update.
#[derive(Debug, Default)]
pub struct IncidentPatch {
    /// Its heading.
    pub name: Option<String>,
    /// Where it stands from now on.
    pub status: Option<IncidentStatus>,
    /// The text of the update.
    pub body: Option<String>,
    /// An impact in place of the one that follows from the components.
    pub impact_override: Option<Option<Impact>>,
    /// The components that it names from now on.
    pub component_ids: Option<Vec<ComponentId>>,
    /// Statuses to set in the same change.
    pub components: BTreeMap<ComponentId, Option<ComponentStatus>>,
    /// What programs note at it.
    pub metadata: Option<Value>,
    /// Hours between reminders.
    pub reminder_intervals: Option<Option<String>>,
    /// When maintenance is to begin.
    pub scheduled_for: Option<Option<Moment>>,
    /// When maintenance is to end.
    pub scheduled_until: Option<Option<Moment>>,
    /// What it does by itself.
    pub plan: PlanPatch,
    /// Whether subscribers are notified of the update.
    pub deliver_notifications: Option<bool>,
}

/// Applies a patch to an incident and to the components that it names.
pub(super) async fn alter(
    tx: &mut Tx,
    incident: &mut Incident,
    patch: IncidentPatch,
    now: Moment,
) -> Result<(), KeeperError> {
    let makes_update = patch.status.is_some() || patch.body.is_some();
    let affected = affect(tx, incident, patch.component_ids, patch.components, now).await?;
    incident.name = patch.name.unwrap_or_else(|| incident.name.clone());
    if let Some(status) = patch.status {
        move_to(incident, status, now);
    }
    incident.impact_override = patch.impact_override.unwrap_or(incident.impact_override);
    incident.impact = incident.impact_override.unwrap_or_else(|| impact(incident, &affected));
    incident.metadata = patch.metadata.unwrap_or_else(|| incident.metadata.clone());
    incident.reminder_intervals = patch.reminder_intervals.unwrap_or_else(|| incident.reminder_intervals.clone());
    let times_change = patch.scheduled_for.is_some() || patch.scheduled_until.is_some();
    incident.times.scheduled_for = patch.scheduled_for.unwrap_or(incident.times.scheduled_for);
    incident.times.scheduled_until = patch.scheduled_until.unwrap_or(incident.times.scheduled_until);
    if times_change {
        check_order(&incident.times)?;
    }
    if patch.plan.apply(&mut incident.plan) || times_change {
        incident.plan.check(&incident.times)?;
    }
    incident.times.updated_at = now;
    save(tx, incident).await?;
    if makes_update || !affected.is_empty() {
        let update = IncidentUpdate {
            id: new_id(),
            incident_id: incident.id.clone(),
            state: incident.state.clone(),
            body: patch.body.unwrap_or_default(),
            deliver_notifications: patch.deliver_notifications.unwrap_or(true),
            affected_components: (!affected.is_empty()).then_some(affected),
            display_at: if incident.backfilled { incident.times.started_at } else { now },
            created_at: now,
            updated_at: now,
        };
        save_update(tx, &update).await?;
    }
    Ok(())
}

/// Worked out anew from all statuses that the incident has set, so that an override that is taken away leaves nothing behind.
fn impact(incident: &Incident, affected: &[AffectedComponent]) -> Impact {
    let before = incident.incident_updates.iter().filter_map(|update| update.affected_components.as_ref()).flatten();
    let statuses = before.chain(affected).filter_map(|component| component.new_status);
    let least = if incident.state.status.is_maintenance() { Impact::Maintenance } else { Impact::None };
    statuses.map(ComponentStatus::impact).chain([least]).max().unwrap_or(least)
}

/// # Errors
/// When a maintenance ends before it has begun, or ends without having begun.
fn check_order(times: &IncidentTimes) -> Result<(), KeeperError> {
    let what = match (times.scheduled_for, times.scheduled_until) {
        (Some(begin), Some(end)) if end <= begin => "must be later than scheduled_for",
        (None, Some(_)) => "is of a maintenance: send scheduled_for, too",
        _ => return Ok(()),
    };
    Err(KeeperError::Invalid(format!("scheduled_until: {what}")))
}

/// Moves an incident to a status, and records when it came there.
pub(super) fn move_to(incident: &mut Incident, status: IncidentStatus, now: Moment) {
    if incident.state == status.into() {
        return;
    }
    if status.is_over() && incident.state.status == status {
        // Its postmortem, or upstream's word, is not what it says any more; when it was over stays.
        incident.state = status.into();
        return;
    }
    let now = if incident.backfilled { incident.times.started_at } else { now };
    if status == IncidentStatus::Monitoring {
        incident.times.monitoring_at = Some(now);
    }
    incident.times.resolved_at = status.is_over().then_some(now);
    incident.state = status.into();
}

/// Ties components to the incident and sets the statuses asked for; returns what changed.
async fn affect(
    tx: &mut Tx,
    incident: &Incident,
    ids: Option<Vec<ComponentId>>,
    statuses: BTreeMap<ComponentId, Option<ComponentStatus>>,
    now: Moment,
) -> Result<Vec<AffectedComponent>, KeeperError> {
    if let Some(ids) = &ids {
        let untie = query("DELETE FROM incident_components WHERE incident_id = ?");
        untie.bind(incident.id.as_str()).execute(tx).await?;
        for id in ids {
            find(tx, &incident.page_id, id, "component_ids").await?;
            tie(tx, incident, id).await?;
        }
    }
    let mut affected = Vec::new();
    for (id, status) in statuses {
        let mut component = find(tx, &incident.page_id, &id, "components").await?;
        tie(tx, incident, &id).await?;
        let old_status = component.status;
        check_is_ours(&component, status)?;
        component.updated_at = now.after(component.updated_at);
        components::set_status(tx, &mut component, status).await?;
        affected.push(AffectedComponent { code: Some(id), name: component.name, old_status, new_status: status });
    }
    Ok(affected)
}

async fn find(conn: &mut Conn, page: &PageId, id: &ComponentId, field: &str) -> Result<Component, KeeperError> {
    match components::find(conn, page, id).await {
        Err(KeeperError::NotFound(what)) => Err(KeeperError::Invalid(format!("{field}: {what} could not be found"))),
        other => other,
    }
}

async fn tie(tx: &mut Tx, incident: &Incident, id: &ComponentId) -> Result<(), KeeperError> {
    query("INSERT INTO incident_components (incident_id, component_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(incident.id.as_str())
        .bind(id.as_str())
        .execute(tx)
        .await?;
    Ok(())
}
