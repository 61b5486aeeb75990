//! Reads what the pages say of the targets' components: one call for each hundred components of a page.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use shared::{
    api::ApiError,
    id::{ComponentId, PageId},
    statuspage::{COMPONENTS_PER_CALL, Component},
};
use tokio::time::Instant;

use crate::{access::Access, target::Targets};

/// The most listings of one page: 5 000 components, and still within the rate limit.
const MOST_LISTINGS: usize = 50;

/// The components that the targets name, each as its page told it, or why not. The error is for people.
#[derive(Debug, Default)]
pub struct Pages(HashMap<ComponentId, Result<Component, String>>);

impl Pages {
    /// What was read of `component`.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn component(&self, component: &ComponentId) -> Result<&Component, &str> {
        match self.0.get(component) {
            Some(Ok(read)) => Ok(read),
            Some(Err(error)) => Err(error),
            None => Err("the component was not asked for"),
        }
    }
}

/// Reads the components of all targets before `until`.
pub async fn read(access: &Access<'_>, targets: &Targets, until: Instant) -> Pages {
    let mut wanted: HashMap<&PageId, HashSet<&ComponentId>> = HashMap::new();
    for target in targets {
        wanted.entry(&target.page).or_default().insert(&target.component);
    }
    let listings = wanted.into_iter().map(|(page, components)| async move {
        let listing = read_page(access, page, &components, until).await;
        (page, components, listing)
    });
    let mut pages = Pages::default();
    for (page, components, listing) in join_all(listings).await {
        match listing {
            Ok(found) => pages.0.extend(found),
            Err(error) => {
                let error = access.told(&error);
                pages.0.extend(components.iter().map(|id| ((*id).clone(), Err(error.clone()))));
            }
        }
        for id in components {
            pages.0.entry(id.clone()).or_insert_with(|| {
                Err(format!("the page {page} has no component {id}: look at PAGE_ID and COMPONENT_ID"))
            });
        }
    }
    pages
}

async fn read_page(
    access: &Access<'_>,
    page: &PageId,
    wanted: &HashSet<&ComponentId>,
    until: Instant,
) -> Result<Vec<(ComponentId, Result<Component, String>)>, ApiError> {
    let mut found = Vec::new();
    for number in 1..=MOST_LISTINGS {
        let listing = access.call(until, |client| async move { client.components(page, number).await }).await?;
        found.extend(wanted.iter().filter_map(|id| {
            let component = listing.component(id)?;
            Some(((*id).clone(), component.map_err(|error| format!("component {id} cannot be used: {error}"))))
        }));
        if listing.len() < COMPONENTS_PER_CALL || found.len() == wanted.len() {
            break;
        }
    }
    Ok(found)
}
