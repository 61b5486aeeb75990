//! `--address detect`: what sources say, and what is made of it.

use tests::address_source::Manner;
use tokio::process::Command;

use crate::world::{HOME, MOVED, World};

fn detect(command: &mut Command) -> &mut Command {
    command.env("ADDRESS", "detect")
}

const BANNED: Manner = Manner::Status("429 Too Many Requests");

#[tokio::test]
async fn an_address_that_two_sources_agree_on_is_sent_to_duckdns() {
    let world = World::new().await;
    for liar in 0..3 {
        let mut manners = [0, 1, 2].map(|_| Manner::Line(HOME.into()));
        manners[liar] = Manner::Line(MOVED.into());
        world.sources_turn(manners);
        let _ = std::fs::remove_file(world.record());
        let run = world.run_with(detect).await;
        run.ends(0).says("DuckDNS took 81.2.69.142");
        assert_eq!(run.reading()["method"], "detect");
    }
    assert_eq!(world.calls(), ["&ip=81.2.69.142"; 3]);
}

#[tokio::test]
async fn one_source_that_names_the_last_accepted_address_is_enough_to_do_nothing() {
    let world = World::settled().await;
    world.sources_turn([Manner::Status("403 Forbidden"), BANNED, Manner::Bare(HOME.into())]);
    for _ in 0..3 {
        world.run_with(detect).await.ends(0).says("still 81.2.69.142, nothing to do").hands_nothing_over();
    }
    world.sources_turn([Manner::Silent, Manner::Silent, Manner::Trace(HOME.into())]);
    // Whichever of them is asked first.
    let runs = [0, 1, 2, 3].map(|_| world.run_with(detect));
    for run in futures_util::future::join_all(runs).await {
        run.ends(0).says("still 81.2.69.142, nothing to do");
    }
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn two_that_agree_on_a_new_address_outweigh_one_that_names_the_old() {
    let world = World::settled().await;
    world.sources_turn([Manner::Line(MOVED.into()), BANNED, Manner::Trace(MOVED.into())]);
    world.run_with(detect).await.ends(0).says("is now 81.2.69.160");
    assert_eq!(world.calls(), ["", "&ip=81.2.69.160"]);
}

#[tokio::test]
async fn an_address_that_no_two_sources_agree_on_is_never_sent_to_duckdns() {
    let other = || Manner::Line([81, 2, 69, 7].into());
    let tested = [
        ([Manner::Line(HOME.into()), Manner::Line(MOVED.into()), other()], "it says 81.2.69.142"),
        ([Manner::Line(HOME.into()), BANNED, Manner::Silent], "it refuses us for now (429)"),
        ([BANNED, BANNED, BANNED], "it refuses us for now (429)"),
        ([Manner::Line(HOME.into()), Manner::Endless, Manner::Says("81.2.69.142 81.2.69.142")], "is not one address"),
        ([Manner::Line(HOME.into()), Manner::Says("<html>"), Manner::Status("500 Oops")], "it fails (500)"),
        ([Manner::Line(HOME.into()), BANNED, Manner::Says("ip=81.2.69.142\nwarp=on\n")], "through a tunnel (WARP)"),
    ];
    let runs = tested.map(|(manners, sentence)| async move {
        let world = World::new().await;
        world.sources_turn(manners);
        let run = world.run_with(detect).await;
        run.ends(1).says("our IPv4 address is not known, because no two sources agree on one").says(sentence);
        assert!(run.reading()["failure"].is_string());
        assert!(world.calls().is_empty() && world.remembered()["ipv4"].is_null());
    });
    for run in runs.map(tokio::spawn) {
        run.await.expect("each goes well");
    }
}

#[tokio::test]
async fn no_redirect_of_a_source_is_followed() {
    let world = World::new().await;
    let elsewhere = tests::address_source::Source::open(Manner::Line(HOME.into())).await;
    world.sources_turn([0, 1, 2].map(|_| Manner::Redirect(elsewhere.url())));
    world.run_with(detect).await.ends(1).says("it fails (302)");
    assert!(elsewhere.askers().is_empty());
}

#[tokio::test]
async fn an_address_behind_cgnat_is_refused_with_what_that_means() {
    for (address, expected) in
        [([100, 64, 7, 1], "(CGNAT)"), ([192, 168, 178, 20], "192.168.178.20, a private address")]
    {
        let world = World::new().await;
        world.sources_turn([0, 1, 2].map(|_| Manner::Line(address.into())));
        let run = world.run_with(detect).await;
        run.ends(1)
            .says(expected)
            .says("no probe from outside can reach this home over IPv4, however the router is set");
        assert!(world.calls().is_empty());
    }
}

#[tokio::test]
async fn a_day_after_the_last_call_the_same_address_is_sent_again() {
    let world = World::settled().await;
    world.remember_at("2020-01-01T00:00:00Z");
    world.run_with(detect).await.ends(0).says("DuckDNS was not called within the last day");
    assert_eq!(world.calls(), ["", "&ip=81.2.69.142"]);
}
