//! What upstream says is copied with its times, and never written from here.

use std::time::Duration;

use home_beacon::keeper::status::incidents;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    beacon::Beacon,
    keeper::{COMPONENT, PAGE},
    prober::{probe_with, prober_command},
    statuspage::Fault,
    upstream::{Relay, ping, statuspage_io, store},
};

use super::world::World;

/// The page is read once a minute.
const COPY_TIMEOUT: Duration = Duration::from_secs(100);

fn component() -> String {
    format!("/pages/{PAGE}/components/{COMPONENT}")
}

/// Waits until the keeper at home shows something.
async fn shows(relay: &Relay, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let start = tokio::time::Instant::now();
    loop {
        let shown = relay.home.ok(Method::GET, path, None).await;
        if so(&shown) {
            return shown;
        }
        assert!(start.elapsed() < COPY_TIMEOUT, "{shown:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn the_probers_word_is_shown_at_home_and_never_written_by_the_keeper() {
    let upstream = statuspage_io(60).await;
    let beacon = Beacon::start().await;
    let (home, address) = (beacon.url(), beacon.public.to_string());
    let probe = async |api: &str, status: &str| {
        let run = probe_with(prober_command(&home, api)).await;
        assert_eq!(run.target["status"], status, "{:#}", run.report);
    };
    probe(&upstream.api(), "operational").await;
    beacon.process.terminate().await;
    probe(&upstream.api(), "major_outage").await;
    let domain = json!({"page": {"domain": "status.example.org"}});
    upstream.ok(Method::PATCH, &format!("/pages/{PAGE}"), Some(domain)).await;
    let body =
        json!({"incident": {"name": "The line is cut", "body": "Somebody is looking.", "component_ids": [COMPONENT]}});
    let incident = upstream.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(body)).await;
    let id = incident["id"].as_str().expect("an id");
    let there = upstream.ok(Method::GET, &component(), None).await;

    let relay = Relay::before(upstream, [], Fault::None, |_| ()).await;
    shows(&relay, &component(), |shown| shown["status"] == "major_outage").await;
    let path = format!("/pages/{PAGE}/incidents/unresolved");
    let copied = shows(&relay, &path, |shown| shown[0]["id"] == id).await;
    assert_eq!(
        copied[0]["shortlink"],
        format!("https://status.example.org/incidents/{id}"),
        "it leads to the original"
    );
    for field in ["name", "status", "created_at", "updated_at", "shortlink"] {
        assert_eq!(copied[0][field], incident[field], "{field}");
    }
    assert_eq!(copied[0]["components"][0]["id"], COMPONENT);
    relay.says(COPY_TIMEOUT, |shown| !shown["mirrored_at"].is_null()).await;
    relay.home.looked(COMPONENT, "down", Some("refused")).await;
    let page = relay.home.page().await;
    assert!(page.contains("The line is cut") && page.contains("As the page upstream said at"), "{page}");
    let since = there["updated_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("a time");
    let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert!(page.contains(&format!("Since <time datetime=\"{since}\">")), "upstream's time: {since}: {page}");

    // No client at home may set it otherwise.
    let body = json!({"component": {"status": "operational"}});
    let refused = relay.home.call(Method::PATCH, &component(), Some(body)).await.expect("it answers");
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.expect("a text").contains("is a copy of the one upstream: set it there"));
    let body = json!({"incident": {"status": "resolved"}});
    let refused = relay.home.call(Method::PATCH, &format!("/pages/{PAGE}/incidents/{id}"), Some(body)).await;
    assert_eq!(refused.expect("it answers").status(), 422);

    // Two writers at once: the prober writes to the page upstream, the keeper sends its points.
    let _mended = Beacon::start_at(&address).await;
    let api = relay.upstream.api();
    let measured = async {
        for value in 0..8 {
            store(&relay.home, &[ping(jiff::Timestamp::now(), f64::from(value))]).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::join!(probe(&api, "operational"), measured);
    let body = json!({"incident": {"status": "resolved", "body": "Mended."}});
    relay.upstream.ok(Method::PATCH, &format!("/pages/{PAGE}/incidents/{id}"), Some(body)).await;
    let shown = shows(&relay, &format!("/pages/{PAGE}/incidents/{id}"), |shown| shown["status"] == "resolved").await;
    assert_eq!(
        shown["incident_updates"][0]["body"], "Mended.",
        "the end that no list of unresolved ones shows: {shown:#}"
    );
    shows(&relay, &component(), |shown| shown["status"] == "operational").await;
    let written: Vec<_> = relay.way.calls().into_iter().filter(|call| !call.starts_with("GET")).collect();
    assert!(written.iter().any(|call| call.contains("/metrics/data")), "{written:#?}");
    assert!(written.iter().all(|call| !call.contains(COMPONENT)), "its writer is the prober: {written:#?}");
}

#[tokio::test]
async fn an_incident_that_came_and_went_while_upstream_could_not_be_read_is_copied_afterwards() {
    let mut world = World::new().await;
    world.pass(Duration::from_mins(2)).await;
    world.way.play(Fault::Dropped);
    world.pass(Duration::from_mins(10)).await;
    let incidents = format!("/pages/{PAGE}/incidents");
    let body = json!({"incident": {"name": "An hour without", "component_ids": [COMPONENT]}});
    let incident = world.upstream.ok(Method::POST, &incidents, Some(body)).await;
    let path = format!("{incidents}/{}", incident["id"].as_str().expect("an id"));
    world.upstream.ok(Method::PATCH, &path, Some(json!({"incident": {"status": "resolved"}}))).await;
    world.way.play(Fault::None);
    world.pass(Duration::from_mins(2)).await;
    let id = incident["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let copied = incidents::get(&world.home.db, &world.page, &id).await.expect("it is copied");
    assert_eq!((copied.state.as_str(), copied.name.as_str()), ("resolved", "An hour without"));
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_said_to_be_old() {
    let gone = Fault::Answer { status: 503, headers: "", body: r#"{"error":"gone"}"# };
    let relay = Relay::start([], gone).await;
    relay.says(COPY_TIMEOUT, |shown| shown["condition"] == "trouble").await;
    assert!(relay.home.page().await.contains("The page upstream has not been read yet"));
}

#[tokio::test]
async fn planned_maintenance_upstream_keeps_no_incident_open_at_home_and_comes_itself() {
    let mut world = World::new().await;
    let incidents = format!("/pages/{PAGE}/incidents");
    let planned = async |world: &World, name: &str, hours: i64| {
        let at = world.clocks.now() + jiff::SignedDuration::from_hours(hours);
        let body = json!({"incident": {"name": name, "scheduled_for": at.to_string()}});
        let made = world.upstream.ok(Method::POST, &incidents, Some(body)).await;
        made["id"].as_str().expect("an id").to_owned()
    };
    let mut maintenance = Vec::new();
    for number in 0..5 {
        maintenance.push(planned(&world, &format!("Maintenance {number}"), 24 + number).await);
    }
    let body = json!({"incident": {"name": "The line is cut", "component_ids": [COMPONENT]}});
    let incident = world.upstream.ok(Method::POST, &incidents, Some(body)).await;
    let incident = incident["id"].as_str().expect("an id").to_owned();
    world.pass(Duration::from_mins(3)).await;
    let status = async |world: &World, id: &str| {
        let id = id.parse().expect("an id");
        incidents::get(&world.home.db, &world.page, &id).await.map(|copy| copy.state.to_string()).ok()
    };
    for id in &maintenance {
        assert_eq!(status(&world, id).await.as_deref(), Some("scheduled"));
    }
    assert_eq!(status(&world, &incident).await.as_deref(), Some("investigating"));

    let change = async |world: &World, id: &str, status: &str| {
        let body = json!({"incident": {"status": status}});
        world.upstream.ok(Method::PATCH, &format!("{incidents}/{id}"), Some(body)).await;
    };
    change(&world, &incident, "resolved").await;
    change(&world, &maintenance[0], "in_progress").await;
    world.upstream.ok(Method::DELETE, &format!("{incidents}/{}", maintenance[1]), None).await;
    let later = planned(&world, "Thought of later", 48).await;
    let before = world.way.calls().len();
    world.pass(Duration::from_mins(4)).await;
    assert_eq!(status(&world, &incident).await.as_deref(), Some("resolved"));
    assert_eq!(status(&world, &maintenance[0]).await.as_deref(), Some("in_progress"));
    assert_eq!(status(&world, &maintenance[1]).await, None, "what was deleted upstream is not here");
    assert_eq!(status(&world, &later).await.as_deref(), Some("scheduled"));
    let calls = world.way.calls().len() - before;
    assert!(calls <= 5 * 3 + 2 + 8, "three calls a minute, and what has gone is asked for once: {calls}");
    change(&world, &maintenance[0], "completed").await;
    world.pass(Duration::from_mins(4)).await;
    assert_eq!(status(&world, &maintenance[0]).await.as_deref(), Some("completed"));
}

#[tokio::test]
async fn when_the_page_upstream_could_be_read_is_remembered_and_when_it_could_not() {
    let mut world = World::new().await;
    let start = world.now().as_millisecond();
    let minute = |at: i64| (at - start) / 60_000;
    world.pass(Duration::from_mins(5)).await;
    world.way.play(Fault::Dropped);
    world.pass(Duration::from_mins(10)).await;
    world.way.play(Fault::None);
    world.pass(Duration::from_mins(5)).await;
    world.measure("ping", home_beacon::reading::Outcome::Value(12.0), None).await;
    let whole = start..world.now().as_millisecond();
    let read = world.home.outbox.reads_within(whole.clone()).await;
    let shown: Vec<_> = read.iter().map(|span| (minute(span.start), minute(span.end))).collect();
    assert!(matches!(shown[..], [(0, 4 | 5), (15 | 16, 19 | 20)]), "{shown:?}");
    // What a keeper knows that was started again.
    let again = home_beacon::keeper::outbox::Outbox::new(world.home.db.clone(), true);
    assert_eq!(again.reads_within(whole).await, read);
}
