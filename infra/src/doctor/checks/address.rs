//! The home's address: what the world sees, what `DuckDNS` holds, what public DNS tells.

use std::net::{IpAddr, SocketAddr};

use shared::{names::ServerAnswer, network::public};

use super::super::{
    finding::{Finding, Outcome},
    link::Link,
    reply::Reply,
};

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
pub fn duckdns(name: Option<&str>, reply: &Reply) -> Finding {
    let Some(name) = name else { return Finding::unused(Link::DuckDns, "the home's name is not at DuckDNS") };
    match reply {
        Reply::Is(_) => Finding::ok(Link::DuckDns, format!("it takes the token for {name}.duckdns.org")),
        Reply::NotAsked(why) => {
            Finding::unknown(Link::DuckDns, why.clone(), "set DUCKDNS_TOKEN for this one command to have it tried")
        }
        Reply::Refused { .. } => Finding::failed(
            Link::DuckDns,
            format!("it answers KO: the token is not that of {name}, or there is no such name"),
            "sign in at www.duckdns.org, and compare name and token with DOMAIN and DUCKDNS_TOKEN",
        ),
        Reply::Limited(why) | Reply::Silent(why) => {
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
    /// Whether somebody outside has got to the home's beacon a moment ago, whatever seems to be in between.
    pub from_outside: FromOutside,
    /// What the router has outside, where it tells.
    pub outside: Option<IpAddr>,
}

/// What somebody outside has seen a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromOutside {
    /// The home's beacon.
    Reached,
    /// That it is down.
    Missed,
    /// Nobody has looked, or nobody tells.
    Unseen,
}

impl Here {
    /// Whether the home was reached.
    pub fn is_reached(self) -> bool {
        self.from_outside == FromOutside::Reached
    }
}

/// What one public name server says of the home's name.
#[derive(Clone, Debug)]
pub struct PublicSeen {
    /// The server.
    pub server: SocketAddr,
    /// Its answer.
    pub answer: ServerAnswer,
}

/// What the world is told of each of the home's names: of several the one with which most is wrong is told of.
pub fn public_names(names: &[(String, Vec<PublicSeen>)], own: Option<IpAddr>, here: Here) -> Finding {
    let findings = names.iter().map(|(host, seen)| public_dns(Some(host), seen, own, here));
    let least_well = |finding: &Finding| match finding.outcome {
        Outcome::Failed => 0,
        Outcome::NotConclusive => 1,
        Outcome::Ok | Outcome::NotUsed => 2,
    };
    findings.min_by_key(least_well).unwrap_or_else(|| public_dns(None, &[], own, here))
}

/// What the world is told of the home's name, beside the address that it sees. `here`: whether this machine is at home, and whether
/// somebody outside got there by that name a moment ago.
pub fn public_dns(host: Option<&str>, seen: &[PublicSeen], own: Option<IpAddr>, here: Here) -> Finding {
    let link = Link::PublicDns;
    let Some(host) = host else {
        return Finding::unused(link, "the home is known by its address alone, or not at all");
    };
    let reply: Vec<IpAddr> = seen
        .iter()
        .filter_map(
            |server| if let ServerAnswer::Addresses(all) = &server.answer { all.first().copied() } else { None },
        )
        .collect();
    let denies = seen.iter().filter(|server| matches!(server.answer, ServerAnswer::NoSuchName)).count();
    let empty = seen.iter().filter(|server| matches!(server.answer, ServerAnswer::NoAddress)).count();
    let Some(first) = reply.first() else {
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
        Some(own) if reply.iter().all(|address| *address == own) => {
            Finding::ok(link, format!("{host} leads to {own}, as {} name servers say", reply.len()))
        }
        Some(own) if reply.contains(&own) => Finding::unknown(
            link,
            format!("some name servers say {own}, others still an older address"),
            "wait a minute: records live for 60 s",
        ),
        // Somewhere else, or behind a VPN, this machine is not where the home is; and a name may lead to a tunnel's other end.
        Some(own)
            if here.is_reached()
                || !here.is_home
                || here.outside == Some(*first)
                || !(here.from_outside == FromOutside::Missed || here.outside == Some(own)) =>
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 142));
    const ELSEWHERE: Here = Here { is_home: false, is_ipv6: false, from_outside: FromOutside::Unseen, outside: None };
    const HOME: Here = Here { is_home: true, from_outside: FromOutside::Missed, ..ELSEWHERE };
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 143));

    #[test]
    fn an_address_is_seen_or_not() {
        assert_eq!(address(&Ok(OWN)).outcome, Outcome::Ok);
        assert_eq!(address(&Err("they contradict each other".into())).outcome, Outcome::NotConclusive);
    }

    #[test]
    fn duckdns_takes_a_token_refuses_it_or_says_nothing_of_it() {
        let outcome = |reply: &Reply| duckdns(Some("home"), reply).outcome;
        assert_eq!(outcome(&Reply::Is(json!("OK"))), Outcome::Ok);
        assert_eq!(outcome(&Reply::Refused { code: "KO".into(), words: "KO".into() }), Outcome::Failed);
        for reply in [Reply::Silent("502".into()), Reply::Limited("429".into()), Reply::NotAsked("no token".into())] {
            assert_eq!(outcome(&reply), Outcome::NotConclusive);
        }
        assert_eq!(duckdns(None, &Reply::Silent(String::new())).outcome, Outcome::NotUsed);
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
    fn what_the_world_gets_through_is_not_in_its_way_and_elsewhere_is_not_home() {
        let stale = [PublicSeen { server: ([1, 1, 1, 1], 53).into(), answer: ServerAnswer::Addresses(vec![OTHER]) }];
        let reached = Here { from_outside: FromOutside::Reached, ..HOME };
        let on_a_vpn = Here { outside: Some(OTHER), ..HOME };
        // A tunnel's other end, of which nobody outside has said anything.
        let unseen = Here { from_outside: FromOutside::Unseen, ..HOME };
        for here in [ELSEWHERE, reached, on_a_vpn, unseen] {
            assert_eq!(public_dns(Some("h.org"), &stale, Some(OWN), here).outcome, Outcome::NotConclusive, "{here:?}");
        }
        let by_router = Here { outside: Some(OWN), ..unseen };
        assert_eq!(public_dns(Some("h.org"), &stale, Some(OWN), by_router).outcome, Outcome::Failed);
        let six = [PublicSeen {
            server: ([1, 1, 1, 1], 53).into(),
            answer: ServerAnswer::Addresses(vec!["2001:4860:4860::8888".parse().unwrap()]),
        }];
        assert_eq!(public_dns(Some("h.org"), &six, Some(OWN), HOME).outcome, Outcome::NotConclusive);
    }
}
