//! What homes and their keepers receive of the run: a signature for each request, and where the page is a keeper's, what was
//! concluded of each of its components. Nothing of it changes how the run ends.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use shared::{
    api::{ApiError, Permanent},
    http,
    id::{ComponentId, PageId},
    look::{PostedLook, PostedLooks, Vantage},
};
use tokio::time::{Instant, timeout_at};

use super::{prober::Prober, target_state::TargetState};
use crate::{
    look::{Viewpoint, looks_api, posted_look},
    notices::{Answered, Muted},
    observe::Signer,
    publish::{
        access::{Access, COMPONENT},
        page::Pages,
    },
};

/// How long finding out from where the homes were looked at may take.
const VANTAGE_TIMEOUT: Duration = Duration::from_secs(3);

/// A keeper's answer to looks.
#[derive(Deserialize)]
struct Taken {
    /// What its owner does not want to be written to about for now; an older keeper does not say.
    #[serde(default)]
    muted: Vec<Muted>,
}

impl Prober {
    /// What the run that began at `at` says of itself to a component's home.
    pub(super) fn signer<'run>(
        &'run self,
        component: &ComponentId,
        at: Timestamp,
        http: &'run http::Client,
    ) -> Signer<'run> {
        let at = at.as_second();
        let last = self.memory.reported_at(component, at);
        Signer { at, location: &self.location, last, viewpoint: self.viewpoint(http) }
    }

    fn viewpoint<'run>(&'run self, http: &'run http::Client) -> Viewpoint<'run> {
        Viewpoint { setting: self.config.vantage, outside: self.outside.as_ref(), http }
    }

    /// Finds out from where each home was looked at; from inside where that cannot be known in time.
    pub(super) async fn find_vantages(&self, states: &mut [TargetState<'_>], http: &http::Client, until: Instant) {
        let until = until.min(Instant::now() + VANTAGE_TIMEOUT);
        for state in states {
            let found = timeout_at(until, self.viewpoint(http).of(&state.looked_at())).await;
            state.from = found.unwrap_or(Vantage::Inside);
        }
    }

    /// Puts the run's looks at the keepers among its pages, all of a page's components in one call; returns what those that answered
    /// want no notices of.
    pub(super) async fn put_looks(
        &self,
        access: &Access<'_>,
        pages: &Pages,
        states: &[TargetState<'_>],
        at: Timestamp,
        until: Instant,
    ) -> Vec<Answered> {
        let mut looks: BTreeMap<&PageId, Vec<PostedLook>> = BTreeMap::new();
        for state in states {
            let (page, component) = (&state.target.page, &state.target.component);
            // A keeper refuses a call that names a component which it has not, and the report says so already.
            if pages.is_keepers(page) && state.component.is_ok() {
                looks.entry(page).or_default().push(posted_look(component, state.verdict, state.from, state.enough()));
            }
        }
        let putting = looks.into_iter().map(|(page, looks)| {
            let (page_id, location) = (page.clone(), self.location.clone());
            self.put(access, PostedLooks { page_id, at: at.as_second(), location, looks }, until)
        });
        join_all(putting).await.into_iter().flatten().collect()
    }

    async fn put(&self, access: &Access<'_>, looks: PostedLooks, until: Instant) -> Option<Answered> {
        let page = looks.page_id.as_str();
        let Some(base) = looks_api(&self.statuspage) else {
            if !self.is_refusal_logged.swap(true, Ordering::Relaxed) {
                tracing::warn!("a keeper's API ends with /v1, and STATUSPAGE_URL does not: no looks are sent to it");
            }
            return None;
        };
        let (api, body) = (access.other_api(&base), json!(looks));
        let put = api.call::<Taken>(Method::POST, "/looks", Some(&body));
        match access.once(until, put).await {
            Ok(Taken { muted }) => {
                let about = looks.looks.iter().map(|look| look.component_id.clone()).collect();
                return Some(Answered { about, muted });
            }
            Err(Some(ApiError::Permanent(Permanent { status: 404, .. }))) => {
                if !self.is_refusal_logged.swap(true, Ordering::Relaxed) {
                    tracing::warn!(page, "the keeper takes no looks: it is older than this prober; update it");
                }
            }
            Err(error) => {
                let error = access.describe_once(COMPONENT, error.as_ref());
                tracing::warn!(page, error, "the keeper did not take the looks of this run");
            }
        }
        None
    }
}
