//! The way in: what the router says of its outside, beside what DuckDNS sees, and whether it opens ports for who asks.

use std::{net::IpAddr, time::Duration};

use home_beacon::dns::{self, ADDRESS_SOURCES};
use shared::names::Family;
use tokio::time::{Instant, timeout};
use url::Url;

use super::{
    Outcome, duck, kept_open,
    record::{Chosen, Record, WayIn},
    settings::{RunsOn, SetupSettings},
};
use crate::port::{
    self,
    gateway::gateways,
    granted::{Beacon, granted},
    outside::{Outside, Reach},
    router::{Place, Router},
};

/// How long a router may take to all questions.
const PATIENCE: Duration = Duration::from_secs(8);

/// What of a home that has no IPv4 is not set up here.
const OF_V6: &str = "this machine has IPv6 alone, which a function of Lambda does not reach by itself: take an outside machine with \
                     IPv6 (porchlight up), and have the router's firewall let the beacon's port in (porchlight port open --ip-version 6)";

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) outcome: Outcome,
    /// The router, where it opens ports for who asks.
    pub(super) opens: Option<WayIn>,
    /// The router, where it was reached, and nothing that it opens leads here.
    pub(super) closed: Option<IpAddr>,
    /// The port that it has given to the beacon already.
    pub(super) granted: Option<u16>,
}

impl Found {
    fn none(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped(why.into()), opens: None, closed: None, granted: None }
    }
}

/// Looks for it. `wanted` are ports that the beacon may have; `seen` is where the world sees us, where DuckDNS has said so; services
/// that say it are asked otherwise. A port counts as the beacon's where the router is the home's own.
pub(super) async fn find(settings: &SetupSettings, wanted: [u16; 2], place: &duck::Place, record: &Record) -> Found {
    if settings.no_router {
        return Found::none("the router is not asked, as --no-router says: forward the port by hand");
    }
    let at = match settings.router {
        Some(address) => Place::named(address),
        None => match gateways(Family::V4).first() {
            Some(gateway) => Place::of(gateway),
            None if !gateways(Family::V6).is_empty() => return Found::none(OF_V6),
            None => return Found::none("this machine has no way out by a router: forward the port where the home is"),
        },
    };
    let by_hand = format!("the router {} opens no ports for who asks: forward the port by hand", at.address());
    let Ok(Ok(router)) = timeout(PATIENCE, Router::survey(&at, None, None)).await else {
        return Found::none(by_hand);
    };
    let speaks: Vec<_> = router.speaks().iter().map(ToString::to_string).collect();
    if speaks.is_empty() {
        return Found::none(by_hand);
    }
    let world = if let Some(seen) = place.seen {
        Ok(seen)
    } else {
        let sources: Vec<Url> = ADDRESS_SOURCES.split(',').filter_map(|source| source.parse().ok()).collect();
        dns::seen(&sources, Instant::now() + PATIENCE).await
    };
    // One that speaks PCP alone names none: then it is the one that the world sees.
    let own = router.outside().or(world.as_ref().ok().copied());
    let outside = Outside::of(router.outside(), world);
    let said = format!("the router {} speaks {}; outside it is {}", router.address, speaks.join(", "), outside.words());
    if outside.reach() == Reach::No {
        let why = format!(
            "{said}: nothing that is forwarded gets here; have the home tell the cloud of itself (infra/README.md, Homes behind \
             CGNAT, has the commands), take a tunnel, or ask your provider for a public address"
        );
        return Found { closed: Some(router.address), ..Found::none(why) };
    }
    let folder = port::record::folder(settings.state_dir.as_deref()).ok();
    // Who sets it up may sit elsewhere, behind a router that has a beacon of its own.
    let is_home = own.is_some() && own == place.home;
    let chosen = record.chosen();
    let runs_on = settings.runs_on.or(chosen.runs_on);
    let ports =
        Chosen { runs_on, beacon_port: settings.beacon_port.or(chosen.beacon_port), ..chosen.clone() }.beacon_ports();
    let host = Some(router.target).filter(|_| router.is_own && runs_on.is_some_and(RunsOn::is_this_machine));
    let beacon = Beacon { ports: &ports, host };
    let granted = async { if is_home { granted(&router, wanted, &beacon, folder.as_deref()).await } else { None } };
    let granted = match timeout(PATIENCE, granted).await.ok().flatten() {
        None if is_home => kept_open::external(runs_on, record).await,
        granted => granted,
    };
    let said = match granted {
        Some(port) => format!("{said}; it has opened port {port} for the beacon"),
        None => said,
    };
    Found {
        outcome: Outcome::Already(said),
        granted,
        closed: None,
        opens: Some(WayIn { router: router.address, own: Some(router.target) }),
    }
}
