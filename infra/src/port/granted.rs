//! Which port a router has given to the beacon, for who did not ask it: what was written down here, else what stands in its list as ours.

use std::{net::IpAddr, path::Path};

use super::{
    asked::{Answer, Holder, Request},
    mapping::Mapping,
    moment::Moment,
    record,
    router::Router,
    soap::DESCRIBED,
};

/// How many ports are looked for from a wanted one on: as many as are tried when one is opened.
const TRIED: u16 = 5;

/// What a port has to lead to: another port that is ours leads to a page, or to a beacon elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Beacon<'a> {
    /// The ports at which it may answer, behind the router.
    pub ports: &'a [u16],
    /// Its machine, where that is known.
    pub host: Option<IpAddr>,
}

/// The port; `None` where none is known. One of the wanted ones, or of those behind it, is the likely one. `folder` has the record
/// of this machine, where there is one.
pub async fn granted(router: &Router, wanted: [u16; 2], beacon: &Beacon<'_>, folder: Option<&Path>) -> Option<u16> {
    let noted = folder.and_then(|folder| record::opened(folder, &Moment::now()).ok()).unwrap_or_default();
    if let Some(port) = newest(&noted, router.address, beacon) {
        return Some(port);
    }
    // What opens it may be a pod, or another machine.
    for port in wanted.into_iter().flat_map(|first| (0..TRIED).filter_map(move |more| first.checked_add(more))) {
        match router.ask(&Request::Look(port)).await {
            Answer::Held(holder) if beacon.is_led_to(&holder) => return Some(port),
            Answer::Held(_) | Answer::NoMapping => (),
            // It has no list that it shows.
            _ => return None,
        }
    }
    None
}

impl Beacon<'_> {
    /// A router that knows the machine by a name says nothing against it.
    fn is_led_to(&self, holder: &Holder) -> bool {
        let is_elsewhere = |host: IpAddr| holder.client.parse().is_ok_and(|client: IpAddr| client != host);
        holder.description == DESCRIBED && self.ports.contains(&holder.port) && !self.host.is_some_and(is_elsewhere)
    }
}

/// What that router said last that it has opened.
fn newest(noted: &[Mapping], router: IpAddr, beacon: &Beacon<'_>) -> Option<u16> {
    let stands = |it: &&Mapping| {
        let is_open = it.router == router && it.is_confirmed && !it.is_ending && it.internal.is_ipv4();
        let is_there = beacon.host.is_none_or(|host| host == it.internal.ip());
        is_open && is_there && beacon.ports.contains(&it.internal.port())
    };
    noted.iter().rev().find(stands).map(|mapping| mapping.external)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_port_that_leads_to_the_beacon_is_the_beacons() {
        let held = |client: &str, port, description: &str| Holder {
            client: client.to_owned(),
            port,
            description: description.to_owned(),
            lease: 0,
        };
        let here = Beacon { ports: &[8080], host: "192.168.1.7".parse().ok() };
        let anywhere = Beacon { host: None, ..here };
        for (holder, is_here, is_anywhere) in [
            (held("192.168.1.7", 8080, DESCRIBED), true, true),
            (held("nas", 8080, DESCRIBED), true, true),
            (held("192.168.1.9", 8080, DESCRIBED), false, true),
            (held("192.168.1.7", 8030, DESCRIBED), false, false),
            (held("192.168.1.7", 8080, "another program"), false, false),
        ] {
            assert_eq!((here.is_led_to(&holder), anywhere.is_led_to(&holder)), (is_here, is_anywhere), "{holder:?}");
        }
    }
}
