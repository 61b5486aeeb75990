//! What upstream says of the page: copies of components' statuses and of incidents, with upstream's times. And the other way
//! round, the statuses that upstream is to be told.

use jiff::Timestamp;
use shared::{
    id::{ComponentId, IncidentId, PageId},
    statuspage::ComponentStatus,
};
use sqlx::SqliteConnection;

use super::{
    Moment, OutsideIncident, Store, StoreError, components,
    incident_rows::{incident, save, save_update},
};

/// A copy of an incident that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCopy {
    pub id: IncidentId,
    /// Whether it is planned maintenance, which upstream lists elsewhere.
    pub is_maintenance: bool,
}

/// A component's status that upstream is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusToTell {
    pub component: ComponentId,
    pub status: ComponentStatus,
    /// What upstream took last from here.
    pub delivered: Option<ComponentStatus>,
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
        if known.as_ref().is_some_and(|known| told.is_as(known)) {
            return Ok(false);
        }
        let mut change = self.begin_write().await?;
        save(&mut change, &told.as_ours(page)).await?;
        sqlx::query("UPDATE incidents SET mirrored = 1, upstream_status = ? WHERE id = ?")
            .bind(told.other_word())
            .bind(told.id.as_str())
            .execute(&mut *change)
            .await?;
        if let Some(components) = &told.components {
            let query = sqlx::query("DELETE FROM incident_components WHERE incident_id = ?").bind(told.id.as_str());
            query.execute(&mut *change).await?;
            for id in components {
                // Upstream may name components that this page does not have.
                let query = "INSERT OR IGNORE INTO incident_components (incident_id, component_id)
                             SELECT ?, id FROM components WHERE id = ? AND page_id = ?";
                let tie = sqlx::query(query).bind(told.id.as_str()).bind(id).bind(page.as_str());
                tie.execute(&mut *change).await?;
            }
        }
        if let Some(updates) = told.updates() {
            // One that was taken back upstream must not stay here.
            sqlx::query("DELETE FROM incident_updates WHERE incident_id = ?")
                .bind(told.id.as_str())
                .execute(&mut *change)
                .await?;
            for update in updates {
                save_update(&mut change, &update).await?;
            }
        }
        change.commit().await?;
        Ok(true)
    }

    /// The copies of incidents that were not over when they were made.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn mirrored_open(&self, page: &PageId) -> Result<Vec<OpenCopy>, StoreError> {
        let query = "SELECT id, status IN ('scheduled', 'in_progress', 'verifying') FROM incidents
                     WHERE page_id = ? AND mirrored AND status NOT IN ('resolved', 'completed')";
        let rows: Vec<(String, bool)> = sqlx::query_as(query).bind(page.as_str()).fetch_all(&self.read).await?;
        let read = |(id, is_maintenance)| Some(OpenCopy { id: IncidentId::try_from(id).ok()?, is_maintenance });
        Ok(rows.into_iter().filter_map(read).collect())
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
