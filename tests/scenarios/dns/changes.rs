//! When DuckDNS is called, where it sees the home's address itself.

use jiff::{SignedDuration, Timestamp};
use tests::{address_source::Manner, duckdns::Held, name_server};

use crate::world::{HOME, MOVED, World};

#[tokio::test]
async fn a_home_that_stays_where_it_is_costs_one_source_and_a_check_of_public_dns() {
    let world = World::settled().await;
    let run = world.run().await;
    run.ends(0).says("IPv4: still 81.2.69.142, nothing to do").hands_nothing_over();
    assert_eq!(world.calls().len(), 1, "DuckDNS was called by the first run only");
    let asked: usize = world.sources.iter().map(|source| source.askers().len()).sum();
    assert_eq!(asked, 1, "the first run asked none, the second one");
}

#[tokio::test]
async fn a_home_that_moved_is_reported_at_once() {
    let world = World::settled().await;
    world.moves();
    let run = world.run().await;
    run.ends(0).says("IPv4: the address was 81.2.69.142 and is now 81.2.69.160");
    assert_eq!(world.calls(), ["", ""], "DuckDNS sees by itself where it is now");
    assert_eq!(world.holds().ipv4, Some(MOVED));
    assert!(run.reading()["value"].is_number());
    world.run().await.ends(0).says("still 81.2.69.160").hands_nothing_over();
}

#[tokio::test]
async fn a_source_that_lies_cannot_move_a_home() {
    let world = World::settled().await;
    world.sources_turn([Manner::Line(MOVED.into()), Manner::Line(HOME.into()), Manner::Line(HOME.into())]);
    for _ in 0..4 {
        world.run().await.ends(0).says("still 81.2.69.142");
    }
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn where_no_source_can_say_duckdns_is_called_because_only_it_knows() {
    let world = World::settled().await;
    world.sources_turn([
        Manner::Status("403 Forbidden"),
        Manner::Status("429 Too Many Requests"),
        Manner::Says("<html>"),
    ]);
    // It has just been called, so nothing is to be gained from asking it again at every run.
    let lately = world.run().await;
    lately.ends(0).says("DuckDNS took 81.2.69.142 lately, and is left alone; our IPv4 address is not known");
    assert_eq!(world.calls().len(), 1);
    world.remember_at(&(Timestamp::now() - SignedDuration::from_mins(16)).to_string());
    world.run().await.ends(0).says("no source confirms the last accepted address; our IPv4 address is not known");
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn sources_that_see_another_address_than_duckdns_do_not_make_it_called_at_every_run() {
    let world = World::settled().await;
    let vpn = [81, 2, 69, 7].into();
    world.sources_turn([Manner::Line(vpn), Manner::Line(vpn), Manner::Line(vpn)]);
    let run = world.run().await;
    run.ends(0).says("sources see us come from 81.2.69.7, DuckDNS from 81.2.69.142");
    for _ in 0..3 {
        world.run().await.ends(0).says("still 81.2.69.142, nothing to do").hands_nothing_over();
    }
    assert_eq!(world.calls().len(), 2);
    world.moves();
    world.run().await.ends(0).says("is now 81.2.69.160");
    assert_eq!(world.holds().ipv4, Some(MOVED));
}

#[tokio::test]
async fn a_failure_is_followed_by_a_reading_that_says_that_it_is_over() {
    let world = World::settled().await;
    world.moves();
    world.servers_turn([
        name_server::Manner::NoSuchName,
        name_server::Manner::NoSuchName,
        name_server::Manner::NoSuchName,
    ]);
    let failed = world.run().await;
    assert!(failed.ends(1).reading()["failure"].is_string());
    world.servers_turn([name_server::Manner::Live, name_server::Manner::Live, name_server::Manner::Live]);
    let over = world.run().await;
    assert_eq!(over.ends(0).says("public DNS agrees again").reading()["value"], 0.0);
    world.run().await.ends(0).hands_nothing_over();
}

#[tokio::test]
async fn duckdns_is_updated_again_after_a_day_and_when_the_clock_was_wrong() {
    for (at, calls) in [("2020-01-01T00:00:00Z", 2), ("2999-01-01T00:00:00Z", 2)] {
        let world = World::settled().await;
        world.remember_at(at);
        world.run().await.ends(0).says("DuckDNS was not called within the last day");
        assert_eq!(world.calls().len(), calls);
        world.run().await.ends(0).says("nothing to do");
        assert_eq!(world.calls().len(), calls);
    }
}

#[tokio::test]
async fn a_record_that_was_changed_elsewhere_is_found_by_asking_public_dns_and_mended() {
    let world = World::settled().await;
    world.duckdns.zone.set("home", Held { ipv4: Some(MOVED), ipv6: None });
    let run = world.run().await;
    run.ends(0).says("IPv4: public DNS says otherwise: 127.0.0.1:").says("says 81.2.69.160 for home.duckdns.org");
    assert_eq!(world.holds().ipv4, Some(HOME));
    world.duckdns.zone.set("home", Held::default());
    world.run().await.ends(0).says("knows no such address of home.duckdns.org");
    assert_eq!(world.holds().ipv4, Some(HOME));
}

#[tokio::test]
async fn what_is_remembered_counts_for_its_names_only() {
    let world = World::settled().await;
    world.run_with(|command| command.env("DOMAIN", "home,away")).await.ends(0).says("no earlier answer");
    assert_eq!(world.duckdns.calls().len(), 2);
}

#[tokio::test]
async fn a_record_that_cannot_be_understood_is_reported_and_begun_anew() {
    let world = World::settled().await;
    std::fs::write(world.record(), "{\"names\":[").expect("the folder can be written");
    let run = world.run().await;
    run.ends(0)
        .says("what was done before is not known: STATE_DIR: ")
        .says("no earlier answer of DuckDNS is remembered");
    assert_eq!(world.remembered()["ipv4"]["address"], "81.2.69.142");
}

#[tokio::test]
async fn without_a_memory_duckdns_is_called_at_every_run_which_is_said() {
    let world = World::new().await;
    for calls in [1, 2] {
        let run = world.run_with(|command| command.env_remove("STATE_DIR")).await;
        run.ends(0);
        assert!(run.stderr.contains("nothing is remembered, so DuckDNS is called at every run"), "{}", run.stderr);
        assert_eq!(world.calls().len(), calls);
    }
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_changes_nothing() {
    let world = World::new().await;
    let run = world.run_with(|command| command.arg("--dry-run")).await;
    run.ends(0)
        .says("in earnest, DuckDNS would be called now to set the IPv4 address that it sees")
        .hands_nothing_over();
    assert_eq!((world.calls().len(), world.record().exists()), (0, false));
    let world = World::settled().await;
    let remembered = world.remembered();
    world.moves();
    let run = world.run_with(|command| command.arg("--dry-run")).await;
    run.ends(0).says("is now 81.2.69.160").says("would be called");
    assert_eq!((world.calls().len(), world.remembered()), (1, remembered));
}
