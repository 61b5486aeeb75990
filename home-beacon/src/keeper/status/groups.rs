//! Groups of components, and the order in which a page shows what it has. A group that has lost its last component stays until
//! it is deleted, but nobody is shown it.

use serde::{Serialize, Serializer};
use shared::{
    id::{ComponentGroupId, ComponentId, PageId},
    statuspage::ComponentStatus,
};

use super::{
    Component,
    components::{self, next_position},
    pages,
};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, FromRow, Moment, Row, StorageError, Tx, new_id, query},
};

/// More than this are not shown.
const MAX_SHOWN: u32 = 1000;

/// A group of components.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// 12 lower-case letters and digits.
    pub id: ComponentGroupId,
    /// The page that it is on.
    pub page_id: PageId,
    /// What visitors read.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// In the order of their places on the page.
    pub components: Vec<ComponentId>,
    /// Its place on the page; the Manage API sends a text.
    #[serde(serialize_with = "as_text")]
    pub position: i64,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
}

/// What to change of a group; absent fields stay.
#[derive(Debug, Default)]
pub struct GroupPatch {
    /// What visitors read.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<Option<String>>,
    /// Its components from now on.
    pub components: Option<Vec<ComponentId>>,
}

/// Something that a page shows in one place.
#[derive(Clone, Debug)]
pub(in crate::keeper) enum Place<T> {
    /// A component in no group.
    Alone(T),
    /// A group, with at least one component.
    Grouped(Group, Vec<T>),
}

impl<T> Place<T> {
    /// The components of it.
    pub(in crate::keeper) fn into_components(self) -> (Option<Group>, Vec<T>) {
        match self {
            Self::Alone(component) => (None, vec![component]),
            Self::Grouped(group, components) => (Some(group), components),
        }
    }
}

/// What a page has, in the order in which it is shown: components in their order, those of a group together at its place.
/// `component` is the component of what is to be placed.
pub(in crate::keeper) fn arranged<T>(
    all: Vec<T>,
    groups: Vec<Group>,
    component: impl Fn(&T) -> &Component,
) -> Vec<Place<T>> {
    let mut members: Vec<(Group, Vec<T>)> = groups.into_iter().map(|group| (group, Vec::new())).collect();
    let mut places: Vec<(i64, Place<T>)> = Vec::new();
    for it in all {
        let (group, position) = (component(&it).group_id.clone(), component(&it).position);
        match members.iter_mut().find(|(known, _)| Some(&known.id) == group.as_ref()) {
            Some((_, members)) => members.push(it),
            None => places.push((position, Place::Alone(it))),
        }
    }
    let shown = members.into_iter().filter(|(_, members)| !members.is_empty());
    places.extend(shown.map(|(group, members)| (group.position, Place::Grouped(group, members))));
    places.sort_by_key(|(position, _)| *position);
    places.into_iter().map(|(_, place)| place).collect()
}

/// As [`arranged`], each component beside its group.
pub(in crate::keeper) fn in_order(all: Vec<Component>, groups: Vec<Group>) -> Vec<(Option<Group>, Component)> {
    let places = arranged(all, groups, |component| component).into_iter().map(Place::into_components);
    places.flat_map(|(group, members)| members.into_iter().map(move |member| (group.clone(), member))).collect()
}

/// The status of a group: the worst of its components'.
pub(in crate::keeper) fn worst(statuses: impl Iterator<Item = Option<ComponentStatus>>) -> Option<ComponentStatus> {
    statuses.flatten().max()
}

/// The groups that those components are in. A database of an earlier version has none, and no such table.
pub(in crate::keeper) async fn of(
    db: &Db,
    page: &PageId,
    components: impl Iterator<Item = &Component>,
) -> Result<Vec<Group>, KeeperError> {
    let mut components = components;
    if components.all(|component| component.group_id.is_none()) {
        return Ok(Vec::new());
    }
    list(db, page, 0, MAX_SHOWN).await
}

/// A page's groups in their order; `skip` and `limit` count rows.
pub(in crate::keeper) async fn list(db: &Db, page: &PageId, skip: u32, limit: u32) -> Result<Vec<Group>, KeeperError> {
    let mut conn = db.read().await?;
    pages::find(&mut conn, page).await?;
    let list = query("SELECT * FROM component_groups WHERE page_id = ? ORDER BY position, id LIMIT ? OFFSET ?");
    let mut groups: Vec<Group> = list.bind(page.as_str()).bind(limit).bind(skip).all(&mut conn).await?;
    for group in &mut groups {
        fill(&mut conn, group).await?;
    }
    Ok(groups)
}

/// One group of a page.
pub(in crate::keeper) async fn get(db: &Db, page: &PageId, id: &ComponentGroupId) -> Result<Group, KeeperError> {
    find(&mut db.read().await?, page, id).await
}

/// Makes a group, the last one of its page.
pub(in crate::keeper) async fn create(
    db: &Db,
    now: Moment,
    page: &PageId,
    name: String,
    patch: GroupPatch,
) -> Result<Group, KeeperError> {
    let mut tx = db.begin().await?;
    pages::find(&mut tx, page).await?;
    let position = next_position(&mut tx, page).await?;
    let id = make(&mut tx, page, &name, position, now).await?;
    let group = Group { description: patch.description.flatten(), ..find(&mut tx, page, &id).await? };
    save(&mut tx, &group).await?;
    put_in(&mut tx, &group, &patch.components.unwrap_or_default(), now).await?;
    let group = find(&mut tx, page, &group.id).await?;
    tx.commit().await?;
    Ok(group)
}

/// Makes a group without components, in a transaction of the caller's.
pub(in crate::keeper) async fn make(
    tx: &mut Tx,
    page: &PageId,
    name: &str,
    position: i64,
    now: Moment,
) -> Result<ComponentGroupId, KeeperError> {
    let group = Group {
        id: ComponentGroupId::try_from(new_id()).map_err(|error| KeeperError::Invalid(error.to_string()))?,
        page_id: page.clone(),
        name: name.to_owned(),
        description: None,
        components: Vec::new(),
        position,
        created_at: now,
        updated_at: now,
    };
    save(tx, &group).await?;
    Ok(group.id)
}

/// Changes a group.
pub(in crate::keeper) async fn update(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &ComponentGroupId,
    patch: GroupPatch,
) -> Result<Group, KeeperError> {
    let mut tx = db.begin().await?;
    let mut group = find(&mut tx, page, id).await?;
    group.name = patch.name.unwrap_or(group.name);
    group.description = patch.description.unwrap_or(group.description);
    group.updated_at = now.after(group.updated_at);
    save(&mut tx, &group).await?;
    if let Some(components) = patch.components {
        put_in(&mut tx, &group, &components, now).await?;
    }
    let group = find(&mut tx, page, id).await?;
    tx.commit().await?;
    Ok(group)
}

/// Deletes a group and returns it as it was; its components are in none afterwards.
pub(in crate::keeper) async fn delete(db: &Db, page: &PageId, id: &ComponentGroupId) -> Result<Group, KeeperError> {
    let mut tx = db.begin().await?;
    let deleted = find(&mut tx, page, id).await?;
    query("DELETE FROM component_groups WHERE id = ?").bind(id.as_str()).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// # Errors
/// When the page has no such group.
pub(super) async fn check(conn: &mut Conn, page: &PageId, group: Option<&ComponentGroupId>) -> Result<(), KeeperError> {
    let Some(id) = group else { return Ok(()) };
    find(conn, page, id).await.map(drop).map_err(|error| match error {
        KeeperError::NotFound(what) => KeeperError::Invalid(format!("group_id: {what} could not be found")),
        error => error,
    })
}

pub(in crate::keeper) async fn find(
    conn: &mut Conn,
    page: &PageId,
    id: &ComponentGroupId,
) -> Result<Group, KeeperError> {
    let find = query("SELECT * FROM component_groups WHERE page_id = ? AND id = ?");
    let found: Option<Group> = find.bind(page.as_str()).bind(id.as_str()).optional(conn).await?;
    let mut group = found.ok_or_else(|| KeeperError::NotFound(format!("component group {id} of page {page}")))?;
    fill(conn, &mut group).await?;
    Ok(group)
}

async fn fill(conn: &mut Conn, group: &mut Group) -> Result<(), KeeperError> {
    let members = query("SELECT id FROM components WHERE group_id = ? ORDER BY position, id").bind(group.id.as_str());
    group.components = members.all(conn).await?;
    Ok(())
}

/// Has these components in the group and no others.
async fn put_in(tx: &mut Tx, group: &Group, wanted: &[ComponentId], now: Moment) -> Result<(), KeeperError> {
    let mut moved = Vec::new();
    for id in wanted {
        match components::find(tx, &group.page_id, id).await {
            Ok(component) if component.group_id.as_ref() == Some(&group.id) => (),
            Ok(component) => moved.push(Component { group_id: Some(group.id.clone()), ..component }),
            Err(KeeperError::NotFound(what)) => {
                return Err(KeeperError::Invalid(format!("components: {what} could not be found")));
            }
            Err(error) => return Err(error),
        }
    }
    for id in group.components.iter().filter(|id| !wanted.contains(id)) {
        moved.push(Component { group_id: None, ..components::find(tx, &group.page_id, id).await? });
    }
    for mut component in moved {
        component.updated_at = now.after(component.updated_at);
        components::save(tx, &component).await?;
    }
    Ok(())
}

async fn save(tx: &mut Tx, group: &Group) -> Result<(), KeeperError> {
    query(
        "INSERT INTO component_groups (id, page_id, name, description, position, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
             position = excluded.position, updated_at = excluded.updated_at",
    )
    .bind(group.id.as_str())
    .bind(group.page_id.as_str())
    .bind(&group.name)
    .bind(&group.description)
    .bind(group.position)
    .bind(group.created_at)
    .bind(group.updated_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Without its components.
impl FromRow for Group {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            page_id: row.get("page_id")?,
            name: row.get("name")?,
            description: row.get("description")?,
            components: Vec::new(),
            position: row.get("position")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn as_text<S: Serializer>(position: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(position)
}
