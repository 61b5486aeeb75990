//! Where checks are shown: the components that are made for them, and those that were there.

use std::collections::{HashMap, HashSet};

use checks::{check::Place, outcome::State};
use shared::{
    id::{ComponentGroupId, ComponentId, PageId},
    statuspage::ComponentStatus,
};

use super::{definition::Definition, store};
use crate::keeper::{
    KeeperError,
    db::{Conn, Moment, StorageError, Tx, new_id, query},
    status::{Component, components, groups},
};

/// Puts checks in their places on a page.
#[derive(Debug)]
pub(super) struct Places<'a> {
    page: &'a PageId,
    /// The component that is the home itself, which has a writer of its own.
    home: Option<&'a ComponentId>,
    now: Moment,
    /// The place behind everything, and the groups by name.
    next: i64,
    groups: HashMap<String, ComponentGroupId>,
}

impl<'a> Places<'a> {
    pub(super) async fn of(
        tx: &mut Tx,
        page: &'a PageId,
        home: Option<&'a ComponentId>,
        now: Moment,
    ) -> Result<Self, KeeperError> {
        let next = components::next_position(tx, page).await?;
        Ok(Self { page, home, now, next, groups: HashMap::new() })
    }

    /// The component that shows a check from now on; `own` is one that was made for it before.
    ///
    /// # Errors
    /// When a component that it names is not there, or is another's to set.
    pub(super) async fn put(
        &mut self,
        tx: &mut Tx,
        check: &Definition,
        own: Option<&ComponentId>,
    ) -> Result<Option<ComponentId>, KeeperError> {
        if check.component != Place::Own
            && let Some(own) = own
        {
            remove(tx, own).await?;
        }
        match &check.component {
            Place::Nowhere => Ok(None),
            Place::Component(id) => self.given(tx, check, id).await.map(Some),
            Place::Own => self.own(tx, check, own).await.map(Some),
        }
    }

    async fn given(&self, tx: &mut Tx, check: &Definition, id: &ComponentId) -> Result<ComponentId, KeeperError> {
        let wrong = |what: &str| KeeperError::Invalid(format!("checks ({}): component {id} {what}", check.name));
        let component = match components::find(tx, self.page, id).await {
            Ok(component) => component,
            Err(KeeperError::NotFound(_)) => {
                return Err(wrong("is not on the page: name one that is, or write own for one that is made for it"));
            }
            Err(error) => return Err(error),
        };
        if component.mirrored {
            return Err(wrong("is a copy of the one upstream, which is set there"));
        }
        if self.home == Some(id) {
            return Err(wrong("is the home itself, which its prober sets: name another one"));
        }
        let made_for = query("SELECT name FROM checks WHERE component_id = ? AND place = 'own' AND name <> ?");
        let made_for: Option<String> = made_for.bind(id.as_str()).bind(check.name.as_str()).optional(tx).await?;
        match made_for {
            Some(other) => Err(wrong(&format!("was made for the check {other}, and goes with it: name another one"))),
            None => Ok(id.clone()),
        }
    }

    async fn own(
        &mut self,
        tx: &mut Tx,
        check: &Definition,
        own: Option<&ComponentId>,
    ) -> Result<ComponentId, KeeperError> {
        let group_id = match &check.group {
            Some(name) => Some(self.group(tx, name).await?),
            None => None,
        };
        if let Some(id) = own {
            match components::find(tx, self.page, id).await {
                Ok(component) if component.name == check.title && component.group_id == group_id => {
                    return Ok(id.clone());
                }
                Ok(mut component) => {
                    component.name.clone_from(&check.title);
                    component.group_id = group_id;
                    component.updated_at = self.now.after(component.updated_at);
                    components::save(tx, &component).await?;
                    return Ok(id.clone());
                }
                // It is on the page that was shown before.
                Err(KeeperError::NotFound(_)) => remove(tx, id).await?,
                Err(error) => return Err(error),
            }
        }
        let id = ComponentId::try_from(new_id()).map_err(|error| KeeperError::Invalid(error.to_string()))?;
        let made = components::fresh(id.clone(), self.page, check.title.clone(), self.position(), self.now);
        // Nothing is known of it yet.
        components::insert(tx, &Component { status: None, group_id, ..made }).await?;
        Ok(id)
    }

    async fn group(&mut self, tx: &mut Tx, name: &str) -> Result<ComponentGroupId, KeeperError> {
        if let Some(id) = self.groups.get(name) {
            return Ok(id.clone());
        }
        let known =
            query("SELECT id FROM component_groups WHERE page_id = ? AND name = ? ORDER BY position, id LIMIT 1");
        let id = match known.bind(self.page.as_str()).bind(name).optional(tx).await? {
            Some(id) => id,
            None => groups::make(tx, self.page, name, self.position(), self.now).await?,
        };
        self.groups.insert(name.to_owned(), id.clone());
        Ok(id)
    }

    fn position(&mut self) -> i64 {
        self.next += 1;
        self.next - 1
    }
}

/// Removes a component that was made for a check; its history goes with it.
pub(super) async fn remove(tx: &mut Tx, id: &ComponentId) -> Result<(), StorageError> {
    query("DELETE FROM components WHERE id = ?").bind(id.as_str()).execute(tx).await?;
    Ok(())
}

/// Marks the components that checks set. One is looked at where a program runs one of its checks; of those that call us, what the
/// keeper says is its own word.
pub(super) async fn mark(tx: &mut Tx) -> Result<(), StorageError> {
    for text in [
        "UPDATE components SET checked = 0, looks = NOT relayed
             WHERE checked AND NOT EXISTS (SELECT 1 FROM checks WHERE component_id = components.id)",
        "UPDATE components SET checked = 1
             WHERE NOT checked AND EXISTS (SELECT 1 FROM checks WHERE component_id = components.id)",
        "UPDATE components SET looks = NOT looks WHERE checked AND looks <>
             EXISTS (SELECT 1 FROM checks WHERE component_id = components.id AND kind <> 'passive')",
    ] {
        query(text).execute(tx).await?;
    }
    Ok(())
}

/// Sets a component as its checks have it: the worst of them counts. A maintenance stands as long as a person says so, and a copy is
/// upstream's.
pub(super) async fn show(tx: &mut Tx, id: &ComponentId, at: Moment) -> Result<(), KeeperError> {
    let worst = store::counting(tx, id).await?.into_iter().filter_map(State::component_status).max();
    let Some(worst) = worst else { return Ok(()) };
    let found: Option<Component> =
        query("SELECT * FROM components WHERE id = ?").bind(id.as_str()).optional(tx).await?;
    let Some(mut component) = found else { return Ok(()) };
    if component.status == Some(worst) || component.mirrored || is_maintained(tx, &component).await? {
        return Ok(());
    }
    component.updated_at = at.after(component.updated_at);
    components::set_status(tx, &mut component, Some(worst)).await
}

/// Whether somebody works on it, by its status or by a maintenance that names it.
async fn is_maintained(conn: &mut Conn, component: &Component) -> Result<bool, StorageError> {
    Ok(component.status == Some(ComponentStatus::UnderMaintenance) || is_named(conn, &component.id).await?)
}

async fn is_named(conn: &mut Conn, id: &ComponentId) -> Result<bool, StorageError> {
    let named = query(
        "SELECT EXISTS (SELECT 1 FROM incident_components JOIN incidents ON incidents.id = incident_id
             WHERE component_id = ? AND incidents.status IN ('in_progress', 'verifying'))",
    );
    Ok(named.bind(id.as_str()).one::<i64>(conn).await? > 0)
}

/// Whether somebody works on the component of that id.
pub(super) async fn is_under_maintenance(conn: &mut Conn, id: &ComponentId) -> Result<bool, StorageError> {
    let status = query("SELECT EXISTS (SELECT 1 FROM components WHERE id = ? AND status = 'under_maintenance')");
    Ok(status.bind(id.as_str()).one::<i64>(conn).await? > 0 || is_named(conn, id).await?)
}

/// The components that somebody works on, by their ids.
pub(super) async fn maintained(conn: &mut Conn) -> Result<HashSet<String>, StorageError> {
    let list = query(
        "SELECT id FROM components WHERE status = 'under_maintenance' UNION
         SELECT component_id FROM incident_components JOIN incidents ON incidents.id = incident_id
             WHERE incidents.status IN ('in_progress', 'verifying')",
    );
    Ok(list.all::<String>(conn).await?.into_iter().collect())
}
