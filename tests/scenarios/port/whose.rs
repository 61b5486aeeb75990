//! Whose a port is: only what was opened here is moved, and closed.

use serde_json::json;
use tests::router::Manner;

use super::world::{World, asked, now};

#[tokio::test]
async fn what_a_person_has_made_for_the_beacon_is_used_said_and_never_closed() {
    for manner in [Manner::UPNP, Manner::GOOD] {
        let world = World::new(manner).await;
        world.router.give(30008, [127, 0, 0, 1].into(), 8080, "my beacon");
        let said = world.ends("open", 0).await;
        assert!(said.contains("has that port for 127.0.0.1:8080 (\"my beacon\") already, which is here"), "{said}");
        assert!(said.contains("CANARY_URL=http://81.2.69.142:30008\n"), "{said}");
        assert_eq!(world.json("open", 0).await["opened"]["is_made_by_others"], true);
        assert_eq!(world.ends("close", 0).await, "Nothing is open that porchlight port has opened.\n");
        assert_eq!((asked(&world.router, "OPEN"), asked(&world.router, "CLOSE UPnP")), (0, 0));
        assert_eq!(world.router.leads_here(), [(30008, 8080)]);
        // Once it is gone, it is opened.
        world.router.take(30008);
        world.ends("open", 0).await;
        assert_eq!((world.router.leads_here(), asked(&world.router, "OPEN")), (vec![(30008, 8080)], 1));
        world.ends("close", 0).await;
        assert!(world.router.table().is_empty());
    }
}

#[tokio::test]
async fn a_resident_that_finds_what_a_person_has_made_leaves_it_alone_when_it_is_ended() {
    let world = World::new(Manner::UPNP).await;
    world.router.give(30008, [127, 0, 0, 1].into(), 8080, "my beacon");
    let mut kept = world.resident("open --every 1s --close-on-stop");
    let said = |lines: &[String]| lines.iter().any(|line| line.contains("is used as it is")).then_some(());
    kept.wait_for("that it is used", said).await;
    world.until("it is looked at again", |router| asked(router, "LOOK") >= 2).await;
    assert_eq!(kept.lines().iter().filter(|line| line.contains("is used as it is")).count(), 1);
    assert!(kept.terminate().await.success());
    assert_eq!((world.router.leads_here(), asked(&world.router, "CLOSE")), (vec![(30008, 8080)], 0));
}

#[tokio::test]
async fn what_leads_to_this_machines_former_address_is_led_here_at_the_same_port() {
    let world = World::new(Manner::UPNP).await;
    world.router.give(30008, [127, 0, 0, 2].into(), 8080, "Porchlight");
    world.note(&json!({
        "router": world.router.address, "protocol": "upnp", "internal": "127.0.0.2:8080", "wanted": 30008, "external": 30008,
        "lease": 7200, "at": now(),
    }));
    let said = world.ends("open", 0).await;
    assert!(!said.contains("instead of"), "{said}");
    assert_eq!((world.router.leads_here(), world.router.table().len()), (vec![(30008, 8080)], 1));
    assert_eq!(world.record().as_array().map(Vec::len), Some(1), "{}", world.record());
}

#[tokio::test]
async fn nat_pmp_closes_nothing_in_the_name_of_an_address_that_this_machine_has_no_more() {
    let world = World::new(Manner::NAT_PMP).await;
    world.router.give(30008, [127, 0, 0, 2].into(), 8080, "NAT-PMP");
    world.note(&json!({
        "router": world.router.address, "protocol": "nat-pmp", "internal": "127.0.0.2:8080", "wanted": 30008, "external": 30008,
        "lease": 7200, "at": now(),
    }));
    // The router knows its client by the address of the packet, and has the port for the former one.
    let said = world.ends("open", 0).await;
    assert!(said.contains("instead of 30008"), "{said}");
    assert_eq!((world.router.leads_here(), asked(&world.router, "CLOSE")), (vec![(30009, 8080)], 0));
    let said = world.ends("status", 0).await;
    assert!(said.contains("could not be closed and is not renewed: it ends by itself until "), "{said}");
    let said = world.ends("close", 0).await;
    assert!(said.contains("closed: port 30009") && said.contains("closes by itself in 7"), "{said}");
    assert_eq!(world.router.leads_here(), []);
}

#[tokio::test]
async fn a_router_that_lists_its_machines_by_name_is_understood_as_far_as_it_tells() {
    let world = World::new(Manner { lists_names: true, ..Manner::UPNP }).await;
    for _ in 0..2 {
        world.ends("open", 0).await;
        assert_eq!(world.router.leads_here(), [(30008, 8080)]);
    }
    world.ends("status", 0).await;
    let said = world.ends("close", 0).await;
    assert!(said.starts_with("closed: ") && world.router.table().is_empty(), "{said}");
    // What may be another machine's is neither closed, nor said to be closed.
    world.ends("open", 0).await;
    world.router.give(30008, [192, 168, 1, 9].into(), 8080, "nas");
    let said = world.ends("close", 1).await;
    assert!(said.contains("for pc-192-168-1-9.lan:8080 (\"nas\"), which may be this machine or another one"), "{said}");
    assert_eq!((world.router.table().len(), world.record().as_array().map(Vec::len)), (1, Some(1)));
}

#[tokio::test]
async fn another_port_of_a_router_that_knows_an_opening_by_its_inner_port_takes_the_place_of_the_first() {
    for manner in [Manner::PCP, Manner::NAT_PMP] {
        let world = World::new(manner).await;
        world.ends("open", 0).await;
        let shown = world.json("open --external 31000", 0).await;
        assert_eq!((world.router.leads_here(), &shown["opened"]["external"]), (vec![(31000, 8080)], &json!(31000)));
        assert!(!shown.to_string().contains("nonce"), "it closes what is open: {shown}");
        assert_eq!(world.record().as_array().map(Vec::len), Some(1));
    }
}

/// As a pod that was killed has it, whose record goes with it.
#[tokio::test]
async fn where_the_record_is_lost_the_port_is_kept_and_at_the_latest_opened_anew_when_the_lease_is_over() {
    for manner in [Manner::UPNP, Manner::NAT_PMP, Manner::GOOD, Manner { longest: 4, ..Manner::PCP }] {
        let world = World::new(manner).await;
        world.ends("open", 0).await;
        std::fs::remove_file(world.folder.path().join("port.json")).expect("it was there");
        let mut kept = world.resident("open --every 1s --close-on-stop");
        let is_open =
            |lines: &[String]| lines.iter().any(|line| line.starts_with("open      port 30008 of ")).then_some(());
        kept.wait_for("that it is open", is_open).await;
        world.until("it is open", |router| router.leads_here() == [(30008, 8080)]).await;
        assert!(kept.terminate().await.success());
    }
}
