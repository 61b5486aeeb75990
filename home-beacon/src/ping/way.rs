//! The way out of the home: its router, the first hop behind it, which is the provider's, and name servers. Where the way ends is
//! what tells a router from a line, and a line from a provider.
//!
//! The first hop is asked by echoes that may go so far and no further: it says itself that they did. At which distance it is, is
//! remembered, and found again where it says nothing any more while hosts behind it answer.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use checks::icmp::{Echo, Sample, Why};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    names::{Family, Names, Reply, Search},
    network::is_at_home,
};
use tokio::time::Instant;

use super::settings::{NAMES_TIMEOUT, SAMPLE_TIMEOUT};
use crate::{
    job::memory::Memory,
    reading::{MetricName, Outcome, Reading},
};

/// The name under which the way is remembered.
pub(super) const STATE: &str = "way";

/// How far it is looked for: a home has two or three hops of its own, and a cluster one more.
const FARTHEST: u8 = 8;

/// How many echoes the first hop is sent: routers answer such things when they have time.
const TRIES: u16 = 3;

/// How long reading and writing what is remembered may take: handing over matters more.
pub(super) const MEMORY_TIMEOUT: Duration = Duration::from_secs(4);

/// What is remembered: at which distance the first hop is, and which it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    hops: Option<u8>,
    address: Option<IpAddr>,
}

/// What an echo came to that may go so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hop {
    /// That router took it, and could not pass it on.
    Is(IpAddr, Duration),
    /// It went all the way.
    Passed,
    /// Nothing came back.
    Silent,
}

/// The reading of the first hop, where one is known; `far` is a host behind it, and `is_there` whether that answers now.
///
/// # Errors
/// When this process may not send echoes.
pub(super) async fn first_hop(
    memory: &Memory,
    router: Option<IpAddr>,
    far: IpAddr,
    is_there: bool,
    until: Instant,
) -> io::Result<Option<Reading>> {
    let soon = || until.min(Instant::now() + MEMORY_TIMEOUT);
    let at = Timestamp::now();
    let known: Way = memory.load(STATE, soon()).await.ok().and_then(|loaded| loaded.state).unwrap_or_default();
    let mut way = known;
    let mut answer = match way.hops {
        Some(hops) => ask(far, hops).await?,
        None => Hop::Passed,
    };
    // What says nothing while hosts behind it answer has moved, or never says anything.
    if answer == Hop::Passed || (answer == Hop::Silent && is_there) {
        let all = join_all((1..=FARTHEST).map(|hops| async move { (hops, ask(far, hops).await) })).await;
        let mut hops = BTreeMap::new();
        for (distance, answer) in all {
            if let Hop::Is(by, took) = answer? {
                hops.insert(distance, (by, took));
            }
        }
        if let Some((distance, by, took)) = behind(&hops, router) {
            (way, answer) = (Way { hops: Some(distance), address: Some(by) }, Hop::Is(by, took));
        }
    }
    if let Hop::Is(by, _) = answer {
        way.address = Some(by);
    }
    if way != known {
        let _ = memory.save(STATE, &way, soon()).await;
    }
    let outcome = match (answer, way.hops) {
        (Hop::Is(_, took), _) => Outcome::Value(took.as_secs_f64() * 1e3),
        (Hop::Silent, Some(hops)) => Outcome::Failure(format!("nothing came back from {hops} hops away")),
        _ => return Ok(None),
    };
    let mut reading = Reading::new(MetricName::ours("first_hop"), at, outcome);
    reading.target = way.address.map(|address| address.to_string());
    Ok(Some(reading))
}

/// The first hop behind the router: the next one that says something, or, of a home whose router is not known or says nothing, the
/// first one that is not in a private network.
fn behind(hops: &BTreeMap<u8, (IpAddr, Duration)>, router: Option<IpAddr>) -> Option<(u8, IpAddr, Duration)> {
    let router = hops.iter().find(|(_, (by, _))| Some(*by) == router).map(|(distance, _)| *distance);
    let found = match router {
        Some(router) => hops.range(router + 1..).next(),
        None => hops.iter().find(|(_, (by, _))| !is_at_home(*by)),
    };
    found.map(|(distance, (by, took))| (*distance, *by, *took))
}

async fn ask(far: IpAddr, hops: u8) -> io::Result<Hop> {
    let echo = Echo::within(far, hops)?;
    let mut passed = false;
    for sequence in 0..TRIES {
        match echo.sample(sequence, SAMPLE_TIMEOUT / u32::from(TRIES)).await? {
            Sample::Answered(_) => passed = true,
            Sample::Lost(Some(Why::Reported(error))) if error.is_time_exceeded() => {
                if let (Some(by), Some(took)) = (error.by, error.after) {
                    return Ok(Hop::Is(by, took));
                }
            }
            Sample::Lost(_) => (),
        }
    }
    Ok(if passed { Hop::Passed } else { Hop::Silent })
}

/// The default gateway, where this process is in a network that has one.
///
/// # Errors
/// When there is none, in words.
pub(super) fn gateway() -> Result<IpAddr, String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let found = gateway_of(&read("/proc/net/route")).map(IpAddr::V4);
    let found = found.or_else(|| gateway_of_v6(&read("/proc/net/ipv6_route")).map(IpAddr::V6));
    found.ok_or_else(|| "this machine has no default gateway: name the router's address".into())
}

/// A line for each route: interface, destination, gateway, flags, …, in hexadecimal digits of the machine's own byte order.
fn gateway_of(routes: &str) -> Option<Ipv4Addr> {
    routes.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |index: usize| u32::from_str_radix(fields.get(index)?, 16).ok();
        let is_default = number(1)? == 0 && number(7)? == 0;
        let gateway = number(2).filter(|gateway| is_default && *gateway != 0)?;
        Some(Ipv4Addr::from(gateway.to_ne_bytes()))
    })
}

/// A line for each route: destination, its length, source, its length, next hop, ….
fn gateway_of_v6(routes: &str) -> Option<Ipv6Addr> {
    routes.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_default = u128::from_str_radix(fields.first()?, 16).ok()? == 0 && *fields.get(1)? == "00";
        let hop = u128::from_str_radix(fields.get(4)?, 16).ok().filter(|hop| is_default && *hop != 0)?;
        // Of an address of one link it would have to be known of which.
        Some(Ipv6Addr::from(hop)).filter(|hop| !hop.is_unicast_link_local())
    })
}

/// How long a name takes at the home's name servers, and at one outside: the readings of both.
pub(super) async fn names(name: &str, outside: Option<SocketAddr>, until: Instant) -> Vec<Reading> {
    let servers =
        [("names", Some(Names::of_this_machine())), ("names_outside", outside.map(|it| Names::of_servers(vec![it])))];
    let asked = servers.into_iter().filter_map(|(metric, names)| Some(name_at(metric, names?, name, until)));
    join_all(asked).await
}

async fn name_at(metric: &str, names: Names, name: &str, until: Instant) -> Reading {
    let (at, start) = (Timestamp::now(), Instant::now());
    let until = until.min(start + NAMES_TIMEOUT);
    let outcome = match names.find(name, Family::V4, Search::of_target(name), until).await {
        // A server that denies the name answers.
        Reply::Addresses(_) | Reply::NoAddress | Reply::NoSuchName => {
            Outcome::Value(start.elapsed().as_secs_f64() * 1e3)
        }
        Reply::Failed(why) => Outcome::Failure(shared::names::describe(name, &[Reply::Failed(why)])),
    };
    let mut reading = Reading::new(MetricName::ours(metric), at, outcome);
    reading.target = Some(name.to_owned());
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hops(list: &[(u8, &str)]) -> BTreeMap<u8, (IpAddr, Duration)> {
        list.iter().map(|(distance, by)| (*distance, (by.parse().unwrap(), Duration::from_millis(3)))).collect()
    }

    #[test]
    fn the_first_hop_is_the_one_behind_the_router() {
        let router = Some("192.168.1.1".parse().unwrap());
        for (list, router, expected) in [
            (&[(1, "192.168.1.1"), (2, "203.0.113.1"), (3, "198.51.100.1")][..], router, Some(2)),
            // From a pod, and behind a provider that uses private addresses.
            (&[(1, "10.42.0.1"), (2, "192.168.1.1"), (3, "10.11.0.1"), (4, "198.51.100.1")], router, Some(3)),
            // The one behind the router says nothing.
            (&[(1, "192.168.1.1"), (3, "198.51.100.1")], router, Some(3)),
            // The router is not known, or says nothing.
            (&[(1, "192.168.1.1"), (2, "100.64.0.1")], None, Some(2)),
            (&[(2, "203.0.113.1")], router, Some(2)),
            (&[(1, "192.168.1.1")], router, None),
            (&[], router, None),
        ] {
            assert_eq!(behind(&hops(list), router).map(|(distance, ..)| distance), expected, "{list:?}");
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_gateway_is_that_of_the_default_route() {
        let routes = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
                      eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n\
                      eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\n";
        assert_eq!(gateway_of(routes), Some([192, 168, 2, 1].into()));
        assert_eq!(gateway_of("Iface\tDestination\n"), None);
        let of_v6 = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                     20010db8000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n";
        assert_eq!(gateway_of_v6(of_v6), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(gateway_of_v6(&of_v6.replace("20010db8", "fe800000")), None, "of which link is not said");
    }
}
