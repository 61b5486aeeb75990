//! The way in: what the router says of its outside, beside what DuckDNS sees, and whether it opens ports for who asks.

use std::{net::IpAddr, time::Duration};

use home_beacon::dns::{self, ADDRESS_SOURCES};
use shared::names::Family;
use tokio::time::{Instant, timeout};
use url::Url;

use super::{Outcome, record::WayIn, settings::SetupSettings};
use crate::port::{
    self,
    gateway::gateways,
    granted::granted,
    outside::{Outside, Reach},
    router::{Place, Router},
};

/// How long a router may take to all questions.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) outcome: Outcome,
    /// The router, where it opens ports for who asks.
    pub(super) opens: Option<WayIn>,
    /// The port that it has given to the beacon already.
    pub(super) granted: Option<u16>,
}

impl Found {
    fn none(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped(why.into()), opens: None, granted: None }
    }
}

/// Looks for it. `wanted` are ports that the beacon may have; `seen` is where the world sees us, where DuckDNS has said so; services
/// that say it are asked otherwise.
pub(super) async fn find(settings: &SetupSettings, wanted: [u16; 2], seen: Option<IpAddr>) -> Found {
    if settings.no_router {
        return Found::none("the router is not asked, as --no-router says: forward the port by hand");
    }
    let place = match settings.router {
        Some(address) => Place::named(address),
        None => match gateways(Family::V4).first() {
            Some(gateway) => Place::of(gateway),
            None => return Found::none("this machine has no way out by a router: forward the port where the home is"),
        },
    };
    let by_hand = format!("the router {} opens no ports for who asks: forward the port by hand", place.address());
    let Ok(Ok(router)) = timeout(PATIENCE, Router::survey(&place, None, None)).await else {
        return Found::none(by_hand);
    };
    let speaks: Vec<_> = router.speaks().iter().map(ToString::to_string).collect();
    if speaks.is_empty() {
        return Found::none(by_hand);
    }
    let world = if let Some(seen) = seen {
        Ok(seen)
    } else {
        let sources: Vec<Url> = ADDRESS_SOURCES.split(',').filter_map(|source| source.parse().ok()).collect();
        dns::seen(&sources, Instant::now() + PATIENCE).await
    };
    let outside = Outside::of(router.outside(), world);
    let said = format!("the router {} speaks {}; outside it is {}", router.address, speaks.join(", "), outside.words());
    if outside.reach() == Reach::No {
        let why = format!(
            "{said}: nothing that is forwarded gets here; take a tunnel, or ask your provider for a public address"
        );
        return Found::none(why);
    }
    let folder = port::record::folder(None).ok();
    let granted = timeout(PATIENCE, granted(&router, wanted, folder.as_deref())).await.ok().flatten();
    let said = match granted {
        Some(port) => format!("{said}; it has opened port {port} for the beacon"),
        None => said,
    };
    Found {
        outcome: Outcome::Already(said),
        granted,
        opens: Some(WayIn { router: router.address, own: Some(router.target) }),
    }
}
