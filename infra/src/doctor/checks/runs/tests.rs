use serde_json::json;

use super::{super::super::finding::Outcome, *};

const ID: &str = "8kbf7d35c070";

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn log(age: i64, change: impl FnOnce(&mut Value)) -> Reply {
    let at = Timestamp::from_second(1_800_000_000 - age).unwrap().to_string();
    let mut report = json!({"event": "run", "at": at, "published": true, "dry_run": false, "targets": [
        {"component_id": ID, "verdict": "up", "cause": null, "outcome": "agrees"}]});
    change(&mut report);
    Reply::Is(
        json!({"events": [{"message": "START"}, {"message": report.to_string()}, {"message": "{\"event\":\"other\"}"}]}),
    )
}

fn found(reply: &Reply) -> Finding {
    last("f", reply, &runs(reply, now()), Some(ID), false)
}

#[test]
fn runs_are_well_late_missing_or_say_what_failed() {
    let well = found(&log(40, |_| ()));
    assert_eq!((well.outcome, well.saw.as_str()), (Outcome::Ok, "1 in 15 min, the last 40 s ago: up, the page agrees"));
    let target = |field: &'static str, value: Value| log(40, move |report| report["targets"][0][field] = value);
    for (reply, words) in [
        (log(400, |_| ()), "the last run was 6 min ago"),
        (Reply::Is(json!({"events": []})), "no run of the last 15 minutes"),
        (Reply::Refused { code: "ResourceNotFoundException".into(), words: String::new() }, "there is no log"),
        (log(40, |report| report["dry_run"] = json!(true)), "a dry run"),
        (log(40, |report| report["published"] = json!(false)), "could not update the page"),
        (target("outcome", json!("failed")), "could not update the page"),
        (target("state_error", json!("denied")), "could not keep its record: denied"),
        (target("component_id", json!("8kbf7d35c071")), "about other components than 8kbf7d35c070"),
    ] {
        let found = found(&reply);
        assert_eq!(found.outcome, Outcome::Failed, "{words}");
        assert!(found.saw.contains(words), "{words}: {}", found.saw);
    }
    assert_eq!(found(&Reply::Silent("timeout".into())).outcome, Outcome::NotConclusive);
    assert_eq!(
        found(&Reply::Refused { code: "AccessDeniedException".into(), words: String::new() }).outcome,
        Outcome::NotConclusive
    );
    assert_eq!(found(&Reply::Refused { code: "Other".into(), words: String::new() }).outcome, Outcome::NotConclusive);
    assert_eq!(found(&Reply::NotAsked("no aws".into())).outcome, Outcome::NotUsed);
}

#[test]
fn another_homes_run_and_one_by_hand_are_not_ours() {
    let all = |logs: &[Reply]| {
        let events: Vec<Value> =
            logs.iter().flat_map(|log| log.value()["events"].as_array().cloned().unwrap()).collect();
        found(&Reply::Is(json!({"events": events})))
    };
    let other = log(10, |report| report["targets"][0]["component_id"] = json!("9lcg8e46d181"));
    let by_hand = log(5, |report| report["dry_run"] = json!(true));
    let well = all(&[other.clone(), by_hand.clone(), log(40, |_| ())]);
    assert_eq!(well.outcome, Outcome::Ok, "{}", well.saw);
    assert!(well.saw.contains("the last 40 s ago"), "{}", well.saw);
    let stopped = all(&[other.clone(), by_hand, log(400, |_| ())]);
    assert_eq!(stopped.saw, "the last run was 6 min ago");
    assert!(all(&[other]).saw.contains("about other components"));
}

#[test]
fn what_a_run_saw_is_what_the_world_sees() {
    let reply = log(40, |report| report["targets"][0]["verdict"] = json!("down"));
    assert_eq!(runs(&reply, now())[0].look(Some(ID)), None, "down without a cause is no verdict");
    let reply = log(40, |report| {
        report["targets"][0]["verdict"] = json!("down");
        report["targets"][0]["cause"] = json!("refused");
    });
    let about = |url: &str| {
        let reply = log(40, |report| report["targets"][0]["url"] = json!(url));
        runs(&reply, now())[0].is_about(Some(ID), Some("http://h:1"))
    };
    assert!(about("http://h:1/") && !about("http://other:1/"));
    let look = runs(&reply, now())[0].look(Some(ID)).unwrap();
    assert_eq!((look.age, look.verdict.cause()), (40, Some("refused")));
}

#[test]
fn a_function_that_was_run_for_this_says_what_it_saw_or_why_that_is_not_known() {
    let reply = |change: &dyn Fn(&mut Value)| {
        let mut report = json!({"dry_run": true, "targets": [{"component_id": ID, "verdict": "up", "cause": null}]});
        change(&mut report);
        probed(&Reply::Is(report), Some(ID))
    };
    let look = reply(&|_| ()).unwrap().unwrap();
    assert_eq!((look.age, look.verdict), (0, Verdict::Up));
    for (change, words) in [
        (&(|it: &mut Value| *it = json!({"errorMessage": "no key"})) as &dyn Fn(&mut Value), "it failed: no key"),
        (&|it: &mut Value| it["targets"][0]["component_id"] = json!("8kbf7d35c071"), "other homes"),
        (&|it: &mut Value| it["targets"][0]["verdict"] = json!("fine"), "no verdict"),
        (&|it: &mut Value| *it = json!(null), "other homes"),
    ] {
        assert!(reply(change).unwrap().unwrap_err().contains(words), "{words}");
    }
    let refused = Reply::Refused { code: "AccessDeniedException".into(), words: "not authorized".into() };
    assert_eq!(probed(&refused, Some(ID)), Some(Err("not authorized".into())));
    assert_eq!(probed(&Reply::NotAsked("--no-aws".into()), Some(ID)), None);
}

#[test]
fn where_somebody_looks_all_the_same_another_function_may_be_meant() {
    for reply in [
        Reply::Is(json!({"events": []})),
        log(400, |_| ()),
        Reply::Refused { code: "ResourceNotFoundException".into(), words: String::new() },
    ] {
        assert_eq!(last("f", &reply, &runs(&reply, now()), Some(ID), true).outcome, Outcome::NotConclusive);
    }
}

#[test]
fn a_run_goes_well_where_it_has_just_updated_the_page() {
    let well = |reply: &Reply| went_well(&runs(reply, now()), Some(ID));
    assert_eq!(well(&log(40, |_| ())), Some(40));
    for reply in [
        log(400, |_| ()),
        log(40, |report| report["published"] = json!(false)),
        log(40, |report| report["targets"][0]["outcome"] = json!("failed")),
        log(40, |report| report["dry_run"] = json!(true)),
        log(40, |report| report["targets"][0]["component_id"] = json!("8kbf7d35c071")),
    ] {
        assert_eq!(well(&reply), None, "{reply:?}");
    }
}
