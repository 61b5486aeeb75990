//! A program registers its checks: all of them at once, in one transaction. What it does not name any more goes, and one that was
//! called something else goes on.

use std::collections::{HashMap, HashSet};

use checks::check::{CheckName, Place};
use notify::event::Subject;
use shared::id::{ComponentId, PageId};

use super::{
    MAX_CHECKS, conditions,
    definition::{Definition, Kind, Registration},
    known::Known,
    pauses,
    places::{self, Places},
    store,
};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, Tx, query},
    looks::Looks,
    notices::Notices,
};

/// What a registration changes.
#[derive(Clone, Copy, Debug)]
pub(in crate::keeper) struct Registrar<'a> {
    pub(in crate::keeper) db: &'a Db,
    pub(in crate::keeper) looks: &'a Looks,
    pub(in crate::keeper) notices: &'a Notices,
    pub(in crate::keeper) page: &'a PageId,
    /// The component that is the home itself.
    pub(in crate::keeper) home: Option<&'a ComponentId>,
    pub(in crate::keeper) now: Moment,
}

/// A check, and the component that shows it.
pub(in crate::keeper) type Placed = (CheckName, Option<ComponentId>);

impl Registrar<'_> {
    /// Has these be the checks of their source, and no others.
    ///
    /// # Errors
    /// When one has the name or the secret of another source's, or a component that it cannot have; nothing is changed then.
    pub(in crate::keeper) async fn replace(&self, registration: &Registration) -> Result<Vec<Placed>, KeeperError> {
        let mut tx = self.db.begin().await?;
        let known = store::all(&mut tx).await?;
        let (known, others): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|known| known.source == registration.source);
        check_others(registration, &others)?;
        let mut known: HashMap<CheckName, Known> =
            known.into_iter().map(|known| (known.check.name.clone(), known)).collect();
        // One may be called what another was: that one goes first, wherever it stands in the list.
        let mut has_renamed = true;
        while std::mem::take(&mut has_renamed) {
            for check in &registration.checks {
                if let Some(was) = check.was.as_ref().filter(|_| !known.contains_key(&check.name))
                    && let Some(before) = known.remove(was)
                {
                    known.insert(check.name.clone(), self.rename(&mut tx, before, &check.name).await?);
                    has_renamed = true;
                }
            }
        }
        let named: HashSet<&CheckName> = registration.checks.iter().map(|check| &check.name).collect();
        for gone in known.values().filter(|known| !named.contains(&known.check.name)) {
            self.remove(&mut tx, gone).await?;
        }
        let mut page = Places::of(&mut tx, self.page, self.home, self.now).await?;
        let mut placed = Vec::with_capacity(registration.checks.len());
        for check in &registration.checks {
            let before = known.get(&check.name);
            let own = before.filter(|before| before.check.component == Place::Own);
            let own = own.and_then(|before| before.component.as_ref());
            let component = page.put(&mut tx, check, own).await?;
            let as_before = before.is_some_and(|before| {
                before.component == component && before.check == Definition { was: None, ..check.clone() }
            });
            if !as_before {
                if let Some(before) = before {
                    self.end_unwanted(&mut tx, before, check).await?;
                }
                store::register(&mut tx, &registration.source, check, component.as_ref(), self.now).await?;
            }
            placed.push((check.name.clone(), component));
        }
        places::mark(&mut tx).await?;
        if registration.checks.iter().all(|check| check.kind == Kind::Passive) {
            let at = self.now.timestamp();
            self.notices.observe_in(&mut tx, &conditions::gone_source(&registration.source, at), at).await?;
        }
        tx.commit().await?;
        self.looks.set_pauses(pauses(&mut self.db.read().await?).await?);
        self.notices.wake_if_queued();
        Ok(placed)
    }

    /// What is known of it, and its readings, go on under the new name. What was said of the old one ends: who was given it knows it
    /// by that.
    async fn rename(&self, tx: &mut Tx, before: Known, to: &CheckName) -> Result<Known, KeeperError> {
        let from = before.check.name.clone();
        let ended = format!("{} is the check {to} from now on", before.check.title);
        self.end(tx, &before, &ended).await?;
        let rename = query("UPDATE checks SET name = ? WHERE name = ?");
        rename.bind(to.as_str()).bind(from.as_str()).execute(tx).await?;
        let (from, to_series) = (format!("check:{from}"), format!("check:{to}"));
        let feed = query("UPDATE metrics SET reading = ? WHERE reading = ?");
        feed.bind(&to_series).bind(&from).execute(tx).await?;
        let list = query("SELECT name, id FROM series WHERE name = ?1 OR (name > ?1 || ':' AND name < ?1 || ';')");
        for (name, id) in list.bind(&from).all::<(String, i64)>(tx).await? {
            let renamed = format!("{to_series}{}", &name[from.len()..]);
            rename_series(tx, id, &renamed).await?;
        }
        let check = Definition { name: to.clone(), ..before.check };
        Ok(Known { check, ..before })
    }

    async fn remove(&self, tx: &mut Tx, gone: &Known) -> Result<(), KeeperError> {
        self.end(tx, gone, &format!("{} is not checked any more", gone.check.title)).await?;
        store::delete(tx, &gone.check.name).await?;
        if gone.check.component == Place::Own
            && let Some(component) = &gone.component
        {
            places::remove(tx, component).await?;
        }
        Ok(())
    }

    /// What nobody wants to be told any more is over for them.
    async fn end_unwanted(&self, tx: &mut Tx, before: &Known, check: &Definition) -> Result<(), KeeperError> {
        let (old, new, at) = (before.check.notices, check.notices, self.now.timestamp());
        let ended = format!("Nobody is told of {} any more", check.title);
        if old.wanted && !new.wanted {
            self.end(tx, before, &ended).await?;
        } else if check.kind == Kind::Passive && before.check.kind != Kind::Passive {
            // Nobody runs it any more; that it does not call is told of in another way.
            let condition = conditions::over(conditions::late_key(&check.name), Subject::Check, &ended, at);
            self.notices.observe_in(tx, &condition, at).await?;
        } else if old.all_changes && !new.all_changes {
            let condition = conditions::over(conditions::warning_key(&check.name), Subject::Check, &ended, at);
            self.notices.observe_in(tx, &condition, at).await?;
        }
        Ok(())
    }

    async fn end(&self, tx: &mut Tx, known: &Known, ended: &str) -> Result<(), KeeperError> {
        let at = self.now.timestamp();
        for condition in conditions::gone(known, ended, at) {
            self.notices.observe_in(tx, &condition, at).await?;
        }
        Ok(())
    }
}

/// # Errors
/// When one has the name or the secret of another source's, or there would be too many.
fn check_others(registration: &Registration, others: &[Known]) -> Result<(), KeeperError> {
    if registration.checks.len() + others.len() > MAX_CHECKS {
        return Err(KeeperError::Invalid(format!(
            "checks: there may be {MAX_CHECKS} of all programs, and others have {}",
            others.len()
        )));
    }
    let by_name: HashMap<_, _> = others.iter().map(|other| (&other.check.name, &other.source)).collect();
    let secrets: HashSet<_> =
        others.iter().filter_map(|other| other.check.passive).map(|passive| passive.secret_sha256).collect();
    for (index, check) in registration.checks.iter().enumerate() {
        if let Some(source) = by_name.get(&check.name) {
            return Err(KeeperError::Invalid(format!(
                "checks[{index}] ({}): the program {source} has a check of this name: give it another one",
                check.name
            )));
        }
        if check.passive.is_some_and(|passive| secrets.contains(&passive.secret_sha256)) {
            return Err(KeeperError::Invalid(format!(
                "checks[{index}] ({}): another program's check has this secret: each needs its own",
                check.name
            )));
        }
    }
    Ok(())
}

/// Renames a series. Where the new name has readings already, those of the old one are added.
async fn rename_series(tx: &mut Tx, id: i64, to: &str) -> Result<(), KeeperError> {
    let other: Option<i64> = query("SELECT id FROM series WHERE name = ?").bind(to).optional(tx).await?;
    let Some(other) = other else {
        query("UPDATE series SET name = ?, of_check = 1 WHERE id = ?").bind(to).bind(id).execute(tx).await?;
        return Ok(());
    };
    for text in [
        "UPDATE OR IGNORE readings SET series_id = ? WHERE series_id = ?",
        "UPDATE OR IGNORE hours SET series_id = ? WHERE series_id = ?",
    ] {
        query(text).bind(other).bind(id).execute(tx).await?;
    }
    query("DELETE FROM series WHERE id = ?").bind(id).execute(tx).await?;
    Ok(())
}
