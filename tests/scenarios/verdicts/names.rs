//! Names: one that does not exist is not confused with a name service that fails.

use std::time::{Duration, Instant};

use tests::prober::{probe_with, prober_command};

use super::world::World;

/// How often a name server of ours was asked.
fn asked(server: &tests::process::Process) -> usize {
    server.lines().iter().filter(|line| *line == "asked").count()
}

#[tokio::test]
async fn a_name_server_that_cannot_say_does_no_harm_while_the_next_one_is_well() {
    let Some(world) = World::new("failing").await else { return };
    // FORMERR, SERVFAIL, NOTIMP and REFUSED, a closed port, and one that is silent.
    for manner in ["code=1", "code=2", "code=4", "code=5", "gone", "silent"] {
        let first = match manner {
            "gone" => None,
            manner => Some(world.namespace.scripted_names_with("127.0.0.55", manner).await),
        };
        world.namespace.resolv_conf("nameserver 127.0.0.55\nnameserver 127.0.0.53\n");
        let run = world.comes_to("home", "up", "", "operational").await;
        let took = run.report["duration_ms"].as_f64().expect("a time");
        assert!(took < 3_000.0, "{manner}: {took} ms");
        if let Some(first) = first {
            let asked = asked(&first);
            assert!((1..=8).contains(&asked), "{manner}: asked {asked} times for two names, two families each");
            first.terminate().await;
        }
    }
    // The other way round the failing one is not even asked.
    let second = world.namespace.scripted_names_with("127.0.0.55", "code=2").await;
    world.namespace.resolv_conf("nameserver 127.0.0.53\nnameserver 127.0.0.55\n");
    world.comes_to("home", "up", "", "operational").await;
    assert_eq!(asked(&second), 0);
}

#[tokio::test]
async fn a_name_server_that_does_not_know_the_home_turns_no_page() {
    let Some(world) = World::new("horizon").await else { return };
    let second = world.namespace.scripted_names_with("127.0.0.55", "code=3").await;
    // One that knows the home, and is slower than the silence after which the next one is asked.
    let first = world.namespace.scripted_names_with("127.0.0.56", "late=900").await;
    world.namespace.resolv_conf("nameserver 127.0.0.56\nnameserver 127.0.0.55\n");
    world.comes_to("home", "up", "", "operational").await;
    assert!(asked(&second) > 0, "it was asked, and said that the name does not exist");
    first.terminate().await;
    // Without a last address that the home has proven, nothing but names can lead to it.
    std::fs::remove_file(world.folder.path().join("state.json")).expect("it remembered");
    // Every server that may know it, as soon as it is well, answers before the name counts as gone.
    let first = world.namespace.scripted_names_with("127.0.0.56", "code=2").await;
    world.is_unknown("home", "name_service").await;
    first.terminate().await;
    let first = world.namespace.scripted_names_with("127.0.0.56", "code=5").await;
    world.is_unknown("home", "name_service").await;
    first.terminate().await;
    // Where all that answer say so, it is gone.
    let first = world.namespace.scripted_names_with("127.0.0.56", "silent").await;
    world.comes_to("home", "down", "name", "major_outage").await;
    first.terminate().await;
    // One that knows of the name, but no address, unmakes none that another one knows.
    let first = world.namespace.scripted_names_with("127.0.0.56", "late=500").await;
    second.terminate().await;
    let second = world.namespace.scripted_names_with("127.0.0.55", "code=0").await;
    world.comes_to("home", "up", "", "operational").await;
    drop((first, second));
}

#[tokio::test]
async fn a_name_that_resolves_is_probed() {
    let Some(world) = World::new("resolves").await else { return };
    let run = world.comes_to("home", "up", "", "operational").await;
    assert!(run.target["attempts"][0]["resolve_ms"].is_number());
    world.comes_to("both", "up", "", "operational").await;
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_down() {
    let Some(world) = World::new("nx").await else { return };
    world.comes_to("nx", "down", "name", "major_outage").await;
}

#[tokio::test]
async fn servfail_changes_nothing() {
    let Some(world) = World::new("servfail").await else { return };
    let run = world.is_unknown("servfail", "name_service").await;
    assert_eq!(run.target["attempts"][0]["resolution"], "error", "{:#}", run.report);
}

#[tokio::test]
async fn silence_of_the_name_service_changes_nothing() {
    let Some(world) = World::new("silent").await else { return };
    let run = world.is_unknown("silent", "name_service").await;
    assert_eq!(run.target["attempts"][0]["resolution"], "timeout", "{:#}", run.report);
}

#[tokio::test]
async fn a_name_without_an_address_changes_nothing() {
    let Some(world) = World::new("empty").await else { return };
    let run = world.is_unknown("empty", "name_service").await;
    assert_eq!(run.target["attempts"][0]["resolution"], "empty", "{:#}", run.report);
}

#[tokio::test]
async fn a_name_service_that_is_gone_changes_nothing() {
    let Some(world) = World::new("gone").await else { return };
    world.rule("udp dport 53 reject").await;
    world.is_unknown("home", "name_service").await;
}

#[tokio::test]
async fn a_failure_of_one_family_does_not_hide_a_home_that_answers_over_the_other() {
    let Some(world) = World::new("half").await else { return };
    world.comes_to("half", "up", "", "operational").await;
}

#[tokio::test]
async fn a_family_that_the_name_service_is_silent_about_is_not_waited_for() {
    let Some(world) = World::new("quick").await else { return };
    // The scripted server answers A and drops AAAA.
    let run = world.comes_to("halfsilent", "up", "", "operational").await;
    let took = run.report["duration_ms"].as_f64().expect("a time");
    assert!(took < 2_500.0, "a name has 3 s, and IPv4 answered at once: {took} ms");
}

#[tokio::test]
async fn while_the_name_fails_the_last_proven_address_is_tried() {
    let Some(world) = World::new("lastproven").await else { return };
    world.comes_to("home", "up", "", "operational").await;
    for name in ["servfail", "silent", "empty", "nx"] {
        let run = world.comes_to(name, "degraded", "only_name_service", "degraded_performance").await;
        let exchange = &run.target["attempts"][0]["exchanges"][0];
        assert_eq!((exchange["origin"].as_str(), exchange["identity"].as_str()), (Some("last_proven"), Some("proven")));
    }
    world.rule("tcp dport 8080 drop").await;
    world.is_unknown("servfail", "name_service").await;
    world.comes_to("nx", "down", "name", "major_outage").await;
}

#[tokio::test]
async fn without_a_key_the_last_address_proves_nothing() {
    let Some(world) = World::new("nokey").await else { return };
    world.comes_to("home", "up", "", "operational").await;
    let mut command = world.command("servfail");
    command.env_remove("BEACON_KEY");
    let run = world.run(&command).await;
    assert_eq!(run.target["cause"], "name_service", "{:#}", run.report);
}

#[tokio::test]
async fn a_run_ends_in_time_although_the_statuspage_cannot_be_resolved() {
    let Some(world) = World::new("nopage").await else { return };
    let command = prober_command("http://home.example.test:8080/", "http://silent.example.test:8030/v1");
    let start = Instant::now();
    let run = probe_with(world.namespace.inside(&command)).await;
    assert_eq!((run.code, run.report["published"].as_bool()), (Some(1), Some(false)), "{:#}", run.report);
    assert!(start.elapsed() < Duration::from_secs(52), "{:?}", start.elapsed());
}
