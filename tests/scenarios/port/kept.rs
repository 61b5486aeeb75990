//! `--every`: the port stays open, a router that was restarted is noticed, and what becomes of it when the program is ended.

use std::time::Duration;

use tests::{
    process::Process,
    router::{Manner, Router},
};

use super::world::{World, asked};

async fn says(process: &mut Process, words: &str) {
    process.wait_for(words, |lines| lines.iter().any(|line| line.contains(words)).then_some(())).await;
}

fn is_open(router: &Router) -> bool {
    router.leads_here() == [(30008, 8080)]
}

#[tokio::test]
async fn a_port_is_kept_open_and_a_router_that_was_restarted_is_noticed_in_each_protocol() {
    for manner in [Manner::PCP, Manner::NAT_PMP, Manner::UPNP, Manner { has_no_list: true, ..Manner::UPNP }] {
        let world = World::new(manner).await;
        let mut kept = world.resident("open --every 1s");
        says(&mut kept, "CANARY_URL=http://81.2.69.142:30008").await;
        assert!(is_open(&world.router));
        // A few rounds, so that the router has counted further than it will have after its restart.
        world.until("it is asked again", |router| asked(router, "OPEN") >= 5).await;
        let lines = kept.lines().len();
        world.router.restart();
        world.until("it is open again", is_open).await;
        if !manner.has_no_list {
            says(&mut kept, "the router had lost the port, as after a restart: it is open again").await;
        }
        let renewals = asked(&world.router, "OPEN");
        world.until("it is asked again", |router| asked(router, "OPEN") >= renewals + 3).await;
        assert!(kept.lines().len() <= lines + 6, "a renewal is not worth a word: {:#?}", kept.lines());
        assert!(kept.terminate().await.success());
        assert!(is_open(&world.router), "a restart of the program must not close the port");
        world.ends("close", 0).await;
        assert!(world.router.table().is_empty());
    }
}

#[tokio::test]
async fn when_it_is_ended_it_says_what_is_left_open_or_closes_it() {
    let world = World::new(Manner::GOOD).await;
    let mut kept = world.resident("open --every 1s");
    says(&mut kept, "open      port 30008").await;
    kept.signal(rustix::process::Signal::TERM);
    assert!(kept.ended().await.success());
    says(&mut kept, "left open: port 30008 of ").await;
    assert!(is_open(&world.router));
    // The next one goes on with it, and closes it.
    let mut kept = world.resident("open --every 1s --close-on-stop");
    says(&mut kept, "router    ").await;
    kept.signal(rustix::process::Signal::TERM);
    assert!(kept.ended().await.success());
    says(&mut kept, "closed: port 30008 of ").await;
    assert!(world.router.table().is_empty());
    assert_eq!(world.record(), serde_json::json!([]));
}

#[tokio::test]
async fn while_it_stays_nothing_else_opens_or_closes_from_its_folder() {
    let world = World::new(Manner::GOOD).await;
    let mut kept = world.resident("open --every 1s");
    says(&mut kept, "open      port 30008").await;
    for words in ["open", "close", "open --every 5s"] {
        let said = world.ends(words, 1).await;
        assert!(
            said.contains(&format!("process {} keeps the port open: stop that process first", kept.pid())),
            "{said}"
        );
    }
    let said = world.ends("status", 0).await;
    assert!(said.contains("a process keeps it open"), "{said}");
    // Killed, it leaves what it has written down.
    kept.kill().await;
    world.ends("close", 0).await;
    assert!(world.router.table().is_empty());
}

#[tokio::test]
async fn a_port_that_somebody_takes_meanwhile_moves_and_the_new_address_is_said() {
    let world = World::new(Manner::UPNP).await;
    let mut kept = world.resident("open --every 1s --canary-url http://home.duckdns.org:30008");
    says(&mut kept, "CANARY_URL=http://home.duckdns.org:30008/").await;
    world.router.restart();
    world.router.give(30008, [192, 168, 1, 9].into(), 443, "nas");
    says(&mut kept, "the port that the world sees is 30009 now, and was 30008").await;
    says(&mut kept, "CANARY_URL=http://home.duckdns.org:30009/").await;
    assert_eq!(world.router.leads_here(), [(30009, 8080)]);
}

#[tokio::test]
async fn a_router_that_is_away_is_complained_of_once_and_asked_again_until_it_is_back() {
    let world = World::new(Manner::GOOD).await;
    world.router.turn(Manner { forbids: true, ..Manner::GOOD });
    let mut kept = world.resident("open --every 1s");
    says(&mut kept, "does not open the port (PCP: it is not allowed").await;
    world.until("it is asked again", |router| asked(router, "OPEN PCP") >= 3).await;
    let complaints = kept.lines().iter().filter(|line| line.contains("does not open the port")).count();
    assert_eq!(complaints, 1, "{:#?}", kept.lines());
    world.router.turn(Manner::GOOD);
    says(&mut kept, "CANARY_URL=http://81.2.69.142:30008").await;
    assert!(is_open(&world.router));
}

#[tokio::test]
async fn a_short_lease_is_renewed_before_half_of_it_is_over() {
    // The router gives ten seconds, whatever it is asked for.
    let world = World::new(Manner { longest: 4, ..Manner::PCP }).await;
    let _kept = world.resident("open --every 5m");
    world.until("it is open", is_open).await;
    world.until("it is renewed", |router| asked(router, "OPEN") >= 4).await;
    assert!(is_open(&world.router));
    tokio::time::sleep(Duration::from_millis(10)).await;
}
