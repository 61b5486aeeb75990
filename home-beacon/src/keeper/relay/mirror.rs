//! The copy of what upstream says of the page: components and unresolved incidents once a minute, planned maintenance and
//! that under way by turns.
//!
//! The home's own state is the prober's to tell, so nothing of it is ever sent. What changed while nobody could look is read
//! off the last incidents afterwards.

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

/// How many of the last incidents are read after a time without a look.
const RECENT: usize = 20;

/// How many incidents that have gone from the lists are looked up at once; the others wait for the next look.
const LOOKED_UP: usize = 3;

/// How many incidents the log can have told something about; beyond that it may do so again.
const MOST_TOLD: usize = 1000;

/// Where upstream lists maintenance.
const MAINTENANCE: [Which; 2] = [Which::Scheduled, Which::ActiveMaintenance];

/// Why a look came to nothing.
#[derive(Debug)]
pub(super) enum Blind {
    Upstream(Answer),
    Storage(KeeperError),
}

impl From<KeeperError> for Blind {
    fn from(error: KeeperError) -> Self {
        Self::Storage(error)
    }
}

impl From<ApiError> for Blind {
    fn from(error: ApiError) -> Self {
        // A page that is missing is missing for everything.
        Self::Upstream(match answer::<()>(&Err(error)) {
            Answer::Missing(reason) | Answer::Wrong(reason) => {
                Answer::Refused(format!("{reason}: look at UPSTREAM_URL and at the id of the page"))
            }
            other => other,
        })
    }
}

/// What is remembered from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    looks: u64,
    /// What each of the lists of maintenance had when it was read last; nothing before that, and where there is none.
    maintenance: [Option<HashSet<String>>; 2],
    /// At which look each incident was looked up last: those come first that have waited longest.
    looked_up: HashMap<IncidentId, u64>,
    /// What the log was told already.
    told: BTreeSet<String>,
}

impl Mirror {
    /// Copies what upstream says now. `may_call` is asked before every call, and a no leaves the rest to the next look.
    /// After a time without a look the last incidents are read, too. The components that upstream does not know are
    /// returned.
    pub(super) async fn copy_page(
        &mut self,
        home: (&Db, &KeeperClock),
        client: &Client,
        page: &PageId,
        after_a_while: bool,
        mut may_call: impl FnMut() -> bool,
    ) -> Result<Vec<ComponentId>, Blind> {
        self.looks += 1;
        let db = home.0;
        let wanted = copies::mirrored_components(db, page).await?;
        let unknown =
            if wanted.is_empty() { wanted } else { copy_components(home, client, page, wanted, &mut may_call).await? };
        if !may_call() {
            return Ok(unknown);
        }
        let mut trouble = None;
        let unresolved = kept(client.incident_documents(page, Which::Unresolved).await, &mut trouble)?;
        let mut listed = unresolved.as_deref().map(ids).unwrap_or_default();
        self.copy(home, page, unresolved.as_deref().unwrap_or_default()).await?;
        let turn = usize::try_from(self.looks % 2).unwrap_or(0);
        for (index, which) in MAINTENANCE.into_iter().enumerate() {
            // One a minute is enough, but for the first time and after a while.
            if (after_a_while || turn == index) && may_call() {
                match kept(client.incident_documents(page, which).await, &mut trouble) {
                    Ok(Some(documents)) => {
                        self.copy(home, page, &documents).await?;
                        self.maintenance[index] = Some(ids(&documents));
                    }
                    Ok(None) => (),
                    // Not everybody who speaks this API has it.
                    Err(ApiError::Permanent(error)) => {
                        self.warn_once(&error.call, || format!("upstream does not list its maintenance: {error}"));
                        self.maintenance[index] = None;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if after_a_while && may_call() {
            let recent = kept(client.incident_documents(page, Which::Recent(RECENT)).await, &mut trouble)?;
            listed.extend(recent.as_deref().map(ids).unwrap_or_default());
            self.copy(home, page, recent.as_deref().unwrap_or_default()).await?;
        }
        // Without the list nobody knows which have gone from it.
        let open = if unresolved.is_some() { copies::open_copies(db, page).await? } else { Vec::new() };
        for id in self.gone(open, &listed) {
            if !may_call() {
                break;
            }
            self.looked_up.insert(id.clone(), self.looks);
            match kept(client.incident_document(page, &id).await, &mut trouble) {
                Ok(document) => self.copy(home, page, document.as_slice()).await?,
                Err(ApiError::Permanent(permanent)) if permanent.status == 404 => {
                    copies::delete_copy(db, page, &id).await?;
                    tracing::info!(incident = %id, "upstream has this incident no more");
                }
                // What is wrong with one must not keep the others from being looked at.
                Err(ApiError::Permanent(error)) => {
                    self.warn_once(id.as_str(), || format!("upstream does not tell of incident {id}: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        trouble.map_or(Ok(unknown), |error| Err(error.into()))
    }

    /// The copies that are open here and in none of upstream's lists any more, as many as may be looked up now.
    fn gone(&mut self, open: Vec<OpenCopy>, listed: &HashSet<String>) -> Vec<IncidentId> {
        self.looked_up.retain(|id, _| open.iter().any(|copy| copy.id == *id));
        let in_maintenance =
            |copy: &OpenCopy| self.maintenance.iter().flatten().any(|list| list.contains(copy.id.as_str()));
        let is_listed =
            |copy: &OpenCopy| listed.contains(copy.id.as_str()) || (copy.is_maintenance && in_maintenance(copy));
        let mut gone: Vec<_> = open.into_iter().filter(|copy| !is_listed(copy)).map(|copy| copy.id).collect();
        // Nobody remembers over a restart whose turn it was, so those that were never looked up take it by lot.
        fastrand::shuffle(&mut gone);
        gone.sort_by_key(|id| self.looked_up.get(id).copied().unwrap_or(0));
        gone.truncate(LOOKED_UP);
        gone
    }

    /// Copies those that can be read: somebody else's must not stop a look.
    async fn copy(&mut self, home: (&Db, &KeeperClock), page: &PageId, documents: &[Value]) -> Result<(), KeeperError> {
        let (db, clock) = home;
        for document in documents {
            let told = match UpstreamIncident::read(document, clock.wall()) {
                Ok(told) => told,
                Err(what) => {
                    let id = document["id"].as_str().unwrap_or("without an id").to_owned();
                    self.warn_once(&id, || format!("incident {id} of upstream's is left out: {what}"));
                    continue;
                }
            };
            if !told.odd.is_empty() {
                let odd: Vec<_> = told.odd.iter().copied().collect();
                let (id, odd) = (&told.id, odd.join(", "));
                self.warn_once(&format!("{id} {odd}"), || {
                    format!("incident {id} of upstream's is copied without what cannot be read of it: {odd}")
                });
            }
            if copies::copy_incident(db, page, &told).await? {
                tracing::info!(incident = %told.id, status = told.status, "upstream tells of an incident");
            }
        }
        Ok(())
    }

    fn warn_once(&mut self, about: &str, told: impl FnOnce() -> String) {
        if self.told.len() >= MOST_TOLD {
            self.told.clear();
        }
        if self.told.insert(about.to_owned()) {
            tracing::warn!("{}", told());
        }
    }
}

/// What a call brought; a server's trouble with this one call is kept for the end, so that the others are made.
fn kept<T>(result: Result<T, ApiError>, trouble: &mut Option<ApiError>) -> Result<Option<T>, ApiError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(ApiError::Passing(passing)) if passing.source.is_none() && passing.retry_after.is_none() => {
            trouble.get_or_insert(passing.into());
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
) -> Result<Vec<ComponentId>, Blind> {
    for number in 1.. {
        if !may_call() {
            // Nobody knows of the others.
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
                tracing::info!(component = %id, status, "upstream tells of another status");
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
