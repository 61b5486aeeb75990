//! Incidents and their updates.
//!
//! An incident is either realtime (investigating, identified, monitoring, resolved) or scheduled (scheduled,
//! in progress, verifying, completed), and stays what it is.

use serde_json::Value;
use shared::{
    id::{IncidentId, PageId},
    statuspage::{Impact, IncidentStatus},
};

use super::{
    Incident, IncidentPatch, IncidentUpdate,
    incident_changes::alter,
    incident_rows::{fill, find, save, save_update},
    model::IncidentTimes,
    pages,
    plan::Plan,
};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, new_id, query},
};

const ONE_KIND: &str = "status: a scheduled incident has scheduled_for and a status of scheduled, in_progress, \
                        verifying or completed; any other has neither";

/// Which incidents to list.
#[derive(Clone, Debug)]
pub enum IncidentFilter {
    /// All, or those whose name, status or updates contain the text.
    All(Option<String>),
    /// Realtime ones, whether over or not.
    Realtime,
    /// Maintenance, whether over or not.
    Maintenance,
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
    /// Its heading.
    pub name: String,
    /// Everything else.
    pub patch: IncidentPatch,
    /// When it was, where it is entered afterwards.
    pub backfilled: Option<Moment>,
}

/// What to change of an update; absent fields stay.
#[derive(Debug, Default)]
pub struct UpdatePatch {
    /// Its text.
    pub body: Option<String>,
    /// The time that visitors read.
    pub display_at: Option<Moment>,
    /// Whether subscribers were to be notified.
    pub deliver_notifications: Option<bool>,
}

/// A page's incidents, the newest first; `skip` and `limit` count incidents.
pub(in crate::keeper) async fn list(
    db: &Db,
    page: &PageId,
    filter: &IncidentFilter,
    skip: u32,
    limit: u32,
) -> Result<Vec<Incident>, KeeperError> {
    let mut conn = db.read().await?;
    pages::find(&mut conn, page).await?;
    let text = if let IncidentFilter::All(Some(text)) = filter { literal(text) } else { String::new() };
    let list = query(filter.query()).bind(page.as_str()).bind(text).bind(limit).bind(skip);
    let mut incidents: Vec<Incident> = list.all(&mut conn).await?;
    for incident in &mut incidents {
        fill(&mut conn, incident).await?;
    }
    Ok(incidents)
}

/// One incident of a page.
///
/// # Errors
/// When there is none, or the storage fails.
pub async fn get(db: &Db, page: &PageId, id: &IncidentId) -> Result<Incident, KeeperError> {
    find(&mut db.read().await?, page, id).await
}

/// Opens an incident.
pub(in crate::keeper) async fn create(
    db: &Db,
    now: Moment,
    page: &PageId,
    new: NewIncident,
) -> Result<Incident, KeeperError> {
    let mut tx = db.begin().await?;
    pages::find(&mut tx, page).await?;
    let patch = new.patch;
    let is_scheduled = patch.scheduled_for.flatten().is_some();
    let default = match (is_scheduled, new.backfilled) {
        (true, _) => IncidentStatus::Scheduled,
        // What is entered afterwards is over, unless it is said not to be.
        (false, Some(_)) => IncidentStatus::Resolved,
        (false, None) => IncidentStatus::Investigating,
    };
    let status = patch.status.unwrap_or(default);
    if status.is_maintenance() != is_scheduled {
        return Err(KeeperError::Invalid(ONE_KIND.into()));
    }
    let id = IncidentId::try_from(new_id()).map_err(|error| KeeperError::Invalid(error.to_string()))?;
    let mut opened = Incident {
        id,
        page_id: page.clone(),
        name: new.name,
        state: status.into(),
        impact: if is_scheduled { Impact::Maintenance } else { Impact::None },
        impact_override: None,
        metadata: Value::Object(serde_json::Map::new()),
        reminder_intervals: None,
        backfilled: new.backfilled.is_some(),
        mirrored: false,
        times: IncidentTimes {
            scheduled_for: None,
            scheduled_until: None,
            started_at: new.backfilled.unwrap_or(now),
            monitoring_at: None,
            resolved_at: None,
            created_at: new.backfilled.unwrap_or(now),
            updated_at: now,
        },
        plan: Plan::default(),
        postmortem: None,
        shortlink: None,
        components: Vec::new(),
        incident_updates: Vec::new(),
    };
    // Its row must be there before anything can be tied to it.
    save(&mut tx, &opened).await?;
    // From no status at all: the times of the first one are recorded, too.
    opened.state = IncidentStatus::Other.into();
    let patch = IncidentPatch { status: Some(status), ..patch };
    alter(&mut tx, &mut opened, patch, now).await?;
    let opened = find(&mut tx, page, &opened.id).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Changes an incident.
pub(in crate::keeper) async fn update(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &IncidentId,
    patch: IncidentPatch,
) -> Result<Incident, KeeperError> {
    let mut tx = db.begin().await?;
    let mut changed = ours(find(&mut tx, page, id).await?)?;
    let is_scheduled = changed.state.status.is_maintenance();
    if patch.status.is_some_and(|status| status.is_maintenance() != is_scheduled) {
        let kind = if is_scheduled { "scheduled" } else { "realtime" };
        return Err(KeeperError::Invalid(format!("status: a {kind} incident stays one")));
    }
    if patch.scheduled_for.is_some_and(|time| time.is_some() != is_scheduled) {
        return Err(KeeperError::Invalid(ONE_KIND.into()));
    }
    let now = now.after(changed.times.updated_at);
    alter(&mut tx, &mut changed, patch, now).await?;
    let changed = find(&mut tx, page, id).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Deletes an incident and returns it as it was.
pub(in crate::keeper) async fn delete(db: &Db, page: &PageId, id: &IncidentId) -> Result<Incident, KeeperError> {
    let mut tx = db.begin().await?;
    let deleted = ours(find(&mut tx, page, id).await?)?;
    query("DELETE FROM incidents WHERE id = ?").bind(id.as_str()).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Changes an update of an incident.
pub(in crate::keeper) async fn edit_update(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &IncidentId,
    update: &str,
    patch: UpdatePatch,
) -> Result<IncidentUpdate, KeeperError> {
    let mut tx = db.begin().await?;
    let of = ours(find(&mut tx, page, id).await?)?;
    let found = of.incident_updates.into_iter().find(|found| found.id == update);
    let mut edited = found.ok_or_else(|| KeeperError::NotFound(format!("update {update} of incident {id}")))?;
    edited.body = patch.body.unwrap_or(edited.body);
    edited.display_at = patch.display_at.unwrap_or(edited.display_at);
    edited.deliver_notifications = patch.deliver_notifications.unwrap_or(edited.deliver_notifications);
    edited.updated_at = now.after(edited.updated_at);
    save_update(&mut tx, &edited).await?;
    tx.commit().await?;
    Ok(edited)
}

/// # Errors
/// When it is a copy.
pub(super) fn ours(incident: Incident) -> Result<Incident, KeeperError> {
    if !incident.mirrored {
        return Ok(incident);
    }
    let id = &incident.id;
    Err(KeeperError::Invalid(format!("incident {id} is a copy of the one upstream: change it there")))
}

/// A text as LIKE finds it literally.
fn literal(text: &str) -> String {
    let escaped = |letter| matches!(letter, '%' | '_' | '\\').then_some('\\');
    text.chars().flat_map(|letter| escaped(letter).into_iter().chain([letter])).collect()
}

impl IncidentFilter {
    /// The statement; its parameters are page, search text, limit and offset.
    const fn query(&self) -> &'static str {
        match self {
            Self::All(None) => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = '' ORDER BY created_at DESC, id LIMIT ? OFFSET ?"
            }
            Self::All(Some(_)) => {
                "SELECT * FROM incidents i WHERE page_id = ?1 AND (name LIKE '%' || ?2 || '%' ESCAPE '\\'
                     OR status LIKE '%' || ?2 || '%' ESCAPE '\\' OR EXISTS (SELECT 1 FROM incident_updates u
                         WHERE u.incident_id = i.id AND u.body LIKE '%' || ?2 || '%' ESCAPE '\\'))
                 ORDER BY created_at DESC, id LIMIT ?3 OFFSET ?4"
            }
            Self::Realtime => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = ''
                     AND status IN ('investigating', 'identified', 'monitoring', 'resolved')
                 ORDER BY created_at DESC, id LIMIT ? OFFSET ?"
            }
            Self::Maintenance => {
                "SELECT * FROM incidents WHERE page_id = ? AND ? = ''
                     AND status IN ('scheduled', 'in_progress', 'verifying', 'completed')
                 ORDER BY created_at DESC, id LIMIT ? OFFSET ?"
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
