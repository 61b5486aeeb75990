//! Incidents and their updates.
//!
//! An incident is either realtime (investigating, identified, monitoring, resolved) or scheduled (scheduled,
//! in progress, verifying, completed), and stays what it is.

use serde_json::Value;
use shared::id::{IncidentId, PageId};

use super::{
    Incident, IncidentUpdate, Moment, Store, StoreError,
    incident_changes::{IncidentPatch, alter, is_scheduled},
    incident_rows::{fill, incident, save, save_update},
    new_id, pages,
    records::IncidentTimes,
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
    pub name: String,
    pub patch: IncidentPatch,
    pub backfilled: Option<Moment>,
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
        let text = if let IncidentFilter::All(Some(text)) = filter { literal(text) } else { String::new() };
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
        let mut change = self.begin_write().await?;
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
            upstream_status: None,
            impact: if scheduled { "maintenance" } else { "none" }.into(),
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
            shortlink: None,
            components: Vec::new(),
            incident_updates: Vec::new(),
        };
        // It must be there before anything can be tied to it, so it begins where it is about to be.
        opened.status.clone_from(&status);
        save(&mut change, &opened).await?;
        opened.status.clear();
        let patch = IncidentPatch { status: Some(status), ..patch };
        alter(&mut change, &mut opened, patch, now).await?;
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
        let mut change = self.begin_write().await?;
        let mut changed = own(incident(&mut change, page, id).await?)?;
        let scheduled = is_scheduled(&changed.status);
        if patch.status.as_ref().is_some_and(|status| is_scheduled(status) != scheduled) {
            let kind = if scheduled { "scheduled" } else { "realtime" };
            return Err(StoreError::Contradiction(format!("status: a {kind} incident stays one")));
        }
        if patch.scheduled_for.is_some_and(|time| time.is_some() != scheduled) {
            return Err(StoreError::Contradiction(ONE_KIND.into()));
        }
        let now = self.now().after(changed.times.updated_at);
        alter(&mut change, &mut changed, patch, now).await?;
        let changed = incident(&mut change, page, id).await?;
        change.commit().await?;
        Ok(changed)
    }

    /// Deletes an incident and returns it as it was.
    pub async fn delete_incident(&self, page: &PageId, id: &IncidentId) -> Result<Incident, StoreError> {
        let mut change = self.begin_write().await?;
        let deleted = own(incident(&mut change, page, id).await?)?;
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
        let mut change = self.begin_write().await?;
        let of = own(incident(&mut change, page, id).await?)?;
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
}

/// # Errors
/// When it is a copy.
fn own(incident: Incident) -> Result<Incident, StoreError> {
    if !incident.mirrored {
        return Ok(incident);
    }
    let id = &incident.id;
    Err(StoreError::Contradiction(format!("incident {id} is a copy of the one upstream: change it there")))
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
