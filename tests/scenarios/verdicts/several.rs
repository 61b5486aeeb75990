//! A home with several addresses: a proven answer at any of them is the home's, and what does not lead to it is named.

use std::time::Duration;

use serde_json::Value;
use tests::prober::Run;
use tokio::process::Command;

use super::world::World;

/// The prober's command for names at the home's port, or as `name:port`.
fn command(world: &World, names: &[&str]) -> Command {
    let mut command = world.command("home");
    let address = |name: &&str| match name.split_once(':') {
        Some((name, port)) => format!("http://{name}.example.test:{port}/"),
        None => format!("http://{name}.example.test:8080/"),
    };
    command.env("CANARY_URL", names.iter().map(address).collect::<Vec<_>>().join(","));
    command
}

async fn probe(world: &World, names: &[&str], verdict: &str, cause: Option<&str>) -> Run {
    let run = world.run(&command(world, names)).await;
    assert_eq!(
        (run.target["verdict"].as_str(), run.target["cause"].as_str()),
        (Some(verdict), cause),
        "{:#}",
        run.report
    );
    run
}

/// The host and the cause of each address that does not lead to the home.
fn differs(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let host = |url: &str| url.trim_start_matches("http://").split('.').next().map(str::to_owned).expect("a host");
    let all = run.target["differs"].as_array().expect("a list");
    all.iter().map(|it| (host(&text(&it["url"])), text(&it["cause"]))).collect()
}

fn one(host: &str, cause: &str) -> Vec<(String, String)> {
    vec![(host.to_owned(), cause.to_owned())]
}

#[tokio::test]
async fn a_proven_answer_at_any_address_is_up_and_what_differs_is_named() {
    let Some(world) = World::new("several").await else { return };
    world.keeper.set_status("major_outage").await;
    let run = probe(&world, &["home", "both"], "up", None).await;
    assert_eq!((differs(&run), world.keeper.status().await), (Vec::new(), "operational".into()));
    for (other, cause) in [
        ("servfail", "name_service"),
        ("silent", "name_service"),
        ("nx", "name"),
        ("stale:8081", "impostor"),
        ("keyless:8081", "unproven"),
        ("gone:8081", "refused"),
    ] {
        let host = other.split(':').next().expect("a host");
        for names in [[other, "home"], ["home", other]] {
            let run = probe(&world, &names, "up", None).await;
            assert_eq!(differs(&run), one(host, cause), "{names:?}: {:#}", run.report);
            let took = run.report["duration_ms"].as_f64().expect("a time");
            assert!(took < 3_000.0, "{names:?}: what differs is not waited for: {took} ms");
        }
    }
    assert_eq!(world.keeper.status().await, "operational", "a second name that fails is no outage");
    let mut probing = command(&world, &["nx", "home"]);
    probing.arg("--dry-run");
    let run = tests::process::run(world.namespace.inside(&probing), Duration::from_secs(60)).await;
    assert!(run.stdout.contains("but not at http://nx.example.test:8080/: the name does not exist"), "{}", run.stdout);
}

#[tokio::test]
async fn an_outage_is_seen_by_the_name_that_is_left() {
    let Some(world) = World::new("left").await else { return };
    probe(&world, &["servfail", "home"], "up", None).await;
    world.rule("tcp dport 8080 drop").await;
    let run = probe(&world, &["servfail", "home"], "down", Some("unreachable")).await;
    assert_eq!((differs(&run), world.keeper.status().await), (Vec::new(), "major_outage".into()));
    probe(&world, &["nx", "home"], "down", Some("unreachable")).await;
    probe(&world, &["nx", "silent"], "unknown", Some("name_service")).await;
    probe(&world, &["nx", "nx2"], "down", Some("name")).await;
}

#[tokio::test]
async fn where_all_names_fail_each_of_them_is_named() {
    let Some(world) = World::new("allnames").await else { return };
    probe(&world, &["home"], "up", None).await;
    let run = probe(&world, &["servfail", "nx"], "degraded", Some("only_name_service")).await;
    let both = [one("servfail", "name_service"), one("nx", "name")].concat();
    assert_eq!(differs(&run), both, "{:#}", run.report);
    let attempts = run.target["attempts"].as_array().expect("a list");
    assert!(attempts.iter().all(|attempt| attempt["url"].is_string()), "{attempts:#?}");
}

#[tokio::test]
async fn wrong_addresses_are_refused_in_a_sentence() {
    let Some(world) = World::new("wrongone").await else { return };
    for (addresses, part) in [
        ("http://a http://a/", "is there twice"),
        ("http://a,b", "each of several addresses begins with"),
        ("http://a ftp://b", "begins with http:// or https://"),
        ("http://a http://b http://c http://d http://e", "4 addresses at most"),
    ] {
        let mut command = world.command("home");
        command.env("CANARY_URL", addresses);
        let run = tests::process::run(world.namespace.inside(&command), Duration::from_secs(60)).await;
        assert_eq!(run.code, Some(2), "{addresses}: {}", run.stderr);
        assert!(run.stderr.contains(part), "{addresses}: {}", run.stderr);
        assert_eq!(run.stderr.trim().lines().count(), 1, "{}", run.stderr);
    }
}
