//! What DuckDNS answers, and what comes of it.

use std::time::{Duration, Instant};

use serde_json::Value;
use tests::duckdns::{Fault, Held};

use crate::world::{HOME, MOVED, World};

#[tokio::test]
async fn an_ok_is_remembered_and_public_dns_agreeing_is_the_reading() {
    let world = World::new().await;
    let run = world.run().await;
    run.ends(0).says("DuckDNS took 81.2.69.142 for home.duckdns.org").says("public DNS agreed after");
    assert_eq!(world.calls(), [""], "DuckDNS saw the address itself");
    assert_eq!(world.holds(), Held { ipv4: Some(HOME), ipv6: None });
    assert_eq!(world.remembered()["ipv4"]["address"], "81.2.69.142");
    assert!(world.remembered().get("ipv6").is_none());
    let reading = run.reading();
    assert!(reading["value"].as_f64().is_some_and(|seconds| seconds < 5.0), "{reading}");
    assert_eq!((&reading["target"], &reading["method"]), (&"home.duckdns.org".into(), &"server".into()));
}

#[tokio::test]
async fn failures_of_duckdns_are_reported_retried_where_that_may_help_and_never_remembered() {
    let tested = [
        (Fault::BadGateway, "DuckDNS fails: it answered with an HTML page (status 502)"),
        (Fault::Jetty, "DuckDNS fails: it answered with an HTML page (status 404)"),
        (Fault::Empty, "DuckDNS fails: it answered with nothing"),
        (Fault::Reset, "DuckDNS fails: it broke the connection ("),
        (Fault::Endless, "DuckDNS fails: it answered with an HTML page"),
        (Fault::Redirect, "DuckDNS fails: it answered with nothing (status 302)"),
        (Fault::Says("OKAY"), "DuckDNS fails: it answered with neither OK nor KO"),
        (Fault::Says("OK\n81.2.69.142"), "DuckDNS fails: it answered with neither OK nor KO"),
        (Fault::Says("OK"), "DuckDNS answered OK, but not which address it saw"),
        (Fault::Says("OK\n\n\nUPDATED"), "DuckDNS answered OK, but it saw no IPv4 address"),
        (
            Fault::Says("OK\n192.168.1.2\n\nUPDATED"),
            "it saw and took 192.168.1.2, a private address; if that is what your line gets, the provider",
        ),
    ];
    let runs = tested.map(|(fault, sentence)| async move {
        let world = World::new().await;
        world.duckdns.play([], fault);
        let run = world.run().await;
        run.ends(1).says(sentence);
        let failure = run.reading()["failure"].as_str().expect("a failure").to_owned();
        assert!(failure.contains(sentence), "{failure}");
        // What it answered as it should, it would answer again.
        let in_order = sentence.contains("answered OK") || sentence.contains("saw and took");
        assert_eq!(world.calls().len() > 1, !in_order, "{fault:?}: {:?}", world.calls());
        assert!(world.calls().iter().all(|call| !call.contains("elsewhere")), "no redirect is followed");
        assert_eq!(world.remembered()["ipv4"], Value::Null, "{fault:?}");
    });
    for run in runs.map(tokio::spawn) {
        run.await.expect("each goes well");
    }
}

#[tokio::test]
async fn a_failure_that_passes_costs_nothing_but_time() {
    let world = World::new().await;
    world.duckdns.play([Fault::BadGateway, Fault::Reset], Fault::None);
    world.run().await.ends(0).says("DuckDNS took 81.2.69.142");
    assert_eq!(world.calls().len(), 3);
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let world = World::new().await;
    world.duckdns.play([Fault::Slow(Duration::from_secs(9))], Fault::None);
    world.run_with(|command| command.env("DEADLINE", "40s")).await.ends(0).says("DuckDNS took 81.2.69.142");
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_duckdns_that_cannot_be_reached_is_not_said_to_fail() {
    let world = World::new().await;
    // Port 9 is closed.
    let run = world.run_with(|command| command.env("DUCKDNS_URL", "http://127.0.0.1:9")).await;
    run.ends(1).says("DuckDNS cannot be reached: Connection refused");
    assert_eq!(world.remembered()["ipv4"], Value::Null);
}

#[tokio::test]
async fn ko_is_a_wrong_setting_asked_once_and_reported_with_how_to_check() {
    let tested = [("TOKEN", "00000000-114e-40ef-ba1d-d217904a50f2"), ("DOMAIN", "somebody-elses")];
    for (name, value) in tested {
        let world = World::new().await;
        let run = world.run_with(|command| command.env(name, value)).await;
        run.ends(2)
            .says("DuckDNS says KO: DUCKDNS_TOKEN or DOMAIN is wrong. Sign in at www.duckdns.org: the token stands at the top");
        assert!(run.reading()["failure"].as_str().is_some_and(|why| why.starts_with("DuckDNS says KO")));
        assert_eq!(world.duckdns.calls().len(), 1, "it is not tried again");
        assert_eq!(world.remembered()["ipv4"], Value::Null);
    }
}

#[tokio::test]
async fn an_address_that_duckdns_did_not_take_is_not_remembered_so_that_the_next_run_sends_it_again() {
    let world = World::settled().await;
    world.moves();
    for fault in [Fault::Ko, Fault::BadGateway] {
        world.duckdns.play([], fault);
        assert_ne!(world.run().await.code, Some(0));
        assert_eq!(world.remembered()["ipv4"]["address"], "81.2.69.142", "{fault:?}");
    }
    world.duckdns.play([], Fault::None);
    world.run().await.ends(0).says("the address was 81.2.69.142 and is now 81.2.69.160");
    assert_eq!(world.holds().ipv4, Some(MOVED));
    assert_eq!(world.remembered()["ipv4"]["address"], "81.2.69.160");
}

#[tokio::test]
async fn an_answer_with_another_address_than_was_sent_is_a_failure() {
    let world = World::new().await;
    world.duckdns.play([], Fault::Says("OK\n81.2.69.9\n\nUPDATED"));
    let run = world.run_with(|command| command.env("ADDRESS", "detect")).await;
    run.ends(1).says("DuckDNS answered OK, but it was given 81.2.69.142 and says that it took 81.2.69.9");
    assert_eq!(world.remembered()["ipv4"], Value::Null);
}

#[tokio::test]
async fn a_duckdns_that_hangs_does_not_hold_a_run_beyond_its_deadline() {
    let world = World::new().await;
    world.duckdns.play([], Fault::Slow(Duration::from_mins(10)));
    let start = Instant::now();
    let run = world.run_with(|command| command.env("DEADLINE", "16s")).await;
    run.ends(1).says("DuckDNS fails: it did not answer in time");
    assert!(start.elapsed() < Duration::from_secs(16), "{:?}", start.elapsed());
}

#[tokio::test]
async fn several_names_are_set_in_one_call() {
    let world = World::new().await;
    let run = world.run_with(|command| command.env("DOMAIN", "Home.duckdns.org,AWAY")).await;
    run.ends(0).says("DuckDNS took 81.2.69.142 for home.duckdns.org, away.duckdns.org");
    assert_eq!(world.duckdns.calls(), ["/update?domains=home%2Caway&token=TOKEN&verbose=true"]);
    assert_eq!(world.duckdns.zone.get("away").expect("it is there").ipv4, Some(HOME));
}
