//! A port is opened, shown, kept and closed, by each protocol.

use tests::router::Manner;

use super::world::{World, asked, now};

const IGD2: Manner = Manner { igd: Some(2), ..Manner::UPNP };

#[tokio::test]
async fn each_protocol_opens_one_port_shows_it_keeps_it_and_closes_it() {
    let tries = [("PCP", Manner::PCP), ("NAT-PMP", Manner::NAT_PMP), ("UPnP", Manner::UPNP), ("UPnP", IGD2)];
    for (protocol, manner) in tries {
        let world = World::new(manner).await;
        let said = world.ends("open --internal 8123", 0).await;
        let place =
            format!("port 30008 of {}, which leads to 127.0.0.1:8123 (by {protocol}), until ", world.router.address);
        assert!(said.contains(&place) && said.contains(" (2h)\n"), "{said}");
        assert!(said.contains("outside   81.2.69.142, as the router says and the world sees\n"), "{said}");
        assert!(said.ends_with("CANARY_URL=http://81.2.69.142:30008\n"), "{said}");
        assert_eq!(world.router.leads_here(), [(30008, 8123)], "{protocol}");
        // Once more changes nothing.
        world.ends("open --internal 8123", 0).await;
        assert_eq!(world.router.leads_here(), [(30008, 8123)]);
        let shown = world.json("status", 0).await;
        assert_eq!(shown["opened"]["external"], 30008, "{shown}");
        assert_eq!(shown["speaks"], serde_json::json!([protocol.to_lowercase()]), "{shown}");
        let said = world.ends("close", 0).await;
        assert!(said.starts_with("closed: port 30008 of "), "{said}");
        assert!(world.router.table().is_empty(), "{protocol}: {:?}", world.router.table());
        assert_eq!(world.record(), serde_json::json!([]));
        let said = world.ends("close", 0).await;
        assert_eq!(said, "Nothing is open that porchlight port has opened.\n");
    }
}

#[tokio::test]
async fn a_router_that_speaks_everything_is_asked_by_pcp_and_opens_one_port() {
    let world = World::new(Manner::GOOD).await;
    let said = world.ends("open", 0).await;
    assert!(said.contains(", which speaks PCP, NAT-PMP and UPnP, and calls its line Connected\n"), "{said}");
    assert!(said.contains("81.2.69.142, as the router says and the world sees"), "{said}");
    assert_eq!(asked(&world.router, "OPEN"), 1, "{:?}", world.router.asked());
    assert_eq!(world.router.table()[0].by, "PCP");
    // Another protocol, when it is named.
    world.ends("open --protocol upnp", 0).await;
    assert_eq!((world.router.leads_here(), world.router.table()[0].by), (vec![(30008, 8080)], "UPnP"));
    world.ends("close", 0).await;
    assert!(world.router.table().is_empty());
}

#[tokio::test]
async fn what_is_looked_at_or_tried_out_opens_nothing() {
    let world = World::new(Manner::GOOD).await;
    let said = world.ends("status", 0).await;
    assert!(said.contains("nothing is open that porchlight port has opened"), "{said}");
    let said = world.ends("open --dry-run --external 31000", 0).await;
    assert!(said.contains("nothing was opened; without --dry-run it is port 31000"), "{said}");
    assert_eq!((asked(&world.router, "OPEN"), world.router.table().len()), (0, 0));
    assert!(!world.folder.path().join("port.json").exists());
}

#[tokio::test]
async fn the_port_is_that_of_the_address_that_the_prober_asks_and_another_one_takes_its_place() {
    let world = World::new(Manner::UPNP).await;
    let said = world.ends("open --canary-url http://home.duckdns.org:31234/", 0).await;
    assert!(said.contains("CANARY_URL=http://home.duckdns.org:31234/\n"), "{said}");
    assert_eq!(world.router.leads_here(), [(31234, 8080)]);
    // Only what was asked for last stays open.
    world.ends("open --external 31235", 0).await;
    assert_eq!(world.router.leads_here(), [(31235, 8080)]);
    world.ends("open --external 31235 --internal 8081", 0).await;
    assert_eq!(world.router.leads_here(), [(31235, 8081)]);
    assert_eq!(world.record().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_a_run_that_was_killed_has_asked_for_is_written_down_and_closed() {
    let world = World::new(Manner { has_no_list: true, ..Manner::UPNP }).await;
    // As if it had been killed between the router's answer and the next line that is written.
    world.router.give(30008, [127, 0, 0, 1].into(), 8080, "Porchlight");
    let mapping = serde_json::json!({
        "router": world.router.address, "protocol": "upnp", "internal": "127.0.0.1:8080", "wanted": 30008, "external": 30008,
        "lease": 7200, "at": now(), "is_confirmed": false,
    });
    let record = serde_json::json!({"version": 1, "opened": [mapping]}).to_string();
    std::fs::write(world.folder.path().join("port.json"), record).expect("it can be written");
    let said = world.ends("status", 1).await;
    assert!(said.contains("was asked for, and the router has not said that it is open"), "{said}");
    world.ends("close", 0).await;
    assert!(world.router.table().is_empty());
}

#[tokio::test]
async fn what_others_have_by_now_is_not_closed() {
    let world = World::new(Manner::UPNP).await;
    world.ends("open", 0).await;
    world.router.restart();
    world.router.give(30008, [192, 168, 1, 9].into(), 443, "nas");
    let said = world.ends("status", 1).await;
    assert!(said.contains("is gone: that port leads to 192.168.1.9:443 (\"nas\") now"), "{said}");
    let said = world.ends("close", 0).await;
    assert!(said.starts_with("was closed already: "), "{said}");
    assert_eq!(world.router.table().len(), 1);
    assert_eq!(asked(&world.router, "CLOSE"), 0);
}
