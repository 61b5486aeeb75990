use serde_json::json;

use super::super::super::reply::fixtures::refused;
use super::{
    super::{
        super::{finding::Outcome, given::Given},
        homes::{
            Whose,
            tests::{CABIN, of_cabin},
        },
    },
    *,
};

fn wanted() -> Wanted {
    let mut given = Given::default();
    given.set("CANARY_URL", "http://h:30008", "test");
    given.set("PAGE_ID", "gytm4qzbx9t6", "test");
    Wanted::of(&mut given)
}

fn configuration(change: impl FnOnce(&mut Value)) -> Reply {
    let mut is = json!({"State": "Active", "Timeout": 55, "MemorySize": 128, "Environment": {"Variables": {
        "CANARY_URL": "http://h:30008/", "PAGE_ID": "gytm4qzbx9t6",
        "STATUSPAGE_TOKEN_PARAMETER": "/porchlight/statuspage-token"}}});
    change(&mut is);
    Reply::Is(is)
}

fn seen(reply: &Reply, knows_it: bool, ours: &[Ours], traces: &[&'static str]) -> Finding {
    let lacks_function = reply.is_refused(&["ResourceNotFoundException"]);
    let account = Some("123456789012".to_owned());
    let place = Place { account, traces: traces.to_vec(), lacks_function, ..Place::default() };
    function("f", reply, &wanted(), Around { place: &place, knows_it, own: OfOwn::Unclear, input: None, ours })
}

fn set(name: &'static str, value: Value) -> Reply {
    configuration(move |is| is["Environment"]["Variables"][name] = value)
}

#[test]
fn a_function_is_as_deployed_or_what_is_not_is_named() {
    let found = |reply: &Reply| seen(reply, false, &[], &[]);
    assert_eq!(found(&configuration(|_| ())).outcome, Outcome::Ok);
    for same in ["HTTP://H:30008", "http://h:30008", "http://h.:30008/"] {
        assert_eq!(found(&set("CANARY_URL", json!(same))).outcome, Outcome::Ok, "{same}");
    }
    for (reply, words) in [
        (configuration(|is| is["State"] = json!("Failed")), "it was not deployed"),
        (configuration(|is| is["State"] = json!("Inactive")), "inactive"),
        (configuration(|is| is["ReservedConcurrentExecutions"] = json!(0)), "its reserved concurrency is 0"),
        (configuration(|is| is["Timeout"] = json!(3)), "its timeout of 3 s"),
        (set("TOKEN", json!("secret")), "TOKEN is a plain variable"),
        (set("STATUSPAGE_TOKEN_PARAMETER", json!(null)), "has no token"),
        (set("CANARY_URL", json!(null)), "no home is named"),
        (
            set("CANARY_URL", json!("http://other:1")),
            "its CANARY_URL is http://other:1, and here it is http://h:30008/",
        ),
        (set("PAGE_ID", json!("gytm4qzbx9t7")), "its PAGE_ID is"),
    ] {
        let found = found(&reply);
        assert_eq!(found.outcome, Outcome::Failed, "{words}");
        assert!(found.saw.contains(words), "{words}: {}", found.saw);
    }
    assert_eq!(seen(&set("CANARY_URL", json!(null)), true, &[], &[]).outcome, Outcome::Ok, "its input names it");
    assert_eq!(found(&Reply::Silent("timeout".into())).outcome, Outcome::NotConclusive);
    for code in ["AccessDeniedException", "ValidationException"] {
        assert_eq!(found(&refused(code)).outcome, Outcome::NotConclusive, "{code}");
    }
    assert_eq!(found(&Reply::NotAsked("no aws".into())).outcome, Outcome::NotUsed);
}

#[test]
fn a_function_that_is_another_homes_is_not_taken_from_it() {
    let first = configuration(|is| {
        is["Environment"]["Variables"]["COMPONENT_ID"] = json!("8kbf7d35c070");
    });
    let seen = |home: &str, input: Option<&Target>, own: OfOwn, ours: &[Ours]| {
        let mut given = Given::default();
        for (name, text) in [("CANARY_URL", home), ("PAGE_ID", "gytm4qzbx9t6"), ("COMPONENT_ID", CABIN)] {
            given.set(name, text, "test");
        }
        let around = Around { place: &Place::default(), knows_it: false, own, input, ours };
        function("f", &first, &Wanted::of(&mut given), around)
    };
    let cabin = "http://mycabin.duckdns.org:30008";
    let schedules = Reply::Is(json!({"Schedules": [of_cabin()]}));
    let input =
        Whose { component: Some(CABIN), ..Whose::default() }.in_inputs(&schedules, &Reply::Is(json!(null)), "f");
    assert_eq!(seen(cabin, input.as_ref(), OfOwn::Others, &[]).outcome, Outcome::Ok);
    let unnamed = seen(cabin, None, OfOwn::Others, &[]);
    assert_eq!(unnamed.outcome, Outcome::NotConclusive);
    assert!(unnamed.saw.contains("another home, http://h:30008/"), "{}", unnamed.saw);
    let moved = seen("http://elsewhere.example", input.as_ref(), OfOwn::Others, &[]);
    assert_eq!((moved.outcome, moved.saw.contains("has this component at")), (Outcome::Failed, true));
    let ours = Ours { name: "INCIDENT_AFTER".into(), text: "5m".into(), file: "prober.env".into() };
    let drifted = seen(cabin, input.as_ref(), OfOwn::Others, &[ours]);
    let same_component = seen(cabin, None, OfOwn::Unclear, &[]);
    assert_eq!(same_component.outcome, Outcome::Failed);
    for found in [unnamed, moved, drifted, same_component] {
        assert!(found.next.as_ref().is_none_or(|next| !next.contains("deploy")), "{found:?}");
    }
}

#[test]
fn a_function_that_is_not_there_may_be_elsewhere_unless_something_of_it_is_there() {
    let gone = refused("ResourceNotFoundException");
    let elsewhere = seen(&gone, false, &[], &[]);
    assert_eq!(elsewhere.outcome, Outcome::NotConclusive);
    assert!(elsewhere.saw.starts_with("there is no function f in account 123456789012"), "{}", elsewhere.saw);
    assert!(elsewhere.next.unwrap().contains("AWS_REGION=… porchlight doctor"));
    let deleted = seen(&gone, false, &[], &["its parameters"]);
    assert_eq!((deleted.outcome, deleted.saw.contains("where its parameters can be found")), (Outcome::Failed, true));
}

#[test]
fn a_setting_that_was_changed_by_hand_is_named_with_both_values_and_the_command() {
    let ours = Ours { name: "INCIDENT_AFTER".into(), text: "5m".into(), file: "/etc/porchlight/prober.env".into() };
    let found = seen(&set("INCIDENT_AFTER", json!("10m")), false, &[ours], &[]);
    assert_eq!(found.outcome, Outcome::NotConclusive, "it works, only otherwise");
    assert!(found.saw.contains("its INCIDENT_AFTER is 10m, and in"), "{}", found.saw);
    assert!(found.next.unwrap().contains("--merge-env --env-file /etc/porchlight/prober.env"));
}
