//! A program registers its checks: all of them at once, in one transaction. What it does not name any more goes, and one that was
//! called something else goes on.

use std::collections::{HashMap, HashSet};

use checks::{
    check::{CheckName, Place},
    file::change::{Rename, renames},
};
use notify::event::Subject;
use shared::id::{ComponentId, PageId};

use super::{
    MAX_CHECKS, conditions,
    definition::{Definition, Kind, Registration},
    known::Known,
    pauses,
    places::{self, Places, Put},
    store,
};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, Tx, query},
    looks::{Looks, Now},
    notices::{Notices, mutes},
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
    /// `None` while the clock cannot be trusted.
    pub(in crate::keeper) now_for_looks: Option<Now>,
}

/// What became of a check.
#[derive(Clone, Debug)]
pub(in crate::keeper) struct Placed {
    pub(in crate::keeper) name: CheckName,
    /// The component that shows it.
    pub(in crate::keeper) component: Option<ComponentId>,
    /// Why it is not as the list has it: it is shown nowhere then, or not registered at all.
    pub(in crate::keeper) wrong: Option<String>,
    pub(in crate::keeper) is_registered: bool,
}

impl Registrar<'_> {
    /// Has these be the checks of their source, and no others. One that has the name or the secret of another source's is none of
    /// them, and one whose component cannot be had is shown nowhere; which is said, and keeps none of the others from being taken.
    ///
    /// # Errors
    /// When there would be too many; nothing is changed then.
    pub(in crate::keeper) async fn replace(&self, registration: &Registration) -> Result<Vec<Placed>, KeeperError> {
        let mut tx = self.db.begin().await?;
        let known = store::all(&mut tx).await?;
        let (known, others): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|known| known.source == registration.source);
        let refused = refused(registration, &others)?;
        let mut known: HashMap<CheckName, Known> =
            known.into_iter().map(|known| (known.check.name.clone(), known)).collect();
        // One may be called what another was: that one goes first, wherever it stands in the list.
        let taken = || registration.checks.iter().filter(|check| !refused.contains_key(&check.name));
        for Rename { from, to } in
            renames(|name| known.contains_key(name), taken().map(|check| (&check.name, check.was.as_ref())))
        {
            if let Some(before) = known.remove(&from) {
                known.insert(to.clone(), self.rename(&mut tx, before, &to).await?);
            }
        }
        // Where one is refused, what it was called is no check that has gone: a mended list goes on with it.
        let former = registration.checks.iter().filter(|_| !refused.is_empty()).filter_map(|check| check.was.as_ref());
        let named: HashSet<&CheckName> = registration.checks.iter().map(|check| &check.name).chain(former).collect();
        let stays =
            |name: &CheckName| registration.is_partial || named.contains(name) || registration.kept.contains(name);
        let is_gone = |known: &&Known| !stays(&known.check.name);
        for gone in known.values().filter(is_gone) {
            self.remove(&mut tx, gone).await?;
        }
        let mut page = Places::of(&mut tx, self.page, self.home, self.now).await?;
        let mut placed = Vec::with_capacity(registration.checks.len());
        for check in &registration.checks {
            if let Some(wrong) = refused.get(&check.name) {
                let (name, wrong) = (check.name.clone(), Some(wrong.clone()));
                placed.push(Placed { name, component: None, wrong, is_registered: false });
                continue;
            }
            let before = known.get(&check.name);
            let Put { place, component, wrong } = page.put(&mut tx, check, before).await?;
            let check = Definition { was: None, component: place, ..check.clone() };
            let as_before = before.is_some_and(|before| before.component == component && before.check == check);
            if !as_before {
                if let Some(before) = before {
                    self.end_unwanted(&mut tx, before, &check).await?;
                }
                store::register(&mut tx, &registration.source, &check, component.as_ref(), self.now).await?;
            }
            placed.push(Placed { name: check.name, component, wrong, is_registered: true });
        }
        places::mark(&mut tx).await?;
        let has_others = registration.is_partial || !registration.kept.is_empty();
        if !has_others && registration.checks.iter().all(|check| check.kind == Kind::Passive) {
            let at = self.now.timestamp();
            self.notices.observe_in(&mut tx, &conditions::gone_source(&registration.source, at), at).await?;
        }
        tx.commit().await?;
        self.notices.read_mutes(self.db, self.now.timestamp()).await?;
        self.looks.set_pauses(pauses(&mut self.db.read().await?).await?, self.now_for_looks);
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
        mutes::rename(tx, &conditions::key(&from), &conditions::key(to)).await?;
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
        mutes::forget(tx, &conditions::key(&gone.check.name)).await?;
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

/// Which checks cannot be taken, because another source has their name or their secret, and why.
///
/// # Errors
/// When there would be too many.
fn refused(registration: &Registration, others: &[Known]) -> Result<HashMap<CheckName, String>, KeeperError> {
    if registration.checks.len() + others.len() > MAX_CHECKS {
        return Err(KeeperError::Invalid(format!(
            "checks: there may be {MAX_CHECKS} of all programs, and others have {}",
            others.len()
        )));
    }
    let by_name: HashMap<_, _> = others.iter().map(|other| (&other.check.name, &other.source)).collect();
    let secret = |check: &Definition| check.passive.and_then(|passive| passive.secret_sha256);
    let secrets: HashSet<_> = others.iter().filter_map(|other| secret(&other.check)).collect();
    let why = |check: &Definition| {
        if let Some(source) = by_name.get(&check.name) {
            let name = &check.name;
            return Some(format!("{name}: the program {source} has a check of this name: give it another one"));
        }
        let is_another = secret(check).is_some_and(|secret| secrets.contains(&secret));
        is_another.then(|| format!("{}: another program's check has this secret: each needs its own", check.name))
    };
    Ok(registration.checks.iter().filter_map(|check| Some((check.name.clone(), why(check)?))).collect())
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
