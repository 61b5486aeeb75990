//! Maintenance that begins and ends by itself: in time, over a restart, and by a clock that jumps.

use std::{fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    keeper::{COMPONENT, Keeper},
    skip::{libfaketime, skip},
};
use tokio::process::Command;

use super::{comes_to, path, public, refused};

fn plan(begin: Timestamp, end: Timestamp) -> Value {
    json!({"incident": {
        "name": "New router", "scheduled_for": begin.to_string(), "scheduled_until": end.to_string(),
        "component_ids": [COMPONENT], "scheduled_auto_in_progress": true, "scheduled_auto_completed": true,
        "auto_transition_to_maintenance_state": true, "auto_transition_to_operational_state": true,
        "scheduled_remind_prior": true,
    }})
}

async fn planned(keeper: &Keeper, begin: Timestamp, end: Timestamp) -> String {
    let made = keeper.ok(Method::POST, &path("incidents"), Some(plan(begin, end))).await;
    assert_eq!((&made["status"], &made["scheduled_auto_in_progress"]), (&json!("scheduled"), &json!(true)), "{made}");
    assert_eq!((&made["scheduled_remind_prior"], &made["scheduled_reminded_at"]), (&json!(true), &Value::Null));
    made["id"].as_str().expect("an id").to_owned()
}

fn in_seconds(seconds: i64) -> Timestamp {
    // As the API writes it, to the millisecond.
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_millisecond(at.as_millisecond()).expect("a time")
}

fn time(value: &Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("a time")
}

#[tokio::test]
async fn a_maintenance_begins_and_ends_by_itself_to_the_second() {
    let keeper = Keeper::start().await;
    let (begin, end) = (in_seconds(1), in_seconds(3));
    let id = planned(&keeper, begin, end).await;
    let started = comes_to(&keeper, &id, "in_progress").await;
    assert_eq!(time(&started["incident_updates"][0]["display_at"]), begin);
    let late = time(&started["incident_updates"][0]["created_at"]).duration_since(begin);
    assert!(late < SignedDuration::from_secs(2), "{late}");
    assert_eq!(keeper.status().await, "under_maintenance");
    let active = public(&keeper, "scheduled-maintenances/active").await;
    assert_eq!(active["scheduled_maintenances"][0]["id"], json!(id));
    assert!(keeper.page().await.contains("Maintenance under way"));

    let ended = comes_to(&keeper, &id, "completed").await;
    assert_eq!(time(&ended["resolved_at"]), end);
    assert_eq!(keeper.status().await, "operational");
    assert_eq!(ended["incident_updates"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn an_earlier_time_and_another_mind_are_heard_at_once() {
    let keeper = Keeper::start().await;
    let id = planned(&keeper, in_seconds(3600), in_seconds(7200)).await;
    let one = path(&format!("incidents/{id}"));
    let earlier = json!({"incident": {"scheduled_for": in_seconds(-1).to_string(), "scheduled_auto_completed": false}});
    keeper.ok(Method::PATCH, &one, Some(earlier)).await;
    comes_to(&keeper, &id, "in_progress").await;
    let changed =
        keeper.ok(Method::PATCH, &one, Some(json!({"incident": {"scheduled_until": in_seconds(0).to_string()}}))).await;
    assert_eq!(changed["status"], "in_progress");
    let ends = json!({"incident": {"scheduled_auto_completed": true}});
    keeper.ok(Method::PATCH, &one, Some(ends)).await;
    comes_to(&keeper, &id, "completed").await;
}

/// A clock that shows so many seconds more than it should, from now on.
fn is_off_by(clock: &Path, seconds: i64) {
    let new = clock.with_extension("new");
    fs::write(&new, format!("{seconds:+}\n")).expect("it can be written");
    fs::rename(new, clock).expect("it can be written");
}

#[tokio::test]
async fn what_fell_due_while_the_keeper_was_off_is_done_at_its_start_and_dated_when_it_was_due() {
    let Some(libfaketime) = libfaketime() else {
        return skip("maintenance over a restart", "libfaketime is missing; tests/run installs it");
    };
    let files = tempfile::tempdir().expect("a folder");
    let clock = files.path().join("clock");
    is_off_by(&clock, 0);
    let by_the_clock = |command: &mut Command| {
        command.env("LD_PRELOAD", &libfaketime).env("FAKETIME_TIMESTAMP_FILE", &clock);
        command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
    };
    let keeper = Keeper::start_with(by_the_clock).await;
    let (begin, end) = (in_seconds(600), in_seconds(1200));
    let id = planned(&keeper, begin, end).await;
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;

    is_off_by(&clock, 900);
    let keeper = Keeper::restart_with(folder, by_the_clock).await;
    let started = comes_to(&keeper, &id, "in_progress").await;
    assert_eq!(time(&started["incident_updates"][0]["display_at"]), begin);
    assert!(time(&started["incident_updates"][0]["created_at"]) > begin + SignedDuration::from_secs(290));
    assert_eq!(keeper.status().await, "under_maintenance");
    // Somebody takes it for down, whatever the plan was.
    keeper.set_status("major_outage").await;
    let Keeper { process, folder, .. } = keeper;
    process.terminate().await;

    is_off_by(&clock, 90_000);
    let keeper = Keeper::restart_with(folder, by_the_clock).await;
    let ended = comes_to(&keeper, &id, "completed").await;
    assert_eq!((time(&ended["resolved_at"]), ended["incident_updates"].as_array().map(Vec::len)), (end, Some(3)));
    assert_eq!(ended["incident_updates"][0]["affected_components"], Value::Null);
    assert_eq!(keeper.status().await, "major_outage");
    // Once: a clock that goes back repeats nothing.
    is_off_by(&clock, 700);
    let untouched = keeper.ok(Method::GET, &path(&format!("incidents/{id}")), None).await;
    assert_eq!(untouched["incident_updates"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn what_is_wrong_with_a_plan_is_said_in_a_sentence() {
    let keeper = Keeper::start().await;
    let incident = |fields: Value| {
        let mut incident = json!({"name": "x"});
        incident.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        Some(json!({"incident": incident}))
    };
    let begin = "2099-01-01T10:00:00Z";
    for (fields, words) in [
        (
            json!({"scheduled_auto_completed": true}),
            "scheduled_auto_completed: is of a maintenance: send scheduled_for, too",
        ),
        (json!({"scheduled_remind_prior": true}), "scheduled_remind_prior: is of a maintenance"),
        (
            json!({"scheduled_for": begin, "scheduled_auto_completed": true}),
            "scheduled_auto_completed: it is not known when it ends by itself: send scheduled_until, too",
        ),
        (
            json!({"scheduled_for": begin, "scheduled_auto_in_progress": true, "scheduled_auto_transition": false}),
            "scheduled_auto_transition: is another name of scheduled_auto_in_progress: send one of them",
        ),
        (json!({"scheduled_for": begin, "scheduled_auto_in_progress": "soon"}), "must be true or false"),
        (
            json!({"scheduled_for": begin, "scheduled_until": begin}),
            "scheduled_until: must be later than scheduled_for",
        ),
    ] {
        let (status, said) = refused(&keeper, Method::POST, "incidents", incident(fields.clone())).await;
        assert_eq!((status, said.contains(words)), (422, true), "{fields}: {said}");
    }
    let id = planned(&keeper, in_seconds(3600), in_seconds(7200)).await;
    let (status, said) = refused(
        &keeper,
        Method::PATCH,
        &format!("incidents/{id}"),
        Some(json!({"incident": {"scheduled_until": null}})),
    )
    .await;
    assert_eq!((status, said.contains("send scheduled_until, too")), (422, true), "{said}");
    assert_eq!(keeper.ok(Method::GET, &path("incidents"), None).await.as_array().map(Vec::len), Some(1));
}
