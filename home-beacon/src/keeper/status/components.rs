//! Components, and the history of their statuses.

use shared::{
    id::{ComponentGroupId, ComponentId, PageId},
    statuspage::ComponentStatus,
};

use super::{
    Component, StatusChange,
    deleted::{self, Kind},
    groups, pages,
};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, Moment, Tx, new_id, query},
    outbox::Outbox,
};

/// The most changes that are read: a home that flaps all the time has a few hundred a day.
const MAX_CHANGES: i64 = 50_000;

/// A component to be made; its status defaults to operational.
#[derive(Debug)]
pub struct NewComponent {
    /// What visitors read.
    pub name: String,
    /// Everything else.
    pub patch: ComponentPatch,
}

/// What to change of a component; absent fields stay.
#[derive(Debug, Default)]
pub struct ComponentPatch {
    /// What visitors read.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<Option<String>>,
    /// `Some(None)` is the API's empty value.
    pub status: Option<Option<ComponentStatus>>,
    /// Whether its uptime is shown.
    pub showcase: Option<bool>,
    /// Whether the page leaves it out while it is operational.
    pub only_show_if_degraded: Option<bool>,
    /// The group that it is in.
    pub group_id: Option<Option<ComponentGroupId>>,
    /// `YYYY-MM-DD`
    pub start_date: Option<Option<String>>,
}

impl ComponentPatch {
    /// Whether nothing but the status is changed.
    pub(in crate::keeper) fn is_status_alone(&self) -> bool {
        let Self { name, description, status: _, showcase, only_show_if_degraded, group_id, start_date } = self;
        let is_named = name.is_some() || description.is_some() || start_date.is_some();
        !is_named && showcase.is_none() && only_show_if_degraded.is_none() && group_id.is_none()
    }
}

/// A page's components in their order; `skip` and `limit` count rows.
///
/// # Errors
/// When there is no such page, or the storage fails.
pub async fn list(db: &Db, page: &PageId, skip: u32, limit: u32) -> Result<Vec<Component>, KeeperError> {
    let mut conn = db.read().await?;
    pages::find(&mut conn, page).await?;
    let list = query("SELECT * FROM components WHERE page_id = ? ORDER BY position, id LIMIT ? OFFSET ?");
    Ok(list.bind(page.as_str()).bind(limit).bind(skip).all(&mut conn).await?)
}

/// One component of a page.
pub(in crate::keeper) async fn get(db: &Db, page: &PageId, id: &ComponentId) -> Result<Component, KeeperError> {
    find(&mut db.read().await?, page, id).await
}

/// Makes a component, the last one of its page.
pub(in crate::keeper) async fn create(
    db: &Db,
    now: Moment,
    page: &PageId,
    new: NewComponent,
) -> Result<Component, KeeperError> {
    let mut tx = db.begin().await?;
    pages::find(&mut tx, page).await?;
    let id = ComponentId::try_from(new_id()).map_err(|error| KeeperError::Invalid(error.to_string()))?;
    let mut component = fresh(id, page, new.name, next_position(&mut tx, page).await?, now);
    if let Some(status) = new.patch.status {
        component.status = status;
    }
    component.description = new.patch.description.flatten();
    component.showcase = new.patch.showcase.unwrap_or(component.showcase);
    component.only_show_if_degraded = new.patch.only_show_if_degraded.unwrap_or_default();
    component.start_date = new.patch.start_date.flatten();
    component.group_id = new.patch.group_id.flatten();
    groups::check(&mut tx, page, component.group_id.as_ref()).await?;
    insert(&mut tx, &component).await?;
    tx.commit().await?;
    Ok(component)
}

/// Changes a component.
///
/// # Errors
/// When there is none, its status is a copy of upstream's, or the storage fails.
pub async fn update(
    db: &Db,
    outbox: &Outbox,
    now: Moment,
    page: &PageId,
    id: &ComponentId,
    patch: ComponentPatch,
) -> Result<Component, KeeperError> {
    let mut tx = db.begin().await?;
    let mut component = find(&mut tx, page, id).await?;
    component.name = patch.name.unwrap_or(component.name);
    component.description = patch.description.unwrap_or(component.description);
    component.showcase = patch.showcase.unwrap_or(component.showcase);
    component.only_show_if_degraded = patch.only_show_if_degraded.unwrap_or(component.only_show_if_degraded);
    component.start_date = patch.start_date.unwrap_or(component.start_date);
    component.group_id = patch.group_id.unwrap_or(component.group_id);
    groups::check(&mut tx, page, component.group_id.as_ref()).await?;
    component.updated_at = now.after(component.updated_at);
    let status = patch.status.unwrap_or(component.status);
    check_is_ours(&component, status)?;
    set_status(&mut tx, &mut component, status).await?;
    tx.commit().await?;
    outbox.wake();
    Ok(component)
}

/// Deletes a component, which a seed does not bring back.
pub(in crate::keeper) async fn delete(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &ComponentId,
) -> Result<(), KeeperError> {
    let mut tx = db.begin().await?;
    find(&mut tx, page, id).await?;
    query("DELETE FROM components WHERE id = ?").bind(id.as_str()).execute(&mut tx).await?;
    deleted::record(&mut tx, page, Kind::Component, id.as_str(), now).await?;
    tx.commit().await?;
    Ok(())
}

/// The latest statuses of a component, the newest first.
pub(in crate::keeper) async fn status_changes(
    db: &Db,
    id: &ComponentId,
    limit: u32,
) -> Result<Vec<StatusChange>, KeeperError> {
    let list = query("SELECT status, since FROM component_statuses WHERE component_id = ? ORDER BY since DESC LIMIT ?");
    Ok(list.bind(id.as_str()).bind(limit).all(&mut db.read().await?).await?)
}

/// The statuses that a component took within that time, in milliseconds since 1970, and the one that it had before; the oldest
/// first.
pub(in crate::keeper) async fn statuses_within(
    db: &Db,
    id: &ComponentId,
    time: std::ops::Range<i64>,
) -> Result<Vec<StatusChange>, KeeperError> {
    let list = query(
        "SELECT * FROM (SELECT status, since FROM component_statuses WHERE component_id = ?1 AND since < ?3 AND since >= COALESCE(
             (SELECT MAX(since) FROM component_statuses WHERE component_id = ?1 AND since <= ?2), ?2)
             ORDER BY since DESC LIMIT ?4) AS newest
         ORDER BY since",
    );
    let list = list.bind(id.as_str()).bind(time.start).bind(time.end).bind(MAX_CHANGES);
    Ok(list.all(&mut db.read().await?).await?)
}

/// When a component took its first status, in milliseconds since 1970.
pub(in crate::keeper) async fn first_status(db: &Db, id: &ComponentId) -> Result<Option<i64>, KeeperError> {
    let first = query("SELECT MIN(since) FROM component_statuses WHERE component_id = ? AND status <> ''");
    Ok(first.bind(id.as_str()).one(&mut db.read().await?).await?)
}

/// # Errors
/// When the status would change, and it is a copy of upstream's.
pub(in crate::keeper) fn check_is_ours(
    component: &Component,
    status: Option<ComponentStatus>,
) -> Result<(), KeeperError> {
    if !component.mirrored || component.status == status {
        return Ok(());
    }
    let id = &component.id;
    Err(KeeperError::Invalid(format!("status: component {id} is a copy of the one upstream: set it there")))
}

/// A component as it is before any client has set anything of it.
pub(in crate::keeper) fn fresh(id: ComponentId, page: &PageId, name: String, position: i64, now: Moment) -> Component {
    Component {
        id,
        page_id: page.clone(),
        name,
        description: None,
        position,
        status: Some(ComponentStatus::Operational),
        showcase: true,
        only_show_if_degraded: false,
        start_date: None,
        created_at: now,
        updated_at: now,
        group_id: None,
        group: false,
        mirrored: false,
        seeded: None,
        looks: true,
        checked: false,
        porchlight_shown: None,
        porchlight_warning: None,
    }
}

/// The component's row.
pub(in crate::keeper) async fn find(
    conn: &mut Conn,
    page: &PageId,
    id: &ComponentId,
) -> Result<Component, KeeperError> {
    let find = query("SELECT * FROM components WHERE page_id = ? AND id = ?").bind(page.as_str()).bind(id.as_str());
    find.optional(conn).await?.ok_or_else(|| KeeperError::NotFound(format!("component {id} of page {page}")))
}

/// The place behind everything that a page has.
pub(in crate::keeper) async fn next_position(conn: &mut Conn, page: &PageId) -> Result<i64, KeeperError> {
    let last = query(
        "SELECT MAX(position) FROM (SELECT position FROM components WHERE page_id = ?1
             UNION ALL SELECT position FROM component_groups WHERE page_id = ?1)",
    );
    let last = last.bind(page.as_str());
    let last: Option<i64> = last.one(conn).await?;
    Ok(last.unwrap_or(0) + 1)
}

/// Writes the component, whose `updated_at` is the time of the change, with `status`; adds to its history if it is another.
pub(in crate::keeper) async fn set_status(
    tx: &mut Tx,
    component: &mut Component,
    status: Option<ComponentStatus>,
) -> Result<(), KeeperError> {
    let has_changed = component.status != status;
    component.status = status;
    if has_changed { insert(tx, component).await } else { save(tx, component).await }
}

/// Writes the component, and adds its status to its history.
pub(in crate::keeper) async fn insert(tx: &mut Tx, component: &Component) -> Result<(), KeeperError> {
    save(tx, component).await?;
    query("INSERT INTO component_statuses (component_id, since, status) VALUES (?, ?, ?)")
        .bind(component.id.as_str())
        .bind(component.updated_at)
        .bind(component.status.map_or("", ComponentStatus::as_str))
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes the component, new or not; its history is left alone.
pub(in crate::keeper) async fn save(tx: &mut Tx, component: &Component) -> Result<(), KeeperError> {
    query(
        "INSERT INTO components (id, page_id, name, description, position, status, showcase,
             only_show_if_degraded, start_date, created_at, updated_at, group_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
             position = excluded.position, status = excluded.status, showcase = excluded.showcase,
             only_show_if_degraded = excluded.only_show_if_degraded, start_date = excluded.start_date,
             updated_at = excluded.updated_at, group_id = excluded.group_id",
    )
    .bind(component.id.as_str())
    .bind(component.page_id.as_str())
    .bind(&component.name)
    .bind(&component.description)
    .bind(component.position)
    .bind(component.status.map_or("", ComponentStatus::as_str))
    .bind(component.showcase)
    .bind(component.only_show_if_degraded)
    .bind(&component.start_date)
    .bind(component.created_at)
    .bind(component.updated_at)
    .bind(component.group_id.as_ref().map(ComponentGroupId::as_str))
    .execute(tx)
    .await?;
    Ok(())
}
