//! Copies of what upstream says of the page: components' statuses and incidents, with upstream's times.

use jiff::Timestamp;
use shared::{
    id::{ComponentId, IncidentId, PageId},
    statuspage::ComponentStatus,
};

use super::upstream_incident::UpstreamIncident;
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, query},
    status::{
        components,
        incident_rows::{self, save, save_update},
        incidents,
    },
};

/// A copy of an incident that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenCopy {
    pub(super) id: IncidentId,
    /// Whether it is planned maintenance, which upstream lists elsewhere.
    pub(super) is_maintenance: bool,
}

/// The components of a page that upstream may know, and whose status is not sent there.
pub(super) async fn mirrored_components(db: &Db, page: &PageId) -> Result<Vec<ComponentId>, KeeperError> {
    let list =
        query("SELECT id FROM components WHERE page_id = ? AND NOT relayed AND NOT checked ORDER BY position, id");
    Ok(list.bind(page.as_str()).all(&mut db.read().await?).await?)
}

/// Copies what upstream says of a component, and since when; writes only what has changed, and returns whether anything has.
pub(super) async fn copy_component(
    db: &Db,
    page: &PageId,
    id: &ComponentId,
    status: Option<ComponentStatus>,
    since: Timestamp,
) -> Result<bool, KeeperError> {
    let now = components::get(db, page, id).await?;
    if now.mirrored && now.status == status {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    query("UPDATE components SET mirrored = 1 WHERE id = ?").bind(id.as_str()).execute(&mut tx).await?;
    let mut component = components::find(&mut tx, page, id).await?;
    let has_changed = component.status != status;
    if has_changed {
        let since = Moment::new(since);
        if !now.mirrored {
            // What is recorded here since then is only that the component was made.
            let forget = query("DELETE FROM component_statuses WHERE component_id = ? AND since >= ?");
            forget.bind(id.as_str()).bind(since).execute(&mut tx).await?;
        }
        component.updated_at = if now.mirrored { since.after(component.updated_at) } else { since };
        components::set_status(&mut tx, &mut component, status).await?;
    }
    tx.commit().await?;
    Ok(has_changed)
}

/// Copies an incident; writes only what has changed, and returns whether anything has.
pub(super) async fn copy_incident(db: &Db, page: &PageId, upstream: &UpstreamIncident) -> Result<bool, KeeperError> {
    match incidents::get(db, page, &upstream.id).await {
        Ok(known) if !known.mirrored || upstream.is_as(&known) => return Ok(false),
        Ok(_) | Err(KeeperError::NotFound(_)) => (),
        Err(error) => return Err(error),
    }
    let id = upstream.id.as_str();
    let mut tx = db.begin().await?;
    save(&mut tx, &upstream.as_ours(page)).await?;
    let mark = query("UPDATE incidents SET mirrored = 1, upstream_status = ? WHERE id = ?");
    mark.bind(upstream.other_word()).bind(id).execute(&mut tx).await?;
    if let Some(components) = &upstream.components {
        query("DELETE FROM incident_components WHERE incident_id = ?").bind(id).execute(&mut tx).await?;
        for component in components {
            // Upstream may name components that this page does not have.
            let tie = query(
                "INSERT OR IGNORE INTO incident_components (incident_id, component_id)
                 SELECT ?, id FROM components WHERE id = ? AND page_id = ?",
            );
            tie.bind(id).bind(component).bind(page.as_str()).execute(&mut tx).await?;
        }
    }
    if let Some(updates) = upstream.updates() {
        // One that was deleted upstream must not stay here.
        query("DELETE FROM incident_updates WHERE incident_id = ?").bind(id).execute(&mut tx).await?;
        for update in updates {
            save_update(&mut tx, &update).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// The copies of incidents that were not over when they were made.
pub(super) async fn open_copies(db: &Db, page: &PageId) -> Result<Vec<OpenCopy>, KeeperError> {
    let list = query(
        "SELECT id, status IN ('scheduled', 'in_progress', 'verifying') FROM incidents
         WHERE page_id = ? AND mirrored AND status NOT IN ('resolved', 'completed')",
    );
    let rows: Vec<(IncidentId, bool)> = list.bind(page.as_str()).all(&mut db.read().await?).await?;
    Ok(rows.into_iter().map(|(id, is_maintenance)| OpenCopy { id, is_maintenance }).collect())
}

/// Deletes the copy of an incident that upstream does not have any more.
pub(super) async fn delete_copy(db: &Db, page: &PageId, id: &IncidentId) -> Result<(), KeeperError> {
    let mut tx = db.begin().await?;
    incident_rows::find(&mut tx, page, id).await?;
    query("DELETE FROM incidents WHERE id = ? AND mirrored").bind(id.as_str()).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Lets everything be changed here again that was a copy: there is no page upstream any more.
pub(in crate::keeper) async fn release(db: &Db) -> Result<(), KeeperError> {
    for text in
        ["UPDATE components SET mirrored = 0 WHERE mirrored", "UPDATE incidents SET mirrored = 0 WHERE mirrored"]
    {
        query(text).execute(&mut db.write().await?).await?;
    }
    Ok(())
}
