//! What public DNS says after an update.

use std::time::{Duration, Instant};

use tests::name_server::Manner;

use crate::world::{HOME, MOVED, World};

#[tokio::test]
async fn name_servers_that_are_behind_are_waited_for_and_the_wait_is_the_reading() {
    let world = World::settled().await;
    world.moves();
    // They are asked at once, and then after 1 s and 2 s more.
    world.servers_turn([0, 1, 2].map(|_| Manner::Behind(HOME.into(), 2)));
    let run = world.run().await;
    run.ends(0).says("public DNS agreed after");
    let seconds = run.reading()["value"].as_f64().expect("a value");
    assert!((3.0..8.0).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn more_than_half_of_the_servers_that_answer_are_enough_and_the_others_are_reported() {
    for (other, sentence) in [
        (Manner::Silent, "but 127.0.0.1:"),
        (Manner::Servfail, "could not find out about home.duckdns.org (SERVFAIL)"),
        (Manner::Refuses, "could not find out about home.duckdns.org (REFUSED)"),
        (Manner::NoSuchName, "says that home.duckdns.org does not exist (NXDOMAIN)"),
        (Manner::Stale(MOVED.into()), "says 81.2.69.160 for home.duckdns.org"),
    ] {
        let world = World::new().await;
        world.servers_turn([Manner::Live, other, Manner::Live]);
        let run = world.run().await;
        run.ends(0).says("public DNS agreed after").says(sentence);
        let seconds = run.reading()["value"].as_f64().expect("a value");
        assert!(seconds < 2.0, "who keeps silent is waited for, but the time is that of the answers: {seconds}");
        // What one server says alone does not make DuckDNS be called at every run.
        world.run().await.ends(0).says("nothing to do");
        assert_eq!(world.calls().len(), 1);
    }
}

#[tokio::test]
async fn public_dns_that_does_not_agree_is_not_done_and_the_next_run_checks_again() {
    let otherwise = "public DNS does not agree after";
    let tested = [
        ([Manner::Live, Manner::Stale(MOVED.into()), Manner::Stale(MOVED.into())], otherwise, "says 81.2.69.160", 2),
        ([0, 1, 2].map(|_| Manner::NoSuchName), otherwise, "does not exist (NXDOMAIN)", 2),
        // Without an answer there is no reason to call DuckDNS again.
        (
            [Manner::Servfail, Manner::Silent, Manner::Servfail],
            "no name server of PUBLIC_DNS could say",
            "did not answer about home.duckdns.org",
            1,
        ),
    ];
    let runs = tested.map(|(manners, outcome, sentence, calls)| async move {
        let world = World::new().await;
        world.servers_turn(manners);
        let start = Instant::now();
        let run = world.run().await;
        run.ends(1).says("DuckDNS took 81.2.69.142").says(outcome).says(sentence);
        assert!(start.elapsed() < Duration::from_secs(20), "the deadline is kept: {:?}", start.elapsed());
        assert!(run.reading()["failure"].as_str().is_some_and(|why| why.contains(sentence)));
        assert_eq!(world.remembered()["ipv4"]["address"], "81.2.69.142", "DuckDNS took it all the same");
        let run = world.run().await;
        assert_eq!(world.calls().len(), calls, "{}", run.said());
        if calls == 1 {
            run.ends(0).says("still 81.2.69.142; of public DNS, ").says(sentence);
        }
    });
    for run in runs.map(tokio::spawn) {
        run.await.expect("each goes well");
    }
}

#[tokio::test]
async fn name_servers_are_not_asked_before_a_change_because_they_would_keep_the_old_answer() {
    let world = World::settled().await;
    world.moves();
    world.duckdns.play([], tests::duckdns::Fault::Ko);
    let before: usize = world.servers.iter().map(tests::name_server::NameServer::asked).sum();
    world.run().await.ends(2);
    let after: usize = world.servers.iter().map(tests::name_server::NameServer::asked).sum();
    assert_eq!(before, after);
}
