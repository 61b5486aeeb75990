//! One outage, reported by one prober.

use std::time::Instant;

use reqwest::Method;
use serde_json::json;
use tests::keeper::{COMPONENT, PAGE};

use super::world::{World, update_statuses};

#[tokio::test]
async fn an_outage_is_reported_from_its_beginning_to_its_end() {
    let mut world = World::new().await;
    world.probe().await;
    world.cut().await;
    world.probe().await;
    assert_eq!(world.keeper.status().await, "major_outage");
    assert_eq!(world.incidents().await.len(), 0, "it may be over in a minute");

    world.later(300);
    let run = world.probe().await;
    let open = world.incidents().await.remove(0);
    assert_eq!(run.report["calls"][0]["call"], "open_incident", "{:#}", run.report);
    assert_eq!(
        (open["name"].as_str(), open["impact"].as_str()),
        (Some("Home internet is not reachable"), Some("critical"))
    );
    assert_eq!(open["components"][0]["id"], COMPONENT);
    assert_eq!(open["metadata"]["porchlight"]["outage_key"], world.record()["outage_key"]);
    assert_eq!(open["reminder_intervals"], "[]");

    assert_eq!(world.probe().await.report["calls"], json!([]), "an outage that goes on costs no more calls");
    world.restore();
    world.probe().await;
    assert_eq!(world.keeper.status().await, "operational");
    world.cut().await;
    world.probe().await;
    assert_eq!(world.keeper.status().await, "major_outage");
    world.restore();
    world.probe().await;
    world.later(130);
    world.probe().await;

    let [incident] = &world.incidents().await[..] else { panic!("one incident through all of it") };
    assert_eq!(update_statuses(incident), ["identified", "monitoring", "investigating", "monitoring", "resolved"]);
    let notified: Vec<bool> = incident["incident_updates"]
        .as_array()
        .expect("updates")
        .iter()
        .rev()
        .map(|update| update["deliver_notifications"] == true)
        .collect();
    assert_eq!(notified, [true, false, false, false, true], "flapping floods no subscriber");
    let ending = incident["incident_updates"][0]["body"].as_str().expect("a text");
    assert!(ending.starts_with("Reachable since") && ending.contains(" minutes."), "{ending}");
    assert_eq!(world.probe().await.report["calls"], json!([]));
    assert_eq!(world.record()["down_since"], json!(null));
}

#[tokio::test]
async fn the_ending_says_what_kind_of_outage_it_was() {
    for (up, age, kind) in [
        (30, 20, "The machine at home was started meanwhile: a power cut, or a reboot."),
        (900_300, 20, "The machine at home was not restarted, but its beacon was."),
        (900_300, 900_300, "The machine at home was not restarted, nor was its beacon."),
    ] {
        let mut world = World::new().await;
        // What the home says of itself goes on while the runs take their time.
        let (began, since) = (Instant::now(), |began: Instant| began.elapsed().as_secs());
        // What was before is known of a run that found it up.
        world.probe().await;
        world.cut().await;
        world.probe().await;
        world.later(300);
        world.probe().await;
        world.restore_running(up + since(began), age + since(began));
        world.probe().await;
        world.later(130);
        world.cut().await;
        world.restore_running(up + 130 + since(began), age + 130 + since(began));
        world.probe().await;
        let incident = world.incidents().await.remove(0);
        let ending = incident["incident_updates"][0]["body"].as_str().expect("a text");
        assert!(incident["status"] == "resolved" && ending.ends_with(kind), "{incident:#}");
    }
}

#[tokio::test]
async fn what_a_human_resolved_is_neither_reopened_nor_doubled() {
    let mut world = World::new().await;
    world.cut().await;
    world.probe().await;
    world.later(300);
    world.probe().await;
    let incident = world.incidents().await.remove(0);
    let change = json!({"status": "resolved", "body": "I know.", "component_ids": [COMPONENT], "components": {COMPONENT: "operational"}});
    world.change_incident(&incident, change).await;
    let run = world.probe().await;
    assert_eq!(run.report["calls"].as_array().map(Vec::len), Some(1), "{:#}", run.report);
    assert_eq!(world.keeper.status().await, "major_outage", "what the component says is true all the same");
    world.later(900);
    world.probe().await;
    let incidents = world.incidents().await;
    assert_eq!((incidents.len(), incidents[0]["status"].as_str()), (1, Some("resolved")));
}

#[tokio::test]
async fn a_maintenance_under_way_is_respected_and_only_asked_for_before_a_write() {
    let mut world = World::new().await;
    let statuspage = tests::statuspage::Statuspage::open(&world.keeper, [], tests::statuspage::Fault::None).await;
    let asked = |calls: &[String]| calls.iter().filter(|call| call.contains("active_maintenance")).count();
    let command = |world: &World| {
        let mut command = world.command();
        command.env("STATUSPAGE_URL", &statuspage.api);
        command
    };
    tests::prober::probe_with(command(&world)).await;
    assert_eq!(asked(&statuspage.calls()), 0, "a quiet run does not ask");
    let maintenance = json!({"incident": {"name": "New router", "status": "in_progress", "component_ids": [COMPONENT],
        "scheduled_for": "2026-11-21T08:00:00Z", "scheduled_until": "2026-11-21T09:00:00Z"}});
    world.keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(maintenance)).await;
    world.cut().await;
    let run = tests::prober::probe_with(command(&world)).await;
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("maintenance"), Some(0)), "{:#}", run.report);
    assert_eq!(world.keeper.status().await, "operational");
    assert_eq!(asked(&statuspage.calls()), 1);
    world.later(900);
    tests::prober::probe_with(command(&world)).await;
    assert_eq!(world.incidents().await.len(), 1, "no incident but the maintenance");
    let under_way = world.incidents().await.remove(0);
    world.change_incident(&under_way, json!({"status": "completed", "body": "Done."})).await;
    tests::prober::probe_with(command(&world)).await;
    assert_eq!((world.keeper.status().await.as_str(), world.incidents().await.len()), ("major_outage", 2));
}

#[tokio::test]
async fn an_opening_whose_answer_is_lost_is_searched_for_before_it_is_repeated() {
    use tests::statuspage::{Fault, Statuspage};
    let mut world = World::new().await;
    world.cut().await;
    world.probe().await;
    world.later(300);
    // Components, incidents; then maintenance, the page, the component, the incidents, the last ones; and the opening.
    let script = [vec![Fault::None; 7], vec![Fault::AnswerLost]].concat();
    let statuspage = Statuspage::open(&world.keeper, script, Fault::None).await;
    let mut command = world.command();
    command.env("STATUSPAGE_URL", &statuspage.api);
    let run = tests::prober::probe_with(command).await;
    let calls = statuspage.calls();
    assert!(calls[7].starts_with("POST"), "its answer was lost: {calls:#?}");
    assert_eq!(calls.iter().filter(|call| call.starts_with("POST")).count(), 1, "{calls:#?}");
    assert_eq!((run.code, world.incidents().await.len()), (Some(0), 1), "{:#}", run.report);
}

#[tokio::test]
async fn without_state_an_outage_still_has_its_incident_and_its_end() {
    let mut world = World::new().await;
    let probe = async |world: &World| {
        let mut command = world.command();
        command.env_remove("STATE_FILE");
        tests::prober::probe_with(command).await
    };
    world.cut().await;
    probe(&world).await;
    assert_eq!(world.keeper.status().await, "major_outage");
    assert_eq!(world.incidents().await.len(), 0, "the page says since when");
    // An incident that an earlier run opened.
    let noted = json!({"porchlight": {"outage_key": "k", "down_since": "2026-11-21T08:00:00Z", "cause": "refused"}});
    let opened = json!({"incident": {"name": "Home internet is not reachable", "status": "identified", "metadata": noted,
        "component_ids": [COMPONENT], "body": "Not reachable."}});
    world.keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(opened)).await;
    probe(&world).await;
    assert_eq!(world.incidents().await.len(), 1);
    world.restore();
    probe(&world).await;
    probe(&world).await;
    let incidents = world.incidents().await;
    assert_eq!(update_statuses(&incidents[0]), ["identified", "monitoring"], "it is not up for long enough");
    let Some(world) = world.with_an_older_page("the end without state", 130).await else { return };
    probe(&world).await;
    let incidents = world.incidents().await;
    assert_eq!(update_statuses(&incidents[0]), ["identified", "monitoring", "resolved"]);
}

#[tokio::test]
async fn without_state_an_outage_is_reported_once_the_page_has_said_so_for_long_enough_and_a_human_is_respected() {
    let mut world = World::new().await;
    world.cut().await;
    let probe = async |world: &World| {
        let mut command = world.command();
        command.env_remove("STATE_FILE");
        tests::prober::probe_with(command).await
    };
    probe(&world).await;
    assert_eq!(probe(&world).await.report["calls"], json!([]), "the page has not said so for long enough");
    let Some(world) = world.with_an_older_page("an outage without state", 300).await else { return };
    let opened = probe(&world).await;
    assert_eq!(opened.report["calls"][0]["call"], "open_incident", "{:#}", opened.report);
    let incident = world.incidents().await.remove(0);
    world.change_incident(&incident, json!({"status": "resolved", "body": "I know."})).await;
    for _ in 0..2 {
        let run = probe(&world).await;
        assert_eq!((run.report["calls"].clone(), run.code), (json!([]), Some(0)), "{:#}", run.report);
    }
}

#[tokio::test]
async fn an_outage_that_begins_while_the_record_still_describes_the_one_before_has_its_own_incident() {
    let mut world = World::new().await;
    world.cut().await;
    world.probe().await;
    world.later(300);
    world.probe().await;
    world.restore();
    world.probe().await;
    let record = std::fs::read(world.state()).expect("a state file");
    world.later(130);
    world.probe().await;
    assert_eq!(world.incidents().await[0]["status"], "resolved");
    // What the run wrote was lost.
    std::fs::write(world.state(), record).expect("it can be written");
    world.cut().await;
    world.probe().await;
    assert_eq!(world.incidents().await.len(), 1, "it may be over in a minute");
    let Some(world) = world.with_an_older_page("an outage after another", 300).await else { return };
    world.probe().await;
    let incidents = world.incidents().await;
    assert_eq!((incidents.len(), incidents[0]["status"].as_str()), (2, Some("identified")));
}

#[tokio::test]
async fn a_dry_run_lists_the_calls_that_it_would_make() {
    let mut world = World::new().await;
    world.cut().await;
    world.probe().await;
    world.later(300);
    let mut command = world.command();
    command.args(["--once", "--dry-run"]);
    let ended = tests::process::run(command, tests::prober::MAX_RUN).await;
    let expected = format!(
        "would call page {PAGE}: open an incident, set component {COMPONENT} to major_outage: Not reachable since"
    );
    assert!(ended.stdout.contains(&expected), "{}", ended.stdout);
    assert!(ended.stdout.contains("witness 127.") && ended.stdout.contains("reached in"), "{}", ended.stdout);
    assert_eq!(world.incidents().await.len(), 0);
}
