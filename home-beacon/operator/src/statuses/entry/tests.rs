//! What is told, and when.

use std::sync::Arc;

use checks::{
    cause::Cause,
    check::{Check, PassiveCheck},
    file::checks_yml,
    outcome::Outcome,
    thresholds::Standing,
};
use shared::{secret::SecretSource, wrong_setting::WrongSetting};

use super::*;
use crate::objects::{Key, ObjectKind};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000 + second).unwrap()
}

fn object(status: Value) -> Object {
    let key = Key { kind: ObjectKind::Check, namespace: "checks".into(), name: "nas".into() };
    Object { key, uid: "one".into(), generation: 1, created: None, spec: Value::Null, status }
}

fn check() -> Check {
    let item = json!({"name": "nas", "every": "1m", "tcp": {"host": "nas.lan", "port": 22}});
    checks_yml::one(item, &checks::file::ThisMachine).unwrap().check
}

fn resolved(check: Check) -> Resolved {
    Resolved { check, script: None, channels: Vec::new(), notes: Vec::new() }
}

fn run(second: i64, outcome: Outcome) -> Finished {
    let (check, next) = (Arc::new(check()), Some(at(second + 60)));
    Finished { check, at: at(second), outcome, standing: Standing::default(), next, has_turned: false }
}

/// One that runs, and has been told so.
fn reported() -> Entry {
    let mut entry = Entry::new(&object(Value::Null), at(0));
    entry.resolved(1, Ok(Some(&resolved(check()))), at(0));
    let status = entry.due(at(0)).unwrap();
    entry.reported(status, true, at(0));
    entry
}

fn of<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array().unwrap();
    conditions.iter().find(|it| it["type"] == kind).unwrap_or(&Value::Null)
}

#[test]
fn what_changes_is_told_at_once_and_that_it_still_runs_once_in_five_minutes() {
    let mut entry = reported();
    assert_eq!(entry.due(at(1)), None);
    let mut written = Vec::new();
    for minute in 0..11 {
        let now = 60 * minute + 2;
        entry.ran(&run(now, Outcome::ok(format!("run {minute}"))));
        if let Some(status) = entry.due(at(now + 1)) {
            written.push((minute, status["text"].clone()));
            entry.reported(status, true, at(now + 1));
        }
    }
    assert_eq!(written, [(0, json!("run 0")), (5, json!("run 5")), (10, json!("run 10"))]);
    entry.ran(&run(700, Outcome::because(Cause::Refused, "closed")));
    let status = entry.due(at(701)).unwrap();
    assert_eq!((&status["outcome"], &status["text"]), (&json!("critical"), &json!("closed")));
    assert_eq!(status["nextRunTime"], json!(seconds(at(760))));
}

#[test]
fn an_object_that_turns_wrong_loses_no_outcome_and_says_that_it_does_not_run() {
    let mut entry = reported();
    entry.ran(&run(10, Outcome::ok("fine")));
    let said = Said { reason: "InvalidSpec", message: "tcp.prot: no key".into() };
    entry.resolved(2, Err(&said), at(100));
    let status = entry.due(at(100)).unwrap();
    let ready = of(&status, "Ready");
    assert_eq!((&ready["status"], &ready["message"]), (&json!("False"), &json!("tcp.prot: no key")));
    assert_eq!(
        (&status["outcome"], &status["lastRunTime"], &status["nextRunTime"]),
        (&json!("ok"), &json!(seconds(at(10))), &Value::Null)
    );
    entry.reported(status, true, at(100));
    assert_eq!(entry.due(at(10_000)), None, "and is not called stale, nor told the same again");
    // Mended, with another interval: when it runs is known when it has run.
    entry.resolved(3, Ok(Some(&resolved(check()))), at(200));
    let status = entry.due(at(200)).unwrap();
    assert_eq!((&of(&status, "Ready")["status"], &status["nextRunTime"]), (&json!("True"), &Value::Null));
}

#[test]
fn a_program_that_begins_anew_writes_nothing_that_is_there_already() {
    let mut before = reported();
    before.ran(&run(10, Outcome::ok("fine")));
    let status = before.due(at(11)).unwrap();
    let mut entry = Entry::new(&object(status.clone()), at(20));
    entry.resolved(1, Ok(Some(&resolved(check()))), at(20));
    assert_eq!(entry.due(at(20)), None);
    entry.ran(&run(70, Outcome::ok("fine")));
    assert_eq!(entry.due(at(71)), None);
    assert!(entry.due(at(331)).is_some());
    // Since when it has been so is not forgotten.
    entry.ran(&run(400, Outcome::because(Cause::Refused, "closed")));
    let after = entry.due(at(400)).unwrap();
    assert_eq!(of(&after, "Ready")["lastTransitionTime"], of(&status, "Ready")["lastTransitionTime"]);
}

#[test]
fn a_check_without_an_outcome_for_three_intervals_is_stale_until_one_comes() {
    let mut entry = reported();
    assert_eq!(entry.due(at(180)), None);
    let status = entry.due(at(181)).unwrap();
    assert_eq!(
        (&of(&status, "Stale")["status"], &of(&status, "Stale")["reason"]),
        (&json!("True"), &json!("NoOutcome"))
    );
    entry.reported(status, true, at(181));
    assert_eq!(entry.due(at(200)), None);
    entry.ran(&run(190, Outcome::ok("fine")));
    let status = entry.due(at(201)).unwrap();
    assert_eq!(of(&status, "Stale"), &Value::Null);
}

#[test]
fn a_check_that_is_unknown_for_three_intervals_is_stale_with_why_and_a_new_program_does_not_forget_it() {
    let unknown = |second: i64| {
        let text = format!("no node takes its pod: 0/{second} nodes");
        run(second, Outcome::because(Cause::NotStarted, text))
    };
    let mut entry = reported();
    for second in [10, 70, 130] {
        entry.ran(&unknown(second));
    }
    let status = entry.due(at(150)).unwrap();
    assert_eq!((&status["outcome"], of(&status, "Stale")), (&json!("unknown"), &Value::Null));
    entry.reported(status, true, at(150));
    let status = entry.due(at(181)).unwrap();
    let stale = of(&status, "Stale").clone();
    assert_eq!(stale["reason"], "Unknown");
    assert!(stale["message"].as_str().unwrap().ends_with("the newest said: no node takes its pod: 0/130 nodes"));
    entry.reported(status.clone(), true, at(181));
    // Other words of the same are no news.
    entry.ran(&unknown(190));
    assert_eq!(entry.due(at(191)), None);
    let mut anew = Entry::new(&object(status), at(200));
    anew.resolved(1, Ok(Some(&resolved(check()))), at(200));
    assert_eq!(anew.due(at(201)), None);
    // What depends on what is down is told by that.
    anew.ran(&run(250, Outcome::because(Cause::Dependency, "router is down")));
    assert_eq!(of(&anew.due(at(251)).unwrap(), "Stale"), &Value::Null);
}

#[test]
fn a_mute_is_shown_while_it_lasts() {
    let mut entry = reported();
    entry.muted(Some(at(3600)));
    let status = entry.due(at(1)).unwrap();
    assert_eq!(status["mutedUntil"], json!(seconds(at(3600))));
    entry.reported(status.clone(), true, at(1));
    entry.muted(Some(at(3600)));
    assert_eq!(entry.due(at(2)), None);
    // A program that begins anew does not take it away until the keeper says so.
    let mut anew = Entry::new(&object(status), at(10));
    anew.resolved(1, Ok(Some(&resolved(check()))), at(10));
    assert_eq!(anew.due(at(11)), None);
    anew.muted(None);
    assert_eq!(anew.due(at(12)).unwrap()["mutedUntil"], Value::Null);
}

#[test]
fn a_passive_check_is_not_said_to_run_and_what_the_keeper_refuses_is_said() {
    let mut passive = check();
    let why = WrongSetting("none".into());
    let secret = SecretSource::Missing { name: "nas".into(), why };
    passive.kind =
        Kind::Passive(PassiveCheck { period: Duration::from_secs(60), grace: Duration::from_secs(60), secret });
    let mut entry = Entry::new(&object(Value::Null), at(0));
    entry.resolved(1, Ok(Some(&resolved(passive))), at(0));
    entry.refused(Some("nas: the program checks has a check of this name: give it another one"));
    let status = entry.due(at(1_000)).unwrap();
    assert_eq!((&of(&status, "Ready")["reason"], &of(&status, "Stale")["status"]), (&json!("Waits"), &Value::Null));
    assert_eq!(of(&status, "Registered")["status"], "False");
    entry.reported(status, true, at(1_000));
    entry.refused(None);
    assert_eq!(of(&entry.due(at(1_001)).unwrap(), "Registered"), &Value::Null);
}

#[test]
fn a_write_that_failed_is_tried_again_and_not_at_once() {
    let mut entry = reported();
    entry.ran(&run(10, Outcome::ok("fine")));
    let status = entry.due(at(11)).unwrap();
    entry.reported(status.clone(), false, at(12));
    assert_eq!(entry.due(at(13)), None);
    assert_eq!(entry.due(at(22)), Some(status));
}
