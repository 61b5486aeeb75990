use serde_json::json;

use super::super::super::reply::fixtures::silent;
use super::{
    super::{
        super::finding::Outcome,
        homes::tests::{CABIN, of_cabin},
    },
    *,
};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:1:function:f";
const MINUTE: &str = "rate(1 minute)";

fn rules(state: &str, rate: &str) -> Reply {
    Reply::Is(json!({"Rules": [{"Name": "r", "State": state, "ScheduleExpression": rate}, {"Name": "other"}]}))
}

fn scheduler(change: impl FnOnce(&mut Value)) -> Reply {
    let mut one = json!({"Name": "s", "State": "ENABLED", "ScheduleExpression": MINUTE, "Target": {"Arn": FUNCTION}});
    change(&mut one);
    Reply::Is(json!({ "Schedules": [one] }))
}

fn judged(rules: &Reply, names: &Value, schedules: &Reply, ran: bool, looks: bool) -> Finding {
    let names = Reply::Is(json!({ "RuleNames": names }));
    let all = triggers(rules, &names, schedules, "f", Whose::default(), OfOwn::Unclear);
    schedule(&all, &[rules, schedules], ran, looks, Timestamp::UNIX_EPOCH)
}

fn found(rules: &Reply, names: &Value, schedules: &Reply) -> Finding {
    judged(rules, names, schedules, false, false)
}

fn nothing() -> Reply {
    Reply::Is(json!({"Schedules": []}))
}

#[test]
fn a_rule_or_a_schedule_runs_it_is_disabled_or_there_is_none() {
    let (named, of_none, on) = (json!(["r"]), json!([]), rules("ENABLED", MINUTE));
    let by_rule = found(&on, &named, &nothing());
    assert_eq!((by_rule.outcome, by_rule.saw.as_str()), (Outcome::Ok, "the rule r, rate(1 minute)"));
    let off = found(&rules("DISABLED", MINUTE), &named, &nothing());
    assert_eq!(off.outcome, Outcome::Failed);
    assert_eq!(
        off.next.as_deref(),
        Some("aws events put-rule --name r --schedule-expression 'rate(1 minute)' --state ENABLED")
    );
    assert_eq!(found(&on, &of_none, &scheduler(|_| ())).saw, "the schedule s, rate(1 minute)");
    let at = |arn: String| scheduler(move |it| it["Target"]["Arn"] = json!(arn));
    assert_eq!(found(&on, &of_none, &at(format!("{FUNCTION}:live"))).outcome, Outcome::Ok);
    assert_eq!(found(&on, &of_none, &scheduler(|it| it["State"] = json!("DISABLED"))).outcome, Outcome::Failed);
    let other = found(&on, &of_none, &at(format!("{FUNCTION}2")));
    assert!(other.saw.contains("no rule and no schedule"), "{}", other.saw);
    assert!(found(&on, &named, &scheduler(|_| ())).saw.contains("more than once a minute"));
    assert_eq!(found(&on, &of_none, &silent()).outcome, Outcome::NotConclusive);
    assert_eq!(found(&silent(), &of_none, &nothing()).outcome, Outcome::NotConclusive);
    assert_eq!(found(&Reply::NotAsked("no aws".into()), &of_none, &nothing()).outcome, Outcome::NotUsed);
    assert_eq!(judged(&on, &of_none, &nothing(), true, false).outcome, Outcome::NotConclusive);
}

#[test]
fn anything_else_than_a_minute_is_named() {
    let (named, of_none) = (json!(["r"]), json!([]));
    for rare in ["rate(1 hour)", "rate(5 minutes)", "cron(0 * * * ? *)", "at(2026-01-01T00:00:00)"] {
        let rule = found(&rules("ENABLED", rare), &named, &nothing());
        assert_eq!(rule.outcome, Outcome::Failed, "{rare}");
        assert!(rule.saw.contains(rare) && rule.next.unwrap().contains("'rate(1 minute)'"), "{}", rule.saw);
        let by = found(&nothing(), &of_none, &scheduler(|it| it["ScheduleExpression"] = json!(rare)));
        assert_eq!(by.outcome, Outcome::Failed, "{rare}");
        assert!(by.next.unwrap().contains("Trigger=rule, then the same with Trigger=scheduler"));
    }
    for minute in EACH_MINUTE {
        assert_eq!(found(&rules("ENABLED", minute), &named, &nothing()).outcome, Outcome::Ok, "{minute}");
    }
    // One of two is enough, and what is not told is not known.
    let hourly = rules("ENABLED", "rate(1 hour)");
    assert_eq!(found(&hourly, &named, &scheduler(|_| ())).outcome, Outcome::Ok);
    let untold = || scheduler(|it| it["ScheduleExpression"] = json!(null));
    assert_eq!(found(&nothing(), &of_none, &untold()).outcome, Outcome::NotConclusive);
    assert_eq!(found(&hourly, &named, &untold()).outcome, Outcome::NotConclusive);
    assert_eq!(judged(&nothing(), &of_none, &untold(), true, false).outcome, Outcome::Ok);
}

#[test]
fn another_homes_schedule_is_not_this_ones() {
    let both = |change: &dyn Fn(&mut Value, &mut Value)| {
        let Reply::Is(mut first) = scheduler(|it| it["Name"] = json!("porchlight-schedule-Schedule-9")) else {
            panic!()
        };
        let mut cabin = of_cabin();
        change(&mut first["Schedules"][0], &mut cabin);
        Reply::Is(json!({"Schedules": [first["Schedules"][0], cabin]}))
    };
    let off = |it: &mut Value| it["State"] = json!("DISABLED");
    let seen = |schedules: &Reply, component: &str, own: OfOwn| {
        let whose = Whose { component: Some(component), ..Whose::default() };
        let all = triggers(&nothing(), &nothing(), schedules, "f", whose, own);
        schedule(&all, &[schedules], false, false, Timestamp::UNIX_EPOCH)
    };
    let (first, cabin) = (("8kbf7d35c070", OfOwn::This), (CABIN, OfOwn::Others));
    for (home, own) in [first, cabin] {
        let found = seen(&both(&|_, _| ()), home, own);
        assert_eq!((found.outcome, found.saw.contains(" and ")), (Outcome::Ok, false), "{}", found.saw);
    }
    let dead = seen(&both(&|it, _| off(it)), first.0, first.1);
    assert_eq!(dead.outcome, Outcome::Failed);
    assert!(dead.saw.contains("porchlight-schedule-Schedule-9, rate(1 minute) is disabled"), "{}", dead.saw);
    assert!(dead.next.unwrap().contains("--stack-name porchlight-schedule --"));
    let dead = seen(&both(&|_, it| off(it)), cabin.0, cabin.1);
    assert_eq!(dead.outcome, Outcome::Failed);
    assert!(dead.next.unwrap().contains("--stack-name porchlight-home-mycabin --"));
    assert_eq!(seen(&both(&|it, _| off(it)), cabin.0, cabin.1).outcome, Outcome::Ok);
    let gone = seen(&scheduler(|_| ()), cabin.0, cabin.1);
    assert_eq!((gone.outcome, gone.saw.contains("for this home: s is for others")), (Outcome::Failed, true));
    assert!(gone.next.unwrap().contains("More homes"), "the first home's stack is not to be deployed anew");
    // Whose the other one is was not told.
    let untold = both(&|it, cabin| {
        off(it);
        cabin["ScheduleExpression"] = json!(null);
    });
    assert_eq!(seen(&untold, first.0, first.1).outcome, Outcome::NotConclusive);
}

#[test]
fn each_target_of_a_rule_counts() {
    // As the rules are once each target was asked for.
    let with = |input: Value| json!({"Name": "r", "State": "ENABLED", "ScheduleExpression": MINUTE, "Target": {"Arn": FUNCTION, "Input": input}});
    let input = || of_cabin()["Target"]["Input"].clone();
    let seen = |targets: [Value; 2], component: &str, own: OfOwn| {
        let rules = Reply::Is(json!({"Rules": targets}));
        let whose = Whose { component: Some(component), ..Whose::default() };
        let names = Reply::Is(json!({"RuleNames": ["r"]}));
        let all = triggers(&rules, &names, &nothing(), "f", whose, own);
        schedule(&all, &[&rules], false, false, Timestamp::UNIX_EPOCH)
    };
    // A rule that looks at both homes looks at each, whichever of them it names first.
    for targets in [[with(json!(null)), with(input())], [with(input()), with(json!(null))]] {
        for (home, own) in [("8kbf7d35c070", OfOwn::This), (CABIN, OfOwn::Others)] {
            let found = seen(targets.clone(), home, own);
            assert_eq!((found.outcome, found.saw.as_str()), (Outcome::Ok, "the rule r, rate(1 minute)"), "{home}");
        }
    }
    let twice = seen([with(input()), with(input())], CABIN, OfOwn::Others);
    assert_eq!(
        twice.saw,
        "the rule r, rate(1 minute), with 2 targets at the function: the function may run more than once a minute"
    );
    let gone = seen([with(input()), with(input())], "8kbf7d35c070", OfOwn::Others);
    assert!(gone.outcome == Outcome::Failed && gone.saw.ends_with("for this home: r is for others"), "{}", gone.saw);
}

#[test]
fn a_schedule_has_ended_or_not_begun() {
    let with = |field: &'static str, at: &'static str| scheduler(move |it| it[field] = json!(at));
    for (reply, words) in [
        (with("EndDate", "1969-12-31T00:00:00+00:00"), "has come to its end"),
        (with("StartDate", "1970-01-02T00:00:00+00:00"), "has not begun yet"),
    ] {
        let found = found(&nothing(), &json!([]), &reply);
        assert_eq!((found.outcome, found.saw.contains(words)), (Outcome::Failed, true), "{}", found.saw);
    }
    assert_eq!(found(&nothing(), &json!([]), &with("EndDate", "1970-01-02T00:00:00Z")).outcome, Outcome::Ok);
}

#[test]
fn where_somebody_looks_all_the_same_another_function_may_be_meant() {
    for (names, rule) in [(json!([]), rules("ENABLED", MINUTE)), (json!(["r"]), rules("DISABLED", MINUTE))] {
        let found = judged(&rule, &names, &nothing(), false, true);
        assert_eq!(found.outcome, Outcome::NotConclusive);
        assert!(found.next.unwrap().contains("another account or region"));
    }
}
