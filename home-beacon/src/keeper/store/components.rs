//! Components, and the history of their statuses.

use shared::{
    id::{ComponentId, PageId},
    statuspage::ComponentStatus,
};
use sqlx::SqliteConnection;

use super::{
    Component, Moment, StatusChange, Store, StoreError,
    deleted::{self, Kind},
    new_id, pages,
};

/// A component to be made; its status defaults to operational.
#[derive(Debug)]
pub struct NewComponent {
    pub name: String,
    pub patch: ComponentPatch,
}

/// What to change of a component; absent fields stay.
#[derive(Debug, Default)]
pub struct ComponentPatch {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub status: Option<String>,
    pub showcase: Option<bool>,
    pub only_show_if_degraded: Option<bool>,
    pub start_date: Option<Option<String>>,
}

impl Store {
    /// A page's components in their order; `skip` and `limit` count rows.
    pub async fn components(&self, page: &PageId, skip: u32, limit: u32) -> Result<Vec<Component>, StoreError> {
        let mut connection = self.read.acquire().await?;
        pages::page(&mut connection, page).await?;
        let query = "SELECT * FROM components WHERE page_id = ? ORDER BY position, id LIMIT ? OFFSET ?";
        Ok(sqlx::query_as(query).bind(page.as_str()).bind(limit).bind(skip).fetch_all(&mut *connection).await?)
    }

    pub async fn component(&self, page: &PageId, id: &ComponentId) -> Result<Component, StoreError> {
        component(&mut *self.read.acquire().await?, page, id).await
    }

    pub async fn create_component(&self, page: &PageId, new: NewComponent) -> Result<Component, StoreError> {
        let mut change = self.begin_write().await?;
        pages::page(&mut change, page).await?;
        let id = ComponentId::try_from(new_id()).map_err(|error| StoreError::Contradiction(error.to_string()))?;
        let mut component = fresh(id, page, new.name, next_position(&mut change, page).await?, self.now());
        if let Some(status) = new.patch.status {
            component.status = status;
        }
        component.description = new.patch.description.flatten();
        component.showcase = new.patch.showcase.unwrap_or(component.showcase);
        component.only_show_if_degraded = new.patch.only_show_if_degraded.unwrap_or_default();
        component.start_date = new.patch.start_date.flatten();
        save(&mut change, &component).await?;
        record(&mut change, &component).await?;
        change.commit().await?;
        Ok(component)
    }

    pub async fn update_component(
        &self,
        page: &PageId,
        id: &ComponentId,
        patch: ComponentPatch,
    ) -> Result<Component, StoreError> {
        let mut change = self.begin_write().await?;
        let mut component = component(&mut change, page, id).await?;
        component.name = patch.name.unwrap_or(component.name);
        component.description = patch.description.unwrap_or(component.description);
        component.showcase = patch.showcase.unwrap_or(component.showcase);
        component.only_show_if_degraded = patch.only_show_if_degraded.unwrap_or(component.only_show_if_degraded);
        component.start_date = patch.start_date.unwrap_or(component.start_date);
        component.updated_at = self.now().after(component.updated_at);
        let status = patch.status.unwrap_or_else(|| component.status.clone());
        own(&component, &status)?;
        set_status(&mut change, &mut component, status).await?;
        change.commit().await?;
        self.queued.notify_one();
        Ok(component)
    }

    pub async fn delete_component(&self, page: &PageId, id: &ComponentId) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        component(&mut change, page, id).await?;
        sqlx::query("DELETE FROM components WHERE id = ?").bind(id.as_str()).execute(&mut *change).await?;
        deleted::note(&mut change, page, Kind::Component, id.as_str(), self.now()).await?;
        change.commit().await?;
        Ok(())
    }

    /// The latest statuses of a component, the newest first.
    pub async fn status_changes(&self, id: &ComponentId, limit: u32) -> Result<Vec<StatusChange>, StoreError> {
        let query = "SELECT status, since FROM component_statuses WHERE component_id = ? ORDER BY since DESC LIMIT ?";
        Ok(sqlx::query_as(query).bind(id.as_str()).bind(limit).fetch_all(&self.read).await?)
    }
}

/// # Errors
/// When somebody else says what that component is.
pub(super) fn own(component: &Component, status: &str) -> Result<(), StoreError> {
    if !component.mirrored || component.status == status {
        return Ok(());
    }
    let id = &component.id;
    Err(StoreError::Contradiction(format!("status: component {id} is a copy of the one upstream: set it there")))
}

/// A component as it is when nobody has said anything of it yet.
pub(super) fn fresh(id: ComponentId, page: &PageId, name: String, position: i64, now: Moment) -> Component {
    Component {
        id,
        page_id: page.clone(),
        name,
        description: None,
        position,
        status: ComponentStatus::Operational.as_str().to_owned(),
        showcase: true,
        only_show_if_degraded: false,
        start_date: None,
        created_at: now,
        updated_at: now,
        group_id: None,
        group: false,
        mirrored: false,
        seeded: None,
        porchlight_shown: None,
        porchlight_warning: None,
    }
}

pub(super) async fn component(
    connection: &mut SqliteConnection,
    page: &PageId,
    id: &ComponentId,
) -> Result<Component, StoreError> {
    sqlx::query_as("SELECT * FROM components WHERE page_id = ? AND id = ?")
        .bind(page.as_str())
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("component {id} of page {page}")))
}

pub(super) async fn next_position(connection: &mut SqliteConnection, page: &PageId) -> Result<i64, StoreError> {
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(position) FROM components WHERE page_id = ?")
        .bind(page.as_str())
        .fetch_one(connection)
        .await?;
    Ok(last.unwrap_or(0) + 1)
}

/// Writes the component, whose `updated_at` is the time of the change, with `status`; records it if it is another.
pub(super) async fn set_status(
    connection: &mut SqliteConnection,
    component: &mut Component,
    status: String,
) -> Result<(), StoreError> {
    let changed = component.status != status;
    component.status = status;
    save(connection, component).await?;
    if changed { record(connection, component).await } else { Ok(()) }
}

async fn record(connection: &mut SqliteConnection, component: &Component) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO component_statuses (component_id, since, status) VALUES (?, ?, ?)")
        .bind(component.id.as_str())
        .bind(component.updated_at.millis())
        .bind(&component.status)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes a new component that is not of the API's making, and begins its history.
pub(super) async fn insert(connection: &mut SqliteConnection, component: &Component) -> Result<(), StoreError> {
    save(connection, component).await?;
    record(connection, component).await
}

pub(super) async fn save(connection: &mut SqliteConnection, component: &Component) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO components (id, page_id, name, description, position, status, showcase,
             only_show_if_degraded, start_date, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
             position = excluded.position, status = excluded.status, showcase = excluded.showcase,
             only_show_if_degraded = excluded.only_show_if_degraded, start_date = excluded.start_date,
             updated_at = excluded.updated_at",
    )
    .bind(component.id.as_str())
    .bind(component.page_id.as_str())
    .bind(&component.name)
    .bind(&component.description)
    .bind(component.position)
    .bind(&component.status)
    .bind(component.showcase)
    .bind(component.only_show_if_degraded)
    .bind(&component.start_date)
    .bind(component.created_at.millis())
    .bind(component.updated_at.millis())
    .execute(connection)
    .await?;
    Ok(())
}
