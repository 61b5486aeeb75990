//! Routers that do what they are asked in a way of their own, and ones that are not where the world arrives.

use std::net::Ipv4Addr;

use tests::{address_source::Manner as Said, router::Manner};

use super::world::{World, asked};

#[tokio::test]
async fn a_router_without_leases_opens_the_port_until_it_is_closed() {
    for is_wordless in [false, true] {
        let world = World::new(Manner { only_for_ever: true, is_wordless, ..Manner::UPNP }).await;
        let said = world.ends("open", 0).await;
        assert!(said.contains("(by UPnP), until it is closed\n"), "{said}");
        assert!(said.contains("the router knows no leases: it stays open until `porchlight port close`"), "{said}");
        assert_eq!((world.router.leads_here(), world.router.table()[0].ends), (vec![(30008, 8080)], None));
        world.ends("close", 0).await;
        assert!(world.router.table().is_empty());
    }
}

#[tokio::test]
async fn a_port_that_somebody_has_is_left_alone_and_the_prober_is_to_be_told_of_the_next() {
    for manner in [Manner::UPNP, Manner { has_no_list: true, ..Manner::UPNP }, Manner::PCP, Manner::NAT_PMP] {
        let world = World::new(manner).await;
        let nas = [192, 168, 1, 9].into();
        world.router.give(30008, nas, 443, "nas");
        let said = world.ends("open --canary-url http://home.duckdns.org:30008", 0).await;
        assert!(said.contains("the router opened port 30009 instead of 30008"), "{said}");
        assert!(said.contains("set the port of CANARY_URL to that one wherever the prober has it (more: "), "{said}");
        assert!(said.contains("CANARY_URL=http://home.duckdns.org:30009/\n"), "{said}");
        if manner.igd.is_some() && !manner.has_no_list {
            assert!(said.contains("instead of 30008, which leads to 192.168.1.9:443 (\"nas\"),"), "{said}");
        }
        assert_eq!(world.router.leads_here(), [(30009, 8080)]);
        // It stays there, also when the port that was wanted is free again.
        world.router.take(30008);
        world.ends("open --canary-url http://home.duckdns.org:30008", 0).await;
        assert_eq!(world.router.leads_here(), [(30009, 8080)]);
        world.router.give(30008, nas, 443, "nas");
        world.ends("close", 0).await;
        let left: Vec<_> = world.router.table().into_iter().map(|entry| (entry.external, entry.client)).collect();
        assert_eq!(left, [(30008, nas)]);
    }
}

#[tokio::test]
async fn a_router_that_takes_one_number_for_both_ports_gets_the_inner_one() {
    let world = World::new(Manner { only_same_port: true, ..Manner::UPNP }).await;
    let said = world.ends("open", 0).await;
    assert!(said.contains("the router opened port 8080 instead of 30008"), "{said}");
    assert_eq!(world.router.leads_here(), [(8080, 8080)]);
}

#[tokio::test]
async fn a_router_that_opens_nothing_twice_is_asked_to_close_it_first() {
    let world = World::new(Manner { opens_once: true, ..Manner::UPNP }).await;
    world.ends("open", 0).await;
    world.ends("open", 0).await;
    assert_eq!(world.router.leads_here(), [(30008, 8080)]);
    assert_eq!(asked(&world.router, "CLOSE UPnP 30008"), 1);
}

#[tokio::test]
async fn a_lease_that_the_router_cuts_short_is_told_as_it_is() {
    for manner in [Manner::PCP, Manner::NAT_PMP, Manner::UPNP] {
        let world = World::new(Manner { longest: 600, ..manner }).await;
        let shown = world.json("open", 0).await;
        let lease = shown["opened"]["lease"].as_u64().expect("a lease");
        assert!((599..=600).contains(&lease), "{shown}");
    }
}

/// What the router says of its outside address, what the world sees, how `open` ends, and what it says.
type Story = (Option<Ipv4Addr>, Said, i32, &'static str);

#[tokio::test]
async fn an_outside_address_is_believed_as_far_as_the_world_sees_it() {
    let seen = |address: [u8; 4]| Said::Bare(Ipv4Addr::from(address).into());
    let stories: [Story; 5] = [
        (
            Some([81, 2, 69, 1].into()),
            seen([81, 2, 69, 142]),
            0,
            "the router says 81.2.69.1, and the world sees 81.2.69.142: either this machine goes out by another way",
        ),
        (
            Some([100, 64, 3, 4].into()),
            seen([81, 2, 69, 142]),
            3,
            "the router has 100.64.3.4, an address that a provider shares among its customers (CGNAT): no probe from outside can",
        ),
        (
            Some([192, 168, 178, 20].into()),
            seen([81, 2, 69, 142]),
            3,
            "the router has 192.168.178.20, a private address: forward the same port on the router before this one",
        ),
        (
            Some([0, 0, 0, 0].into()),
            seen([81, 2, 69, 142]),
            0,
            "outside   81.2.69.142, as the world sees; the router names none\nCANARY_URL=http://81.2.69.142:30008\n",
        ),
        (
            Some([81, 2, 69, 142].into()),
            Said::Says("<html>"),
            0,
            "outside   81.2.69.142, as the router says, and nobody else: our IPv4 address is not known, because no two sources",
        ),
    ];
    for (outside, said_of_it, code, words) in stories {
        let world = World::new(Manner { pcp: false, outside, ..Manner::GOOD }).await;
        world.world_says(&said_of_it);
        let said = world.ends("open", code).await;
        assert!(said.contains(words), "{outside:?}: {said}");
        assert_eq!(said.contains("CANARY_URL=http"), code == 0, "no address that leads nowhere: {said}");
        assert_eq!(world.router.leads_here(), [(30008, 8080)]);
        world.ends("close", 0).await;
    }
}
