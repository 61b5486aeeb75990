//! Two homes and one function: the second one comes with the input of a schedule of its own, as `porchlight setup` makes it.

use serde_json::{Value, json};
use shared::proof::Key;
use tests::keeper::{COMPONENT, PAGE};

use crate::{
    answers::{FUNCTION, KEY_PARAMETER, function_arn, log, report},
    cloud::broken,
    variant::{Broken, Variant, each_is_named, each_is_well},
    world::World,
};

const FUNCTION_CALL: &str = "lambda-get-function-configuration";
const OWN_KEY: &str = "/porchlight/keys/home";
const OTHER: &str = "9lcg8e46d181";

/// The schedules, by their names.
const OF_FIRST: &str = "porchlight-schedule-Schedule-9";
const OF_SECOND: &str = "porchlight-home-Schedule-7";

/// The function's schedules: that of its own settings, and one with that target as its input.
fn schedules(v: &mut Variant, (first, second): (&str, &str), target: &Value) {
    v.aws("events-list-rule-names-by-target", &json!({"RuleNames": []}));
    let listed = |name: &str, state: &str| json!({"Name": name, "GroupName": "default", "State": state, "Target": {"Arn": function_arn()}});
    v.aws("scheduler-list-schedules", &json!({"Schedules": [listed(OF_FIRST, first), listed(OF_SECOND, second)]}));
    let input = json!({"targets": [target]}).to_string();
    for (name, state, input) in [(OF_FIRST, first, None), (OF_SECOND, second, Some(input))] {
        let target = json!({"Arn": function_arn(), "Input": input});
        let all = json!({"Name": name, "State": state, "ScheduleExpression": "rate(1 minute)", "Target": target});
        v.aws(&format!("scheduler-get-schedule-{name}"), &all);
    }
}

fn target(url: &str, component: &str) -> Value {
    json!({"name": "second", "url": url, "page_id": PAGE, "component_id": component, "key_parameter": OWN_KEY})
}

/// The home of these worlds is the second one: the function's own settings, and the key of all homes, are another's.
fn is_second(v: &mut Variant) {
    v.aws_says(FUNCTION_CALL, |it| {
        it["Environment"]["Variables"]["CANARY_URL"] = json!("http://first.duckdns.org:30008");
        it["Environment"]["Variables"]["COMPONENT_ID"] = json!(OTHER);
    });
    v.aws_says("ssm-get-parameters", |it| it["Parameters"][1]["Value"] = json!(Key::new([8; 32]).expose()));
    schedules(v, ("ENABLED", "ENABLED"), &target(World::home(), COMPONENT));
}

fn has_own_key(v: &mut Variant, key: &str) {
    let own = json!({"Name": OWN_KEY, "Value": key, "Type": "SecureString"});
    v.aws_says("ssm-get-parameters", |it| it["Parameters"].as_array_mut().expect("two").push(own));
}

/// The same by rules.
fn ruled(v: &mut Variant, state: &str, second: &Value) {
    const RULES: [&str; 2] = ["porchlight-schedule-Rule-9", "porchlight-home-Rule-7"];
    v.aws("scheduler-list-schedules", &json!({"Schedules": []}));
    v.aws("events-list-rule-names-by-target", &json!({ "RuleNames": RULES }));
    let one = |name: &str, state: &str| json!({"Name": name, "State": state, "ScheduleExpression": "rate(1 minute)"});
    v.aws("events-list-rules", &json!({"Rules": [one(RULES[0], "ENABLED"), one(RULES[1], state)]}));
    for (name, input) in RULES.into_iter().zip([None, Some(json!({ "targets": [second] }).to_string())]) {
        let target = json!({"Id": "1", "Arn": function_arn(), "Input": input});
        v.aws(&format!("events-list-targets-by-rule-{name}"), &json!({ "Targets": [target] }));
    }
}

/// Nothing that a person is told to do takes the key, or the function, from the first home.
fn harms_the_first(said: &Value) -> bool {
    let links = said["links"].as_array().expect("links").iter();
    links
        .filter_map(|it| it["next"].as_str())
        .any(|next| next.contains(&format!("--name {KEY_PARAMETER} ")) || next.contains(&format!("deploy {FUNCTION}")))
}

#[tokio::test]
async fn a_second_home_is_looked_up_where_its_schedule_says_and_no_advice_harms_the_first() {
    let Some(world) = World::new("second").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let key = world.key.clone();
    for (link, words) in [
        ("keys", "home and prober have the same"),
        ("parameters", "are stored, encrypted"),
        ("function", "lambda-prober in account"),
        ("schedule", "the schedule porchlight-home-Schedule-7, rate(1 minute)"),
    ] {
        let mut second = with("a second home", link, words, is_second);
        has_own_key(&mut second.3, &key);
        each_is_well(&world.namespace, vec![(second, "ok")]).await;
    }
    let untold = |v: &mut Variant| {
        is_second(v);
        for name in [OF_FIRST, OF_SECOND] {
            v.aws_refuses(&format!("scheduler-get-schedule-{name}"), "AccessDeniedException");
        }
    };
    let unsure = with("a second home, and nobody says where its key is", "keys", "in another parameter", |_| ());
    let denied = with("a function that may not be looked at", "keys", "in another parameter", |v| {
        v.aws_says("ssm-get-parameters", |it| it["Parameters"][1]["Value"] = json!(Key::new([8; 32]).expose()));
        v.aws_refuses(FUNCTION_CALL, "AccessDeniedException");
    });
    let (name, link, words, mut variant) = unsure;
    untold(&mut variant);
    each_is_well(&world.namespace, vec![((name, link, words, variant), "not_conclusive"), (denied, "not_conclusive")])
        .await;
    // One that nothing at AWS names.
    let mut alone = world.variant("alone");
    is_second(&mut alone);
    schedules(&mut alone, ("ENABLED", "ENABLED"), &target("http://third.duckdns.org:30008", "7kbf7d35c079"));
    let others = report(40, |it| it["targets"][0]["component_id"] = json!(OTHER));
    alone.aws("logs-filter-log-events", &log(&[others])).no_looks().arguments("--no-router");
    let said = alone.said(&world.namespace).await;
    said.names("a second home without a schedule", "schedule", "no schedule runs the function for this home");
    assert_eq!(said.outcome("function"), "not_conclusive");
    assert!(said.saw("function").contains("it looks at another home"), "{:#}", said.all);
    assert!(!harms_the_first(&said.all), "{:#}", said.all);
}

#[tokio::test]
async fn a_schedule_that_is_off_is_named_though_another_homes_is_on() {
    let Some(world) = World::new("off").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let others = |v: &mut Variant| {
        let others = report(40, |it| it["targets"][0]["component_id"] = json!(OTHER));
        v.aws("logs-filter-log-events", &log(&[others])).no_looks();
    };
    let first: Broken = {
        let words = "the schedule porchlight-schedule-Schedule-9, rate(1 minute) is disabled";
        let mut one = with("a first home whose schedule is off", "schedule", words, |v| {
            schedules(v, ("DISABLED", "ENABLED"), &target("http://second.duckdns.org:30008", OTHER));
        });
        others(&mut one.3);
        one
    };
    let second: Broken = {
        let words = "the schedule porchlight-home-Schedule-7, rate(1 minute) is disabled";
        let mut one = with("a second home whose schedule is off", "schedule", words, |v| {
            is_second(v);
            schedules(v, ("ENABLED", "DISABLED"), &target(World::home(), COMPONENT));
        });
        has_own_key(&mut one.3, &world.key);
        others(&mut one.3);
        one
    };
    each_is_named(&world.namespace, vec![first, second]).await;
}

#[tokio::test]
async fn a_second_home_that_comes_with_the_input_of_a_rule_is_known_by_it() {
    let Some(world) = World::new("ruled").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let by_rule = |v: &mut Variant| {
        is_second(v);
        ruled(v, "ENABLED", &target(World::home(), COMPONENT));
    };
    for (link, words) in
        [("keys", "home and prober have the same"), ("schedule", "the rule porchlight-home-Rule-7, rate(1 minute)")]
    {
        let mut second = with("a second home by a rule", link, words, by_rule);
        has_own_key(&mut second.3, &world.key);
        each_is_well(&world.namespace, vec![(second, "ok")]).await;
    }
    let mut off =
        with("a rule that is off", "schedule", "the rule porchlight-home-Rule-7, rate(1 minute) is disabled", |v| {
            is_second(v);
            ruled(v, "DISABLED", &target(World::home(), COMPONENT));
            let others = report(40, |it| it["targets"][0]["component_id"] = json!(OTHER));
            v.aws("logs-filter-log-events", &log(&[others])).no_looks();
        });
    has_own_key(&mut off.3, &world.key);
    each_is_named(&world.namespace, vec![off]).await;
}

#[tokio::test]
async fn that_nobody_is_mailed_is_no_broken_link() {
    let Some(world) = World::new("mail").await else { return };
    let with = |name, change| broken(&world, name, "alarms", "nobody has subscribed to their topic", change);
    let worlds = vec![
        with("no mail was chosen", |v| {
            v.aws("sns-list-subscriptions", &json!({"Subscriptions": []}));
        }),
        with("a subscription that was ended", |v| {
            v.aws_says("sns-list-subscriptions", |it| it["Subscriptions"][0]["SubscriptionArn"] = json!("Deleted"));
        }),
    ];
    each_is_well(&world.namespace, worlds.into_iter().map(|world| (world, "not_conclusive")).collect()).await;
}
