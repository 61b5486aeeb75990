//! The copy of what upstream says of the page: components and unresolved incidents, once a minute.
//!
//! The home's own state is the prober's to tell, so nothing of it is ever sent. What changed while nobody could look is read
//! off the last incidents afterwards.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::{
    api::ApiError,
    id::{ComponentId, IncidentId, PageId},
    statuspage::{COMPONENTS_PER_CALL, Client, Component, ComponentStatus, Which},
};

use super::answer;
use crate::keeper::{
    relay::planner::Answer,
    store::{OutsideIncident, Store, StoreError},
};

/// How many of the last incidents are read after a time without a look.
const RECENT: usize = 20;

/// How many incidents that have gone from the list are looked up at once; the others wait for the next look.
const LOOKED_UP: usize = 3;

/// Why a look came to nothing.
#[derive(Debug)]
pub(super) enum Blind {
    Upstream(Answer),
    Storage(StoreError),
}

impl From<StoreError> for Blind {
    fn from(error: StoreError) -> Self {
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

/// Copies what upstream says now. `may_call` is asked before every call, and a no leaves the rest to the next look. After a
/// time without a look the last incidents are read, too. The components that upstream does not know are returned.
pub(super) async fn look(
    store: &Store,
    client: &Client,
    page: &PageId,
    after_a_while: bool,
    mut may_call: impl FnMut() -> bool,
) -> Result<Vec<ComponentId>, Blind> {
    let wanted = store.mirrored_components(page).await?;
    let unknown =
        if wanted.is_empty() { wanted } else { copy_components(store, client, page, wanted, &mut may_call).await? };
    if !may_call() {
        return Ok(unknown);
    }
    let mut told = incidents(client.incident_documents(page, Which::Unresolved).await?);
    let known = store.mirrored_open(page).await?;
    if after_a_while && may_call() {
        told.extend(incidents(client.incident_documents(page, Which::Recent(RECENT)).await?));
    }
    let gone = |id: &&IncidentId| told.iter().all(|incident| incident.id != **id);
    let gone: Vec<_> = known.iter().filter(gone).take(LOOKED_UP).collect();
    for id in gone {
        if !may_call() {
            break;
        }
        match client.incident_document(page, id).await {
            Ok(document) => told.extend(incidents(vec![document])),
            Err(ApiError::Permanent(permanent)) if permanent.status == 404 => {
                store.unmirror_incident(page, id).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    for incident in &told {
        if store.mirror_incident(page, incident).await? {
            tracing::info!(incident = %incident.id, status = incident.status, "upstream tells of an incident");
        }
    }
    Ok(unknown)
}

async fn copy_components(
    store: &Store,
    client: &Client,
    page: &PageId,
    mut wanted: Vec<ComponentId>,
    may_call: &mut impl FnMut() -> bool,
) -> Result<Vec<ComponentId>, Blind> {
    for number in 1.. {
        if !may_call() {
            break;
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
            let since = since.unwrap_or_else(|| store.wall());
            if store.mirror_component(page, &id, status, since).await? {
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

/// Those that can be read: somebody else's must not stop a look.
fn incidents(documents: Vec<Value>) -> Vec<OutsideIncident> {
    let read = |document: Value| {
        OutsideIncident::deserialize(document)
            .inspect_err(|error| tracing::debug!(%error, "an incident of upstream's is left out"))
            .ok()
    };
    documents.into_iter().filter_map(read).collect()
}
