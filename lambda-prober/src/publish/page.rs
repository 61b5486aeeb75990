//! Reads the pages of all targets: one call for each hundred components of a page, and one for its incidents.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::future::join_all;
use jiff::tz::TimeZone;
use shared::{
    api::ApiError,
    id::{ComponentId, PageId},
    statuspage::{COMPONENTS_PER_CALL, Client, Component, Incidents, Listing, Warning, Which},
};
use tokio::time::Instant;

use super::access::Access;
use crate::{
    plan::{OurIncident, View, oldest_open},
    target::Targets,
};

/// How many listings of one page are read: 5 000 components, and still within the rate limit.
const MAX_LISTINGS: usize = 50;

/// How long reading the incidents may take.
const INCIDENTS_TIMEOUT: Duration = Duration::from_secs(20);

/// A page, as far as the targets are concerned. The errors are for people.
#[derive(Debug)]
struct PageRead {
    components: HashMap<ComponentId, Result<Component, String>>,
    warnings: HashMap<ComponentId, Warning>,
    incidents: Result<Vec<OurIncident>, String>,
    from_keeper: bool,
}

/// The pages of all targets, or why one could not be read.
#[derive(Debug, Default)]
pub(crate) struct Pages(HashMap<PageId, Result<PageRead, String>>);

impl Pages {
    /// A component as it was read.
    ///
    /// # Errors
    /// Why it could not be read; for people.
    pub(crate) fn component(&self, page: &PageId, component: &ComponentId) -> Result<&Component, &str> {
        match self.0.get(page) {
            Some(Ok(read)) => match read.components.get(component) {
                Some(component) => component.as_ref().map_err(String::as_str),
                None => Err("the component was not read"),
            },
            Some(Err(error)) => Err(error),
            None => Err("the page was not read"),
        }
    }

    /// Our open incident that names the component, the oldest of them.
    pub(crate) fn incident(&self, page: &PageId, component: &ComponentId) -> Option<&OurIncident> {
        let incidents = self.0.get(page)?.as_ref().ok()?.incidents.as_ref().ok()?;
        oldest_open(incidents.iter().filter(|incident| incident.names(component)))
    }

    /// What a keeper says of the component besides its status.
    pub(crate) fn warning(&self, page: &PageId, component: &ComponentId) -> Option<&Warning> {
        self.0.get(page)?.as_ref().ok()?.warnings.get(component)
    }

    /// Whether the page was read.
    pub(crate) fn is_read(&self, page: &PageId) -> bool {
        matches!(self.0.get(page), Some(Ok(_)))
    }

    /// Whether it was read from a keeper, which takes looks.
    pub(crate) fn is_keepers(&self, page: &PageId) -> bool {
        matches!(self.0.get(page), Some(Ok(read)) if read.from_keeper)
    }

    /// Why the incidents could not be read, where the components could.
    pub(crate) fn incidents_error(&self, page: &PageId) -> Option<&str> {
        self.0.get(page)?.as_ref().ok()?.incidents.as_ref().err().map(String::as_str)
    }

    /// A page as it was read; `None` where it could not be.
    pub(crate) fn view(&self, page: &PageId) -> Option<View> {
        let read = self.0.get(page)?.as_ref().ok()?;
        let usable = |(id, component): (&ComponentId, &Result<Component, String>)| {
            Some((id.clone(), component.as_ref().ok()?.clone()))
        };
        Some(View {
            components: read.components.iter().filter_map(usable).collect(),
            incidents: read.incidents.clone().unwrap_or_default(),
            incidents_known: read.incidents.is_ok(),
            maintained: HashSet::new(),
            zone: TimeZone::UTC,
        })
    }
}

/// Reads the components of all targets, and the incidents of their pages, before `until`.
pub(crate) async fn read(access: &Access<'_>, targets: &Targets, until: Instant) -> Pages {
    let mut wanted: HashMap<&PageId, Vec<&ComponentId>> = HashMap::new();
    for target in targets {
        wanted.entry(&target.page).or_default().push(&target.component);
    }
    let pages = wanted.into_iter().map(|(page, components)| async move {
        let read = async {
            // Components matter more, and do not wait long for the incidents.
            let incidents_until = until.min(Instant::now() + INCIDENTS_TIMEOUT);
            let (listings, incidents) = tokio::join!(
                access.call(until, |client| listings(client, page, &components)),
                access.call(incidents_until, |client| async move { client.incidents(page, Which::Unresolved).await }),
            );
            let incidents = incidents.map(|incidents| ours(&incidents)).map_err(|error| access.describe(&error));
            let listings = listings?;
            let warning =
                |id: &&ComponentId| Some(((*id).clone(), listings.iter().find_map(|listing| listing.warning(id))?));
            let warnings = components.iter().filter_map(warning).collect();
            let from_keeper = listings.iter().any(Listing::from_keeper);
            Ok(PageRead { components: pick(page, &components, &listings), warnings, incidents, from_keeper })
        };
        (page.clone(), read.await.map_err(|error: ApiError| access.describe(&error)))
    });
    Pages(join_all(pages).await.into_iter().collect())
}

/// Lists a page's components until all that are wanted were found.
///
/// # Errors
/// When a listing fails; [`Access::call`] retries.
pub(crate) async fn listings<'a>(
    client: Client,
    page: &'a PageId,
    wanted: &'a [&'a ComponentId],
) -> Result<Vec<Listing>, ApiError> {
    let (mut listings, mut missing) = (Vec::new(), wanted.to_vec());
    for number in 1..=MAX_LISTINGS {
        let listing = client.components(page, number).await?;
        missing.retain(|id| listing.component(id).is_none());
        let last = listing.len() < COMPONENTS_PER_CALL || missing.is_empty();
        listings.push(listing);
        if last {
            break;
        }
    }
    Ok(listings)
}

fn pick(
    page: &PageId,
    wanted: &[&ComponentId],
    listings: &[Listing],
) -> HashMap<ComponentId, Result<Component, String>> {
    let pick = |id: &&ComponentId| {
        let found = listings.iter().find_map(|listing| listing.component(id));
        let component = match found {
            Some(component) => component.map_err(|error| format!("component {id} cannot be used: {error}")),
            None => Err(format!("the page {page} has no component {id}: check PAGE_ID and COMPONENT_ID")),
        };
        ((*id).clone(), component)
    };
    wanted.iter().map(pick).collect()
}

/// The incidents that provers opened.
pub(crate) fn ours(incidents: &Incidents) -> Vec<OurIncident> {
    incidents.0.iter().filter_map(OurIncident::read).collect()
}
