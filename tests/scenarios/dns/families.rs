//! IPv4, IPv6 and both. A family that is left out is never touched.

use std::net::IpAddr;

use tests::{
    address_source::{Manner, Source},
    duckdns::Held,
    namespace::Namespace,
    skip::skip,
};

use crate::world::{HOME, HOME_V6, MOVED, MOVED_V6, World, list};

#[tokio::test]
async fn an_ipv6_only_home_never_touches_its_a_record() {
    let world = World::new().await;
    let held = Held { ipv4: Some(MOVED), ipv6: None };
    world.duckdns.zone.set("home", held);
    for _ in 0..2 {
        world.run_with(|command| command.env("IP_VERSION", "6")).await.ends(0);
    }
    assert_eq!(world.calls(), ["&ipv6=2a02%3A8109%3A%3A1"]);
    assert_eq!(world.holds(), Held { ipv6: Some(HOME_V6), ..held });
    assert!(world.sources.iter().all(|source| source.askers().is_empty()), "no source is asked for IPv4");
    let askers: Vec<IpAddr> = world.sources_v6.iter().flat_map(Source::askers).collect();
    assert!(!askers.is_empty() && askers.iter().all(IpAddr::is_ipv6), "{askers:?}");
}

/// Beside its own address this machine has temporary ones, as most have, and would ask from one of them.
#[tokio::test]
async fn sources_are_asked_from_the_ipv6_address_that_stays() {
    let test = "sources_are_asked_from_the_ipv6_address_that_stays";
    let Some(namespace) = Namespace::new("temporary").await else { return skip(test, "it takes root, ip and nft") };
    let staying = "2a02:8109::10";
    for words in [
        "ip link add outside type veth peer name router",
        "sysctl -qw net.ipv6.conf.outside.accept_dad=0 net.ipv6.conf.outside.use_tempaddr=2",
        "ip link set router up",
        "ip link set outside up",
        "ip -6 address add 2a02:8109::10/64 dev outside nodad mngtmpaddr",
        "ip -6 route add default dev outside",
    ] {
        namespace.run(&words.split(' ').collect::<Vec<_>>()).await;
    }
    namespace.enter();
    let chosen = std::net::UdpSocket::bind("[::]:0").expect("a socket");
    chosen.connect("[2001:4860:4860::8888]:53").expect("there is a way out");
    let chosen = chosen.local_addr().expect("an address").ip();
    assert_ne!(chosen.to_string(), staying, "the system prefers a temporary one");
    let world = World::new().await;
    let run = world.run_with(|command| command.env("IP_VERSION", "6")).await;
    assert_eq!(run.ends(0).reading()["method"], "detect");
    let askers: Vec<_> = world.sources_v6.iter().flat_map(Source::askers).map(|asker| asker.to_string()).collect();
    assert!(!askers.is_empty() && askers.iter().all(|asker| asker == staying), "{askers:?} {chosen}");
    assert!(!run.said().contains("temporary"), "{}", run.said());
}

#[tokio::test]
async fn an_ipv4_home_never_touches_its_aaaa_record() {
    let world = World::new().await;
    world.duckdns.zone.set("home", Held { ipv4: None, ipv6: Some(MOVED_V6) });
    world.run().await.ends(0);
    assert_eq!(world.holds(), Held { ipv4: Some(HOME), ipv6: Some(MOVED_V6) });
    assert!(world.sources_v6.iter().all(|source| source.askers().is_empty()), "no source is asked for IPv6");
}

#[tokio::test]
async fn both_take_two_calls_where_duckdns_sees_ipv4_and_one_where_both_are_detected() {
    for (address, calls, method) in [
        ("server", &["", "&ipv6=2a02%3A8109%3A%3A1"][..], "server (IPv4), detect (IPv6)"),
        ("detect", &["&ip=81.2.69.142&ipv6=2a02%3A8109%3A%3A1"], "detect"),
    ] {
        let world = World::new().await;
        let both = || world.run_with(|command| command.env("IP_VERSION", "both").env("ADDRESS", address));
        let run = both().await;
        run.ends(0).says("DuckDNS took 81.2.69.142").says("DuckDNS took 2a02:8109::1");
        assert!(run.reading()["value"].is_number());
        assert_eq!(run.reading()["method"], method);
        assert_eq!(world.calls(), calls);
        assert_eq!(world.holds(), Held { ipv4: Some(HOME), ipv6: Some(HOME_V6) });
        both().await.ends(0).says("still 81.2.69.142").says("still 2a02:8109::1").hands_nothing_over();
        for source in &world.sources_v6 {
            source.turn(Manner::Line(MOVED_V6.into()));
        }
        both().await.ends(0).says("IPv4: still").says("IPv6: the address was 2a02:8109::1 and is now 2a02:8109::2");
        assert_eq!(world.calls()[calls.len()..], ["&ipv6=2a02%3A8109%3A%3A2"]);
        assert_eq!(world.holds(), Held { ipv4: Some(HOME), ipv6: Some(MOVED_V6) });
    }
}

#[tokio::test]
async fn a_family_that_cannot_be_found_out_does_not_hold_back_the_other() {
    let world = World::new().await;
    for source in &world.sources_v6 {
        source.turn(Manner::Says("fe80::1"));
    }
    let run = world.run_with(|command| command.env("IP_VERSION", "both")).await;
    run.ends(1).says("our IPv6 address is not known").says("DuckDNS took 81.2.69.142").says("public DNS agreed");
    assert!(run.reading()["failure"].as_str().is_some_and(|why| why.starts_with("our IPv6 address is not known")));
    assert_eq!(world.holds(), Held { ipv4: Some(HOME), ipv6: None });
    assert_eq!(world.remembered()["ipv4"]["address"], "81.2.69.142");
}

#[tokio::test]
async fn a_source_is_asked_over_its_family_only() {
    let world = World::new().await;
    // These listen on the other family's loopback, so a client that is bound to the right one cannot reach them.
    let swapped = [
        ("4", "ADDRESS_SOURCES", list(world.sources_v6.iter().map(Source::url))),
        ("6", "ADDRESS_SOURCES_V6", list(world.sources.iter().map(Source::url))),
    ];
    for (version, name, sources) in swapped {
        let run =
            world.run_with(|command| command.env("ADDRESS", "detect").env("IP_VERSION", version).env(name, sources));
        run.await.ends(1).says("it cannot be reached");
    }
    assert!(world.sources.iter().chain(&world.sources_v6).all(|source| source.askers().is_empty()));
}

#[tokio::test]
async fn an_address_of_the_other_family_is_no_answer() {
    let world = World::new().await;
    world.sources_turn([0, 1, 2].map(|_| Manner::Line(HOME_V6.into())));
    let run = world.run_with(|command| command.env("ADDRESS", "detect")).await;
    run.ends(1).says("it says 2a02:8109::1, which is no IPv4 address");
}
