//! Maintenance that begins and ends by itself. What was due while nothing ran here is done at the next start, dated when it was
//! due. What is a copy of upstream's is never moved, and nothing is while the clock cannot be trusted.

use std::{sync::Arc, time::Duration};

use shared::{
    id::{IncidentId, PageId},
    statuspage::ComponentStatus,
};
use tokio::sync::Notify;

use super::{
    AffectedComponent, Component, Incident, IncidentUpdate, components,
    incident_changes::move_to,
    incident_rows::{find, save, save_update},
    plan::Step,
};
use crate::keeper::{
    KeeperClock, KeeperError,
    db::{Conn, Db, Moment, Tx, new_id, query},
    looks::Looks,
};

/// How many are moved in one pass; the others in the next one, at once.
const MAX_MOVED: u32 = 20;

/// The longest time between two passes: a clock may be stepped meanwhile.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Wakes who moves maintenance, once a plan has changed. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::keeper) struct Plans(Arc<Notify>);

impl Plans {
    /// A plan was made, changed or deleted.
    pub(in crate::keeper) fn changed(&self) {
        self.0.notify_one();
    }

    /// Returns once one was.
    pub(in crate::keeper) async fn wait(&self) {
        self.0.notified().await;
    }
}

/// What one pass did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) struct Pass {
    /// How many were moved.
    pub(in crate::keeper) moved: usize,
    /// How long the next pass can wait; `None` where the clock cannot be trusted.
    pub(in crate::keeper) wait: Option<Duration>,
}

/// Moves the maintenance that is due.
///
/// # Errors
/// When the storage fails; each maintenance is moved in whole or not at all.
pub(in crate::keeper) async fn carry_out(db: &Db, looks: &Looks, clock: &KeeperClock) -> Result<Pass, KeeperError> {
    let Some(now) = clock.trusted_now().map(Moment::new) else { return Ok(Pass { moved: 0, wait: None }) };
    let due = query(
        "SELECT id, page_id FROM incidents WHERE NOT mirrored AND NOT backfilled AND (
             (status = 'scheduled' AND auto_in_progress AND scheduled_for <= ?1)
             OR (status IN ('in_progress', 'verifying') AND auto_completed AND scheduled_until <= ?1))
         ORDER BY scheduled_for, id LIMIT ?2",
    );
    let due: Vec<(IncidentId, PageId)> = due.bind(now).bind(MAX_MOVED).all(&mut db.read().await?).await?;
    let mut failed = None;
    for (id, page) in &due {
        // One that cannot be moved keeps no other waiting.
        if let Err(error) = move_on(db, (looks, clock), page, id, now).await {
            failed = failed.or(Some(error));
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(Pass { moved: due.len(), wait: Some(until_next(db, now).await?) })
}

async fn until_next(db: &Db, now: Moment) -> Result<Duration, KeeperError> {
    let next = query(
        "SELECT MIN(CASE status WHEN 'scheduled' THEN scheduled_for ELSE scheduled_until END) FROM incidents
         WHERE NOT mirrored AND NOT backfilled AND ((status = 'scheduled' AND auto_in_progress)
             OR (status IN ('in_progress', 'verifying') AND auto_completed))",
    );
    let next: Option<i64> = next.one(&mut db.read().await?).await?;
    let wait = next.map_or(LONGEST_WAIT, |next| {
        Duration::from_millis(u64::try_from(next.saturating_sub(now.millis())).unwrap_or(0))
    });
    Ok(wait.min(LONGEST_WAIT))
}

/// Everything that is due of one maintenance, in one transaction.
async fn move_on(
    db: &Db,
    (looks, clock): (&Looks, &KeeperClock),
    page: &PageId,
    id: &IncidentId,
    now: Moment,
) -> Result<(), KeeperError> {
    let mut tx = db.begin().await?;
    let mut incident = find(&mut tx, page, id).await?;
    // What was planned after its time was not known before it was planned.
    let mut at = incident.times.updated_at;
    while let Some((step, due)) = incident.plan.next(incident.state.status, &incident.times)
        && due <= now
        && !incident.mirrored
    {
        at = due.max(at).min(now);
        take(&mut tx, &mut incident, step, (at, now), |component| {
            let looked = looks.at(&component.id, clock.now_for_looks());
            if component.looks { looked.after_maintenance() } else { ComponentStatus::Operational }
        })
        .await?;
        tracing::info!(incident = %id, status = %incident.state, due = %due.timestamp(), "a maintenance was moved as planned");
        incident = find(&mut tx, page, id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Takes one step, which counts from `at` on.
async fn take(
    tx: &mut Tx,
    incident: &mut Incident,
    step: Step,
    (at, now): (Moment, Moment),
    after: impl Fn(&Component) -> ComponentStatus,
) -> Result<(), KeeperError> {
    let plan = incident.plan;
    let mut affected = Vec::new();
    let is_to_move = if step == Step::Begin { plan.to_maintenance } else { plan.to_operational };
    for component in incident.components.iter().filter(|_| is_to_move) {
        let is_maintained = component.status == Some(ComponentStatus::UnderMaintenance);
        let status = match step {
            // What was said of it after the maintenance was due stands.
            Step::Begin if !is_maintained && !was_said_since(tx, component, at).await? => {
                ComponentStatus::UnderMaintenance
            }
            // What somebody has moved meanwhile is theirs, and what others still work on is not done.
            Step::End if is_maintained && !is_worked_on(tx, component, &incident.id).await? => after(component),
            Step::Begin | Step::End => continue,
        };
        if component.mirrored {
            tracing::info!(component = %component.id, "the component is a copy of upstream's, so maintenance here leaves it alone");
            continue;
        }
        let mut moved = component.clone();
        moved.updated_at = at.after(moved.updated_at);
        components::set_status(tx, &mut moved, Some(status)).await?;
        affected.push(AffectedComponent {
            code: Some(moved.id),
            name: moved.name,
            old_status: component.status,
            new_status: Some(status),
        });
    }
    move_to(incident, step.status(), at);
    incident.times.updated_at = now.after(incident.times.updated_at);
    save(tx, incident).await?;
    let update = IncidentUpdate {
        id: new_id(),
        incident_id: incident.id.clone(),
        state: incident.state.clone(),
        body: step.words().into(),
        deliver_notifications: if step == Step::Begin { plan.notify_at_start } else { plan.notify_at_end },
        affected_components: (!affected.is_empty()).then_some(affected),
        display_at: at,
        created_at: incident.times.updated_at,
        updated_at: incident.times.updated_at,
    };
    save_update(tx, &update).await
}

/// Whether the component took its status after that time.
async fn was_said_since(conn: &mut Conn, component: &Component, time: Moment) -> Result<bool, KeeperError> {
    let newest = query("SELECT MAX(since) FROM component_statuses WHERE component_id = ?");
    let newest: Option<i64> = newest.bind(component.id.as_str()).one(conn).await?;
    Ok(newest > Some(time.millis()))
}

/// Whether another maintenance that names the component is under way.
async fn is_worked_on(conn: &mut Conn, component: &Component, but: &IncidentId) -> Result<bool, KeeperError> {
    let others = query(
        "SELECT COUNT(*) FROM incidents i JOIN incident_components ic ON ic.incident_id = i.id
         WHERE ic.component_id = ? AND i.id <> ? AND i.status IN ('in_progress', 'verifying')",
    );
    let others: i64 = others.bind(component.id.as_str()).bind(but.as_str()).one(conn).await?;
    Ok(others > 0)
}

#[cfg(test)]
mod tests;
