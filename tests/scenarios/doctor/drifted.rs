//! What is at AWS was changed by hand, or is another one than is thought.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use shared::proof::Key;
use tests::{
    aws::ACCOUNT,
    duckdns::Held,
    keeper::{COMPONENT, PAGE},
};

use crate::{
    answers::{log, report, scheduled},
    cloud::broken,
    variant::{Broken, Variant, each_is_named, each_is_well},
    world::{OUTSIDE, World},
};

const FUNCTION_CALL: &str = "lambda-get-function-configuration";
const OWN_KEY: &str = "/porchlight/keys/home";

#[tokio::test]
async fn what_was_changed_by_hand_is_named_first_and_alone() {
    let Some(world) = World::new("drifted").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let by_scheduler = |v: &mut Variant, change: fn(&mut Value)| {
        v.aws("events-list-rule-names-by-target", &json!({"RuleNames": []}));
        v.aws("scheduler-list-schedules", &scheduled("ENABLED"));
        let mut minute = json!({"Name": "minute", "State": "ENABLED", "ScheduleExpression": "rate(1 minute)"});
        change(&mut minute);
        v.aws("scheduler-get-schedule", &minute);
    };
    let mut worlds = vec![
        with("a rule of one hour", "schedule", "rate(1 hour): the function is to run every minute", |v| {
            v.aws_says("events-list-rules", |it| it["Rules"][0]["ScheduleExpression"] = json!("rate(1 hour)"));
        }),
        with("a list of targets that is gone", "parameters", "/porchlight/targets, which TARGETS_PARAMETER", |v| {
            v.aws_says(FUNCTION_CALL, |it| {
                it["Environment"]["Variables"]["TARGETS_PARAMETER"] = json!("/porchlight/targets");
            });
        }),
        with("a function that was throttled by hand", "function", "its reserved concurrency is 0", |v| {
            v.aws("logs-filter-log-events", &log(&[])).no_looks();
            v.aws("lambda-get-function-concurrency", &json!({"ReservedConcurrentExecutions": 0}));
        }),
        with("alarms that were switched off", "alarms", "ErrorAlarm tells nobody", |v| {
            v.aws_says("cloudwatch-describe-alarms", |it| it["MetricAlarms"][0]["ActionsEnabled"] = json!(false));
        }),
        with("a role that may not write a log", "role", "it may not logs:PutLogEvents on /aws/lambda/", |v| {
            v.aws_says("iam-simulate-principal-policy", |it| {
                it["EvaluationResults"][5]["EvalDecision"] = json!("implicitDeny");
            });
        }),
    ];
    for (name, saw, change) in [
        (
            "a schedule of five minutes",
            "the schedule minute, rate(5 minutes)",
            (|it| it["ScheduleExpression"] = json!("rate(5 minutes)")) as fn(&mut Value),
        ),
        ("a schedule that has ended", "has come to its end", |it| it["EndDate"] = json!("2025-01-01T00:00:00+00:00")),
    ] {
        let mut one = with(name, "schedule", saw, |_| ());
        by_scheduler(&mut one.3, change);
        worlds.push(one);
    }
    each_is_named(&world.namespace, worlds).await;
}

/// The target that is this home, with a key of its own.
fn targets() -> String {
    json!([{"url": World::home(), "page_id": PAGE, "component_id": COMPONENT, "key_parameter": OWN_KEY}]).to_string()
}

fn another_key() -> Value {
    json!(Key::new([8; 32]).expose())
}

/// The parameters, with another key for all homes, and the home's own beside it.
fn with_own_key(v: &mut Variant, key: &str) {
    let own = json!({"Name": OWN_KEY, "Value": key, "Type": "SecureString"});
    v.aws_says("ssm-get-parameters", |it| {
        it["Parameters"][1]["Value"] = another_key();
        it["Parameters"].as_array_mut().expect("two").push(own);
    });
}

#[tokio::test]
async fn what_may_be_elsewhere_or_otherwise_is_not_called_broken() {
    let Some(world) = World::new("elsewhere").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let key = world.key.clone();
    let of = |(name, link, words, mut variant): Broken, change: &dyn Fn(&mut Variant)| {
        change(&mut variant);
        (name, link, words, variant)
    };
    let place = format!("no function lambda-prober in account {ACCOUNT}, eu-central-1");
    let place: &'static str = place.leak();
    let worlds = vec![
        (
            with("another account", "function", place, |v| {
                v.aws_has_nothing();
            }),
            "not_conclusive",
        ),
        (
            with("another account, and nobody looks", "parameters", "has nothing of the function", |v| {
                v.aws_has_nothing().no_looks();
            }),
            "not_conclusive",
        ),
        (
            with("an old copy in another region", "schedule", "another account or region", |v| {
                v.aws("logs-filter-log-events", &log(&[]));
                v.aws("events-list-rule-names-by-target", &json!({"RuleNames": []}));
            }),
            "not_conclusive",
        ),
        (
            of(with("a key of the home's own, in TARGETS", "keys", "home and prober have the same", |_| ()), &|v| {
                with_own_key(v, &key);
                v.aws_says(FUNCTION_CALL, |it| {
                    let variables = it["Environment"]["Variables"].as_object_mut().expect("variables");
                    for name in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
                        variables.remove(name);
                    }
                    variables.insert("TARGETS".into(), json!(targets()));
                });
            }),
            "ok",
        ),
        (
            of(with("the same, by a parameter of the list", "keys", "home and prober have the same", |_| ()), &|v| {
                with_own_key(v, &key);
                let list = json!({"Name": "/porchlight/targets", "Value": targets(), "Type": "String"});
                v.aws_says("ssm-get-parameters", |it| it["Parameters"].as_array_mut().expect("all").push(list));
                v.aws_says(FUNCTION_CALL, |it| {
                    let variables = it["Environment"]["Variables"].as_object_mut().expect("variables");
                    for name in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
                        variables.remove(name);
                    }
                    variables.insert("TARGETS_PARAMETER".into(), json!("/porchlight/targets"));
                });
            }),
            "ok",
        ),
        (
            with("homes that come with the schedule's input", "keys", "may have it in another parameter", |v| {
                v.aws_says("ssm-get-parameters", |it| it["Parameters"][1]["Value"] = another_key());
                v.aws_says(FUNCTION_CALL, |it| {
                    let variables = it["Environment"]["Variables"].as_object_mut().expect("variables");
                    for name in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
                        variables.remove(name);
                    }
                });
            }),
            "not_conclusive",
        ),
        (
            with("an address that is written otherwise", "function", "lambda-prober in account", |v| {
                v.aws_says(FUNCTION_CALL, |it| {
                    it["Environment"]["Variables"]["CANARY_URL"] = json!("HTTP://HOME.DuckDNS.org.:30008");
                });
                let other = report(40, |it| it["targets"][0]["url"] = json!("http://elsewhere.example/"));
                v.aws("logs-filter-log-events", &log(&[other]));
            }),
            "ok",
        ),
        (
            with("a setting that was changed by hand", "function", "its INCIDENT_AFTER is 10m, and in ", |v| {
                v.set("INCIDENT_AFTER", "5m");
                v.aws_says(FUNCTION_CALL, |it| {
                    it["Environment"]["Variables"]["INCIDENT_AFTER"] = json!("10m");
                });
            }),
            "not_conclusive",
        ),
        (
            with("who asks may not ask the simulator", "role", "iam:SimulatePrincipalPolicy", |v| {
                v.aws_refuses("iam-simulate-principal-policy", "AccessDenied");
            }),
            "not_conclusive",
        ),
    ];
    each_is_well(&world.namespace, worlds).await;
}

/// What is seen from here is wrong, and the chain works all the same: nothing of it is called broken.
#[tokio::test]
async fn what_works_all_the_same_is_not_called_broken() {
    let Some(world) = World::new("works").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let old = Ipv4Addr::new(81, 2, 69, 9);
    let mut worlds = vec![
        with("an old copy of the token here", "token", "the function has updated the page", |v| {
            v.set("STATUSPAGE_TOKEN", "an-older-token");
        }),
        with("another page's id here alone", "page", "the function has it otherwise, and right", |v| {
            v.set("PAGE_ID", "gytm4qzbx9t7");
        }),
        with("kubectl leads to another cluster", "cluster", "kubectl config current-context", |v| {
            let labels = json!({"app.kubernetes.io/name": "home-beacon", "app.kubernetes.io/component": "beacon"});
            let service =
                json!({"kind": "Service", "metadata": {"labels": labels}, "spec": {"ports": [{"nodePort": 30999}]}});
            v.kubectl(&json!({ "items": [service] }));
        }),
        with("an alarm of one's own without actions", "alarms", "4 watch the function", |v| {
            v.aws_says("cloudwatch-describe-alarms", |it| {
                let mut own = it["MetricAlarms"][0].clone();
                own["AlarmName"] = json!("for-my-chart");
                own["AlarmActions"] = json!([]);
                it["MetricAlarms"].as_array_mut().expect("three").push(own);
            });
        }),
        with("a home of IPv6 alone", "public_dns", "over IPv6 alone", |_| ()),
    ];
    let six = worlds.pop().expect("the last one");
    let worlds = worlds.into_iter().map(|world| {
        let outcome = if world.1 == "alarms" { "ok" } else { "not_conclusive" };
        (world, outcome)
    });
    each_is_well(&world.namespace, worlds.collect()).await;
    // What everybody in this network shares is changed one after the other.
    world
        .duckdns
        .zone
        .set("home", Held { ipv4: None, ipv6: Some("2001:4860:4860::8888".parse().expect("an address")) });
    each_is_well(&world.namespace, vec![(six, "not_conclusive")]).await;
    world.duckdns.zone.set("home", Held { ipv4: Some(old), ipv6: None });
    let tunnel =
        with("a name that leads to a tunnel's other end", "public_dns", "where the name leads to a tunnel", |v| {
            v.aws("logs-filter-log-events", &log(&[])).no_looks();
            v.aws("events-list-rule-names-by-target", &json!({"RuleNames": []})).arguments("--no-aws");
        });
    each_is_well(&world.namespace, vec![(tunnel, "not_conclusive")]).await;
    world.duckdns.zone.set("home", Held { ipv4: Some(OUTSIDE), ipv6: None });
    world.router.take(30008);
    let mut by_hand = world.variant("by hand");
    by_hand.arguments("--no-kubectl");
    let by_hand =
        ("a port that is forwarded by hand as well", "router", "the world has got there a moment ago", by_hand);
    each_is_well(&world.namespace, vec![(by_hand, "not_conclusive")]).await;
}
