//! The home's address: what the world sees, what `DuckDNS` holds, what public DNS tells, and whether it is the home's own.

use std::net::{IpAddr, SocketAddr};

use home_beacon::dns::address::{Kind, NotPublic, public};
use shared::names::ServerAnswer;

use super::super::{finding::Finding, link::Link, told::Told};
use crate::port::outside::Outside;

/// The address that the world sees.
pub fn address(seen: &Result<IpAddr, String>) -> Finding {
    match seen {
        Ok(address) => Finding::ok(Link::Address, format!("the world sees {address}")),
        Err(why) => Finding::unknown(
            Link::Address,
            why.clone(),
            "see whether this machine has a line; ADDRESS_SOURCES names who is asked",
        ),
    }
}

/// The name and the token at `DuckDNS`: what it says to an update that changes nothing.
pub fn duckdns(name: Option<&str>, told: &Told) -> Finding {
    let Some(name) = name else { return Finding::unused(Link::DuckDns, "the home's name is not at DuckDNS") };
    match told {
        Told::Is(_) => Finding::ok(Link::DuckDns, format!("it takes the token for {name}.duckdns.org")),
        Told::NotAsked(why) => {
            Finding::unknown(Link::DuckDns, why.clone(), "set DUCKDNS_TOKEN for this one command to have it tried")
        }
        Told::Refused { .. } => Finding::failed(
            Link::DuckDns,
            format!("it answers KO: the token is not that of {name}, or there is no such name"),
            "sign in at www.duckdns.org, and compare name and token with DOMAIN and DUCKDNS_TOKEN",
        ),
        Told::Limited(why) | Told::Silent(why) => {
            Finding::unknown(Link::DuckDns, why.clone(), "try again in some minutes: its outages are short")
        }
    }
}

/// Where this machine is, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// It runs the beacon, or is to run it.
    pub is_home: bool,
    /// Its name leads there over IPv6 alone, where no router translates.
    pub is_ipv6: bool,
    /// Somebody outside has got to the home's beacon a moment ago, whatever seems to be in between.
    pub is_reached: bool,
    /// Somebody outside has not, a moment ago.
    pub is_missed: bool,
    /// What the router has outside, where it tells.
    pub outside: Option<IpAddr>,
}

/// What one public name server says of the home's name.
#[derive(Clone, Debug)]
pub struct PublicSeen {
    /// The server.
    pub server: SocketAddr,
    /// Its answer.
    pub answer: ServerAnswer,
}

/// What the world is told of the home's name, beside the address that it sees. `here`: whether this machine is at home, and whether
/// somebody outside got there by that name a moment ago.
pub fn public_dns(host: Option<&str>, seen: &[PublicSeen], own: Option<IpAddr>, here: Here) -> Finding {
    let link = Link::PublicDns;
    let Some(host) = host else {
        return Finding::unused(link, "the home is known by its address alone, or not at all");
    };
    let told: Vec<IpAddr> = seen
        .iter()
        .filter_map(
            |server| if let ServerAnswer::Addresses(all) = &server.answer { all.first().copied() } else { None },
        )
        .collect();
    let denies = seen.iter().filter(|server| matches!(server.answer, ServerAnswer::NoSuchName)).count();
    let empty = seen.iter().filter(|server| matches!(server.answer, ServerAnswer::NoAddress)).count();
    let Some(first) = told.first() else {
        return match (denies, empty) {
            (1.., _) => Finding::failed(
                link,
                format!("{host} does not exist"),
                "add the name where you registered it, or correct CANARY_URL",
            ),
            (_, 1..) => Finding::failed(
                link,
                format!("{host} has no address"),
                "start dns at home: it gives the name its address",
            ),
            _ => Finding::unknown(
                link,
                "no public name server answers",
                "see whether this network lets DNS out: PUBLIC_DNS names who is asked",
            ),
        };
    };
    if let Err(refused) = public(*first) {
        return Finding::failed(
            link,
            format!("{host} leads to {refused}"),
            "give the name the address that the world sees: start dns at home",
        );
    }
    if first.is_ipv6() {
        return Finding::unknown(
            link,
            format!("{host} leads to {first}, over IPv6 alone, which is compared with nothing here"),
            "believe who looks from outside, over IPv6",
        );
    }
    match own {
        None => Finding::unknown(
            link,
            format!("{host} leads to {first}, and the own address is not known"),
            "mend the link own address first",
        ),
        Some(own) if told.iter().all(|address| *address == own) => {
            Finding::ok(link, format!("{host} leads to {own}, as {} name servers say", told.len()))
        }
        Some(own) if told.contains(&own) => Finding::unknown(
            link,
            format!("some name servers say {own}, others still an older address"),
            "wait a minute: records live for 60 s",
        ),
        // Somewhere else, or behind a VPN, this machine is not where the home is; and a name may lead to a tunnel's other end.
        Some(own)
            if here.is_reached
                || !here.is_home
                || here.outside == Some(*first)
                || !(here.is_missed || here.outside == Some(own)) =>
        {
            Finding::unknown(
                link,
                format!("{host} leads to {first}, and the world sees this machine at {own}"),
                "run this at home and without a VPN; where the name leads to a tunnel, that is as it should be",
            )
        }
        Some(own) => Finding::failed(
            link,
            format!("{host} leads to {first}, and the world sees this machine at {own}"),
            "see why dns at home does not keep it (its last run is below); or run this at home, if it is run elsewhere",
        ),
    }
}

/// Whether the provider gives an address of one's own: what the router says of its outside, beside what the world sees.
pub fn provider(outside: Option<&Outside>, own: Option<IpAddr>, here: Here) -> Finding {
    let link = Link::Cgnat;
    if here.is_ipv6 {
        return Finding::unused(link, "the home is reached over IPv6, where each machine has an address of its own");
    }
    if let Some(Outside::Behind(refused)) = outside
        && here.is_reached
    {
        return Finding::ok(
            link,
            format!("the router has {refused} outside, and the world gets to the beacon all the same"),
        );
    }
    let not_asked = "the router does not tell its outside address";
    match outside {
        Some(Outside::Behind(NotPublic { address, kind: Kind::Cgnat })) => Finding::failed(
            link,
            format!("the router has {address} outside, which the provider shares among its customers (CGNAT)"),
            "ask the provider for a public IPv4 address, or use IPv6 (IP_VERSION=6): no port of the router helps",
        ),
        Some(Outside::Behind(refused)) => Finding::failed(
            link,
            format!("the router has {refused} outside: there is another router before it"),
            "forward the port on the other router, too, or set it to bridge mode",
        ),
        // Some routers are wrong about their own address.
        Some(Outside::Differ { router, world }) => Finding::unknown(
            link,
            format!(
                "the router has {router} outside, and the world sees {world}: a VPN, another router, or a router that errs"
            ),
            "end the VPN of this machine if there is one, and run this again",
        ),
        Some(Outside::Confirmed(address) | Outside::Own(address)) => {
            Finding::ok(link, format!("{address} is the home's own"))
        }
        Some(Outside::Unconfirmed(address, why)) => Finding::unknown(
            link,
            format!("the router has {address} outside; {why}"),
            "mend the link own address first",
        ),
        Some(Outside::Untold { .. }) | None => match own.map(public) {
            Some(Err(NotPublic { address, .. })) => Finding::unknown(
                link,
                format!("{not_asked}, and {address} is seen"),
                "compare with what the router's page says",
            ),
            _ => Finding::unknown(
                link,
                not_asked,
                "compare the outside address on the router's page with the own address above: they must be the same",
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::super::finding::Outcome, *};

    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 142));
    const ELSEWHERE: Here = Here { is_home: false, is_ipv6: false, is_reached: false, is_missed: false, outside: None };
    const HOME: Here = Here { is_home: true, is_missed: true, ..ELSEWHERE };
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 143));

    #[test]
    fn an_address_is_seen_or_not() {
        assert_eq!(address(&Ok(OWN)).outcome, Outcome::Ok);
        assert_eq!(address(&Err("they contradict each other".into())).outcome, Outcome::NotConclusive);
    }

    #[test]
    fn duckdns_takes_a_token_refuses_it_or_says_nothing_of_it() {
        let outcome = |told: &Told| duckdns(Some("home"), told).outcome;
        assert_eq!(outcome(&Told::Is(json!("OK"))), Outcome::Ok);
        assert_eq!(outcome(&Told::Refused { code: "KO".into(), words: "KO".into() }), Outcome::Failed);
        for told in [Told::Silent("502".into()), Told::Limited("429".into()), Told::NotAsked("no token".into())] {
            assert_eq!(outcome(&told), Outcome::NotConclusive);
        }
        assert_eq!(duckdns(None, &Told::Silent(String::new())).outcome, Outcome::NotUsed);
    }

    #[test]
    fn public_dns_leads_home_elsewhere_or_nowhere() {
        let seen = |answers: &[ServerAnswer]| {
            let all: Vec<_> = answers
                .iter()
                .map(|answer| PublicSeen { server: ([1, 1, 1, 1], 53).into(), answer: answer.clone() })
                .collect();
            public_dns(Some("h.org"), &all, Some(OWN), HOME)
        };
        let is = |address| ServerAnswer::Addresses(vec![address]);
        assert_eq!(seen(&[is(OWN), ServerAnswer::Silent, is(OWN)]).outcome, Outcome::Ok);
        assert_eq!(seen(&[is(OWN), is(OTHER)]).outcome, Outcome::NotConclusive);
        let stale = seen(&[is(OTHER), is(OTHER)]);
        assert_eq!(
            (stale.outcome, stale.saw.contains("81.2.69.143, and the world sees this machine at 81.2.69.142")),
            (Outcome::Failed, true)
        );
        assert_eq!(seen(&[is([192, 168, 1, 7].into())]).outcome, Outcome::Failed);
        assert!(seen(&[ServerAnswer::NoSuchName]).saw.contains("does not exist"));
        assert!(seen(&[ServerAnswer::NoAddress]).saw.contains("has no address"));
        assert_eq!(seen(&[ServerAnswer::Silent]).outcome, Outcome::NotConclusive);
        assert_eq!(public_dns(None, &[], None, HOME).outcome, Outcome::NotUsed);
        let unknown =
            public_dns(Some("h.org"), &[PublicSeen { server: ([1, 1, 1, 1], 53).into(), answer: is(OWN) }], None, HOME);
        assert_eq!(unknown.outcome, Outcome::NotConclusive);
    }

    #[test]
    fn a_shared_address_a_second_router_and_a_vpn_are_told_apart() {
        let of = |router: [u8; 4], world: Result<IpAddr, String>| {
            provider(Some(&Outside::of(Some(router.into()), world)), None, HOME)
        };
        assert_eq!(of([81, 2, 69, 142], Ok(OWN)).outcome, Outcome::Ok);
        assert!(of([100, 64, 1, 2], Ok(OWN)).saw.contains("(CGNAT)"));
        assert!(of([192, 168, 1, 2], Ok(OWN)).saw.contains("another router before it"));
        let differ = of([81, 2, 69, 143], Ok(OWN));
        assert_eq!((differ.outcome, differ.saw.contains("a VPN")), (Outcome::NotConclusive, true));
        assert_eq!(of([81, 2, 69, 142], Err("offline".into())).outcome, Outcome::NotConclusive);
        assert_eq!(provider(None, Some(OWN), HOME).outcome, Outcome::NotConclusive);
        assert_eq!(provider(Some(&Outside::Untold { world: Ok(OWN) }), None, HOME).outcome, Outcome::NotConclusive);
        let shared = provider(None, Some([100, 64, 1, 2].into()), HOME);
        assert_eq!((shared.outcome, shared.saw.contains("100.64.1.2 is seen")), (Outcome::NotConclusive, true));
    }

    #[test]
    fn what_the_world_gets_through_is_not_in_its_way_and_elsewhere_is_not_home() {
        let stale = [PublicSeen { server: ([1, 1, 1, 1], 53).into(), answer: ServerAnswer::Addresses(vec![OTHER]) }];
        let reached = Here { is_reached: true, is_missed: false, ..HOME };
        let on_a_vpn = Here { outside: Some(OTHER), ..HOME };
        // A tunnel's other end, of which nobody outside has said anything.
        let unseen = Here { is_missed: false, ..HOME };
        for here in [ELSEWHERE, reached, on_a_vpn, unseen] {
            assert_eq!(public_dns(Some("h.org"), &stale, Some(OWN), here).outcome, Outcome::NotConclusive, "{here:?}");
        }
        let told_by_router = Here { is_missed: false, outside: Some(OWN), ..HOME };
        assert_eq!(public_dns(Some("h.org"), &stale, Some(OWN), told_by_router).outcome, Outcome::Failed);
        let behind = Outside::of(Some([192, 168, 1, 2].into()), Ok(OWN));
        let six = [PublicSeen {
            server: ([1, 1, 1, 1], 53).into(),
            answer: ServerAnswer::Addresses(vec!["2001:4860:4860::8888".parse().unwrap()]),
        }];
        assert_eq!(public_dns(Some("h.org"), &six, Some(OWN), HOME).outcome, Outcome::NotConclusive);
        assert_eq!(provider(Some(&behind), Some(OWN), Here { is_ipv6: true, ..HOME }).outcome, Outcome::NotUsed);
        assert_eq!(provider(Some(&behind), Some(OWN), reached).outcome, Outcome::Ok, "both routers forward");
    }
}
