//! Which port a router has given to the beacon, for who did not ask it: what was written down here, else what stands in its list as ours.

use std::path::Path;

use super::{
    asked::{Answer, Request},
    mapping::Mapping,
    moment::Moment,
    record,
    router::Router,
    soap::DESCRIBED,
};

/// How many ports are looked for from a wanted one on: as many as are tried when one is opened.
const TRIED: u16 = 5;

/// The port; `None` where none is known. One of the wanted ones, or of those behind it, is the likely one. `folder` has the record
/// of this machine, where there is one.
pub async fn granted(router: &Router, wanted: [u16; 2], folder: Option<&Path>) -> Option<u16> {
    let noted = folder.and_then(|folder| record::opened(folder, &Moment::now()).ok()).unwrap_or_default();
    if let Some(port) = newest(&noted, router) {
        return Some(port);
    }
    // What opens it may be a pod, or another machine.
    for port in wanted.into_iter().flat_map(|first| (0..TRIED).filter_map(move |more| first.checked_add(more))) {
        match router.ask(&Request::Look(port)).await {
            Answer::Held(holder) if holder.description == DESCRIBED => return Some(port),
            Answer::Held(_) | Answer::Nobody => (),
            // It has no list that it shows.
            _ => return None,
        }
    }
    None
}

/// What that router said last that it has opened.
fn newest(noted: &[Mapping], router: &Router) -> Option<u16> {
    let stands =
        |it: &&Mapping| it.router == router.address && it.is_confirmed && !it.is_ending && it.internal.is_ipv4();
    noted.iter().rev().find(stands).map(|mapping| mapping.external)
}
