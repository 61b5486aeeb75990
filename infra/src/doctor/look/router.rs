//! The router: what it says of its outside address, and of the port that `porchlight port` has opened.

use std::{net::IpAddr, time::Duration};

use shared::names::Family;
use tokio::time::timeout;

use super::super::{checks::beacon::RouterSeen, given::Given, until::Until};
use crate::port::{
    asked::{Answer, Leads, Request},
    gateway::{gateways, own_address},
    mapping::{Mapping, Protocol},
    moment::Moment,
    outside::Outside,
    record,
    router::{Place, Router},
};

/// How long a router may take to all questions.
const PATIENCE: Duration = Duration::from_secs(8);

/// What was seen of it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it says of its outside.
    pub outside: Option<IpAddr>,
    /// Whether it answered at all.
    pub is_asked: bool,
    /// The port.
    pub port: RouterSeen,
}

/// This machine's address at home: the one that the router sees.
pub fn at_home() -> Option<IpAddr> {
    let gateway = gateways(Family::V4).into_iter().next()?;
    own_address((gateway.address, 9).into()).ok()
}

/// Whether an address is this machine's: nobody can listen at another one.
pub fn is_own(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

/// Asks it.
pub async fn ask(given: &Given, until: Until) -> Seen {
    let not_asked = |why: &str| Seen { outside: None, is_asked: false, port: RouterSeen::NotAsked(why.into()) };
    let place = match given.text("ROUTER").map(str::parse::<IpAddr>) {
        Some(Ok(address)) => Place::named(address),
        Some(Err(_)) => return not_asked("ROUTER is no address"),
        None => match gateways(Family::V4).first() {
            Some(gateway) => Place::of(gateway),
            None => return not_asked("this machine has no way out by a router"),
        },
    };
    let opened = record::folder(given.text("STATE_DIR").map(std::path::Path::new))
        .map_err(|error| error.to_string())
        .and_then(|folder| record::opened(&folder, &Moment::now()).map_err(|error| format!("{error:#}")));
    let surveyed = timeout(until.left(PATIENCE), Router::survey(&place, None, None)).await;
    let Ok(Ok(router)) = surveyed else {
        let why = format!("the router {} does not answer such questions", place.address());
        let opened = opened.unwrap_or_default();
        let port = if opened.is_empty() { RouterSeen::ByHand } else { RouterSeen::Untold(why) };
        return Seen { outside: None, is_asked: false, port };
    };
    let outside = router.outside();
    let port = match opened {
        Err(why) => RouterSeen::Untold(why),
        Ok(opened) => match opened.first() {
            None => RouterSeen::ByHand,
            Some(mapping) => timeout(until.left(PATIENCE), stands(mapping, &router))
                .await
                .unwrap_or_else(|_| RouterSeen::Untold("the router does not answer in time".into())),
        },
    };
    Seen { outside, is_asked: true, port }
}

/// Whether what was opened is open still, as far as the router tells.
async fn stands(mapping: &Mapping, router: &Router) -> RouterSeen {
    if mapping.router != router.address {
        return RouterSeen::Gone(format!("{mapping} was opened, and this machine goes out by {} now", router.address));
    }
    if !mapping.is_confirmed {
        return RouterSeen::Gone(format!("{mapping} was asked for, and the router never said that it is open"));
    }
    let as_noted = || RouterSeen::Open(format!("{mapping}, as was noted: to ask would open it"));
    let is_listed = mapping.protocol == Protocol::Upnp;
    if !is_listed && !router.speaks().contains(&Protocol::Upnp) {
        return as_noted();
    }
    match router.ask(&Request::Look(mapping.external)).await {
        Answer::Held(holder) => match holder.leads(mapping.internal) {
            Leads::Here => RouterSeen::Open(format!("the router has {mapping}")),
            Leads::Elsewhere => RouterSeen::Gone(format!("{mapping} is gone: that port leads to {holder} now")),
            Leads::Unclear => {
                RouterSeen::Untold(format!("{mapping}: the router has that port for {holder}, by a name"))
            }
        },
        Answer::NoMapping if is_listed => {
            RouterSeen::Gone(format!("{mapping} is gone from the router's list, as after a restart"))
        }
        // Some keep what was asked for by PCP and NAT-PMP in another list than UPnP's.
        Answer::NoMapping => {
            RouterSeen::Unlisted(format!("{mapping} is not in the list that the router shows by UPnP"))
        }
        _ if !is_listed => as_noted(),
        Answer::Refused(refusal) => RouterSeen::Untold(format!("{mapping} cannot be asked for: {refusal}")),
        Answer::Undetermined | Answer::Opened(_) | Answer::Closed | Answer::Ending(_) => {
            RouterSeen::Untold(format!("{mapping}, as was noted: the router has no list"))
        }
    }
}

/// What both say of the outside.
pub fn outside(seen: &Seen, world: &Result<IpAddr, String>) -> Option<Outside> {
    seen.is_asked.then(|| Outside::of(seen.outside, world.clone()))
}
