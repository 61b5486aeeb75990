//! The copy of what upstream says of the page: components and unresolved incidents once a minute, planned maintenance and
//! that under way by turns.
//!
//! The home's own state is the prober's to set, so nothing of it is ever sent. What changed while upstream could not be read is
//! taken from the last incidents afterwards.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde_json::Value;
use shared::{
    api::ApiError,
    id::{ComponentId, IncidentId, PageId},
    statuspage::{COMPONENTS_PER_CALL, Client, Component, ComponentStatus, Which},
};

use super::{
    answer,
    copies::{self, OpenCopy},
    planner::Answer,
    upstream_incident::UpstreamIncident,
};
use crate::keeper::{KeeperClock, KeeperError, db::Db};

/// How many of the last incidents are read after a time without a copy.
const RECENT: usize = 20;

/// How many incidents that have gone from the lists are asked for at once; the others wait for the next copy.
const MAX_ASKED_FOR: usize = 3;

/// How many incidents are remembered as logged; beyond that they may be logged again.
const MAX_LOGGED: usize = 1000;

/// Where upstream lists maintenance.
const MAINTENANCE: [Which; 2] = [Which::Scheduled, Which::ActiveMaintenance];

/// Why nothing was copied.
#[derive(Debug)]
pub(super) enum MirrorError {
    Upstream(Answer),
    Storage(KeeperError),
}

impl From<KeeperError> for MirrorError {
    fn from(error: KeeperError) -> Self {
        Self::Storage(error)
    }
}

impl From<ApiError> for MirrorError {
    fn from(error: ApiError) -> Self {
        // A page that is missing is missing for everything.
        Self::Upstream(match answer::<()>(&Err(error)) {
            Answer::Missing(reason) | Answer::Wrong(reason) => {
                Answer::Refused(format!("{reason}: check UPSTREAM_URL and the id of the page"))
            }
            other => other,
        })
    }
}

/// What is remembered from one copy to the next.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    copies: u64,
    /// What each of the lists of maintenance had when it was read last; nothing before that, and where there is none.
    maintenance: [Option<HashSet<String>>; 2],
    /// At which copy each incident was asked for last: those come first that have waited longest.
    asked_for: HashMap<IncidentId, u64>,
    /// What was logged already.
    logged: BTreeSet<String>,
}

impl Mirror {
    /// Copies what upstream says now. `may_call` is asked before every call, and a no leaves the rest to the next copy.
    /// After a time without a copy the last incidents are read, too. The components that upstream does not know are
    /// returned.
    pub(super) async fn copy_page(
        &mut self,
        home: (&Db, &KeeperClock),
        client: &Client,
        page: &PageId,
        after_a_while: bool,
        mut may_call: impl FnMut() -> bool,
    ) -> Result<Vec<ComponentId>, MirrorError> {
        self.copies += 1;
        let db = home.0;
        let wanted = copies::mirrored_components(db, page).await?;
        let unknown =
            if wanted.is_empty() { wanted } else { copy_components(home, client, page, wanted, &mut may_call).await? };
        if !may_call() {
            return Ok(unknown);
        }
        let mut failure = None;
        let unresolved: Option<Vec<Value>> =
            unless_failed(client.incidents(page, Which::Unresolved).await, &mut failure)?;
        let mut listed = unresolved.as_deref().map(ids).unwrap_or_default();
        self.copy(home, page, unresolved.as_deref().unwrap_or_default()).await?;
        let turn = usize::try_from(self.copies % 2).unwrap_or(0);
        for (index, which) in MAINTENANCE.into_iter().enumerate() {
            // One a minute is enough, but for the first time and after a while.
            if (after_a_while || turn == index) && may_call() {
                match unless_failed(client.incidents::<Vec<Value>>(page, which).await, &mut failure) {
                    Ok(Some(documents)) => {
                        self.copy(home, page, &documents).await?;
                        self.maintenance[index] = Some(ids(&documents));
                    }
                    Ok(None) => (),
                    // Not every server of this API has it.
                    Err(ApiError::Permanent(error)) => {
                        self.warn_once(&error.call, || format!("upstream does not list its maintenance: {error}"));
                        self.maintenance[index] = None;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if after_a_while && may_call() {
            let recent: Option<Vec<Value>> =
                unless_failed(client.incidents(page, Which::Recent(RECENT)).await, &mut failure)?;
            listed.extend(recent.as_deref().map(ids).unwrap_or_default());
            self.copy(home, page, recent.as_deref().unwrap_or_default()).await?;
        }
        // Without the list it is not known which have gone from it.
        let open = if unresolved.is_some() { copies::open_copies(db, page).await? } else { Vec::new() };
        for id in self.gone(open, &listed) {
            if !may_call() {
                break;
            }
            self.asked_for.insert(id.clone(), self.copies);
            match unless_failed(client.incident_document(page, &id).await, &mut failure) {
                Ok(document) => self.copy(home, page, document.as_slice()).await?,
                Err(ApiError::Permanent(permanent)) if permanent.status == 404 => {
                    copies::delete_copy(db, page, &id).await?;
                    tracing::info!(incident = %id, "upstream has this incident no more");
                }
                // An error with one must not keep the others from being copied.
                Err(ApiError::Permanent(error)) => {
                    self.warn_once(id.as_str(), || format!("upstream does not answer for incident {id}: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        failure.map_or(Ok(unknown), |error| Err(error.into()))
    }

    /// The copies that are open here and in none of upstream's lists any more, as many as may be asked for now.
    fn gone(&mut self, open: Vec<OpenCopy>, listed: &HashSet<String>) -> Vec<IncidentId> {
        self.asked_for.retain(|id, _| open.iter().any(|copy| copy.id == *id));
        let in_maintenance =
            |copy: &OpenCopy| self.maintenance.iter().flatten().any(|list| list.contains(copy.id.as_str()));
        let is_listed =
            |copy: &OpenCopy| listed.contains(copy.id.as_str()) || (copy.is_maintenance && in_maintenance(copy));
        let mut gone: Vec<_> = open.into_iter().filter(|copy| !is_listed(copy)).map(|copy| copy.id).collect();
        // The order is not kept over a restart, so those that were never asked for are shuffled.
        fastrand::shuffle(&mut gone);
        gone.sort_by_key(|id| self.asked_for.get(id).copied().unwrap_or(0));
        gone.truncate(MAX_ASKED_FOR);
        gone
    }

    /// Copies those that can be read: an odd one must not stop the others.
    async fn copy(&mut self, home: (&Db, &KeeperClock), page: &PageId, documents: &[Value]) -> Result<(), KeeperError> {
        let (db, clock) = home;
        for document in documents {
            let incident = match UpstreamIncident::read(document, clock.wall()) {
                Ok(incident) => incident,
                Err(what) => {
                    let id = document["id"].as_str().unwrap_or("without an id").to_owned();
                    self.warn_once(&id, || format!("incident {id} of upstream's is left out: {what}"));
                    continue;
                }
            };
            if !incident.odd.is_empty() {
                let odd: Vec<_> = incident.odd.iter().copied().collect();
                let (id, odd) = (&incident.id, odd.join(", "));
                self.warn_once(&format!("{id} {odd}"), || {
                    format!("incident {id} of upstream's is copied without what cannot be read of it: {odd}")
                });
            }
            if copies::copy_incident(db, page, &incident).await? {
                tracing::info!(incident = %incident.id, status = incident.status, "an incident was copied from upstream");
            }
        }
        Ok(())
    }

    fn warn_once(&mut self, about: &str, message: impl FnOnce() -> String) {
        if self.logged.len() >= MAX_LOGGED {
            self.logged.clear();
        }
        if self.logged.insert(about.to_owned()) {
            tracing::warn!("{}", message());
        }
    }
}

/// What a call brought; a server's failure at this one call is kept for the end, so that the others are made.
fn unless_failed<T>(result: Result<T, ApiError>, failure: &mut Option<ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(ApiError::Passing(passing)) if passing.source.is_none() && passing.retry_after.is_none() => {
            failure.get_or_insert(passing.into());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn ids(documents: &[Value]) -> HashSet<String> {
    documents.iter().filter_map(|document| document["id"].as_str().map(ToOwned::to_owned)).collect()
}

async fn copy_components(
    (db, clock): (&Db, &KeeperClock),
    client: &Client,
    page: &PageId,
    mut wanted: Vec<ComponentId>,
    may_call: &mut impl FnMut() -> bool,
) -> Result<Vec<ComponentId>, MirrorError> {
    for number in 1.. {
        if !may_call() {
            // The others are not known.
            return Ok(Vec::new());
        }
        let listing = client.components(page, number).await?;
        let (mut found, mut rest) = (Vec::new(), Vec::new());
        for id in wanted {
            match listing.component(&id) {
                Some(Ok(component)) => found.push(component),
                Some(Err(error)) => tracing::warn!(component = %id, %error, "upstream's component cannot be read"),
                None => rest.push(id),
            }
        }
        for Component { id, status, updated_at, .. } in found {
            let since: Option<Timestamp> = updated_at.parse().ok();
            let since = since.unwrap_or_else(|| clock.wall());
            if copies::copy_component(db, page, &id, status, since).await? {
                let status = status.map(ComponentStatus::as_str);
                tracing::info!(component = %id, status, "a status was copied from upstream");
            }
        }
        wanted = rest;
        // What upstream does not know is this page's own.
        if wanted.is_empty() || listing.len() < COMPONENTS_PER_CALL {
            break;
        }
    }
    Ok(wanted)
}
