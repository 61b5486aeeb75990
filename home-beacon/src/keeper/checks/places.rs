//! Where checks are shown: the components that are made for them, and those that were there.

use std::collections::{HashMap, HashSet};

use checks::{check::Place, outcome::State};
use shared::{
    id::{ComponentGroupId, ComponentId, PageId},
    statuspage::ComponentStatus,
};

use super::{definition::Definition, known::Known, store};
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

/// Where a check is shown.
#[derive(Clone, Debug)]
pub(super) struct Put {
    pub(super) place: Place,
    pub(super) component: Option<ComponentId>,
    /// Why it is not where it was to be.
    pub(super) wrong: Option<String>,
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

    /// Where a check is shown from now on; `before` is how it was. Where the component that it names is not there, or is another's to
    /// set, it stays where it was.
    ///
    /// # Errors
    /// When the storage fails.
    pub(super) async fn put(
        &mut self,
        tx: &mut Tx,
        check: &Definition,
        before: Option<&Known>,
    ) -> Result<Put, KeeperError> {
        let own = before.filter(|before| before.check.component == Place::Own);
        let own = own.and_then(|before| before.component.clone());
        let place = check.component.clone();
        if let Place::Component(id) = &place
            && let Some(why) = self.why_not(tx, check, id).await?
        {
            let component = before.and_then(|before| before.component.clone());
            let place = before.map_or(Place::Nowhere, |before| before.check.component.clone());
            let shown = if component.is_some() { "it is shown where it was" } else { "it is shown nowhere" };
            let wrong = format!("{}: component {id} {why}; until then {shown}", check.name);
            return Ok(Put { place, component, wrong: Some(wrong) });
        }
        if place != Place::Own
            && let Some(own) = &own
        {
            remove(tx, own).await?;
        }
        let component = match &place {
            Place::Nowhere => None,
            Place::Component(id) => Some(id.clone()),
            Place::Own => Some(self.own(tx, check, own.as_ref()).await?),
        };
        Ok(Put { place, component, wrong: None })
    }

    /// Why a check cannot be shown by that component.
    async fn why_not(&self, tx: &mut Tx, check: &Definition, id: &ComponentId) -> Result<Option<String>, KeeperError> {
        let component = match components::find(tx, self.page, id).await {
            Ok(component) => component,
            Err(KeeperError::NotFound(_)) => {
                let why = "is not on the page: name one that is, or write own for one that is made for it";
                return Ok(Some(why.into()));
            }
            Err(error) => return Err(error),
        };
        if component.mirrored {
            return Ok(Some("is a copy of the one upstream, which is set there: name another one".into()));
        }
        if self.home == Some(id) {
            return Ok(Some("is the home itself, which its prober sets: name another one".into()));
        }
        let made_for = query("SELECT name FROM checks WHERE component_id = ? AND place = 'own' AND name <> ?");
        let made_for: Option<String> = made_for.bind(id.as_str()).bind(check.name.as_str()).optional(tx).await?;
        let why = |other| format!("was made for the check {other}, and goes with it: name another one");
        Ok(made_for.map(why))
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
