//! Worlds in which something is broken at AWS.

use serde_json::json;

use crate::{
    answers::{KEY_PARAMETER, down, log, report, scheduled},
    variant::{Broken, Variant, each_is_named},
    world::World,
};

const FUNCTION_CALL: &str = "lambda-get-function-configuration";

pub(crate) fn broken(
    world: &World,
    name: &'static str,
    link: &'static str,
    words: &'static str,
    change: fn(&mut Variant),
) -> Broken {
    let mut variant = world.variant(name);
    variant.arguments("--no-router");
    change(&mut variant);
    (name, link, words, variant)
}

#[tokio::test]
async fn what_is_broken_at_aws_is_named_first_and_alone() {
    let Some(world) = World::new("cloud").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let worlds = vec![
        with("another key in the cloud", "keys", "the prober has another key", |v| {
            v.aws_says("ssm-get-parameters", |it| {
                it["Parameters"][1]["Value"] = json!(shared::proof::Key::new([8; 32]).expose());
            });
        }),
        with("no key in the cloud", "parameters", "/porchlight/beacon-key does not exist", |v| {
            v.aws_says("ssm-get-parameters", |it| {
                it["Parameters"].as_array_mut().expect("two").remove(1);
            });
        }),
        with("a spoilt key", "parameters", "holds no key", |v| {
            v.aws_says("ssm-get-parameters", |it| it["Parameters"][1]["Value"] = json!("hunter2"));
        }),
        with("a token with a blank", "parameters", "holds blanks", |v| {
            v.aws_says("ssm-get-parameters", |it| it["Parameters"][0]["Value"] = json!("to ken"));
        }),
        with("a secret that is not encrypted", "parameters", "is not encrypted", |v| {
            v.aws_says("ssm-get-parameters", |it| it["Parameters"][0]["Type"] = json!("String"));
        }),
        with(
            "a role that may not read the key",
            "role",
            "it may not ssm:GetParameters on /porchlight/beacon-key",
            |v| {
                v.aws_says("iam-simulate-principal-policy", |it| {
                    it["EvaluationResults"][1]["EvalDecision"] = json!("implicitDeny");
                });
            },
        ),
        with("a role that was deleted", "role", "does not exist", |v| {
            v.aws_refuses("iam-simulate-principal-policy", "NoSuchEntity");
        }),
        with("a timeout of 3 s", "function", "its timeout of 3 s", |v| {
            v.aws_says(FUNCTION_CALL, |it| it["Timeout"] = json!(3));
        }),
        with("another home", "function", "its CANARY_URL is http://other.example:1", |v| {
            v.aws_says(FUNCTION_CALL, |it| {
                it["Environment"]["Variables"]["CANARY_URL"] = json!("http://other.example:1");
            });
            let other = report(40, |it| it["targets"][0]["url"] = json!("http://other.example:1/"));
            v.aws("logs-filter-log-events", &log(&[other]));
        }),
        with("a token among the variables", "function", "TOKEN is a plain variable", |v| {
            v.aws_says(FUNCTION_CALL, |it| it["Environment"]["Variables"]["TOKEN"] = json!("secret-of-the-page"));
        }),
        with("a deployment that failed", "function", "it was not deployed: no such image", |v| {
            v.aws_says(FUNCTION_CALL, |it| {
                it["LastUpdateStatus"] = json!("Failed");
                it["LastUpdateStatusReason"] = json!("no such image");
            });
        }),
    ];
    each_is_named(&world.namespace, worlds).await;
}

#[tokio::test]
async fn a_function_that_does_not_run_or_cannot_do_its_work_is_named_first_and_alone() {
    let Some(world) = World::new("runs").await else { return };
    let with = |name, link, words, change| broken(&world, name, link, words, change);
    let worlds = vec![
        with("no schedule", "schedule", "no rule and no schedule runs the function", |v| {
            v.no_looks();
            v.aws("logs-filter-log-events", &log(&[]));
            v.aws("events-list-rule-names-by-target", &json!({"RuleNames": []}));
        }),
        with("a schedule of Scheduler that is disabled", "schedule", "the schedule minute is disabled", |v| {
            v.aws("events-list-rule-names-by-target", &json!({"RuleNames": []}));
            v.aws("scheduler-list-schedules", &scheduled("DISABLED"));
        }),
        with("no alarm", "alarms", "no alarm watches the function", |v| {
            v.aws("cloudwatch-describe-alarms", &json!({"MetricAlarms": []}));
        }),
        with("a mail that was not confirmed", "alarms", "never confirmed", |v| {
            v.aws_says("sns-list-subscriptions", |it| {
                it["Subscriptions"][0]["SubscriptionArn"] = json!("PendingConfirmation");
            });
        }),
        with("alarms that tell nobody", "alarms", "tells nobody", |v| {
            v.aws_says("cloudwatch-describe-alarms", |it| it["MetricAlarms"][2]["AlarmActions"] = json!([]));
        }),
        with("a function that does not run", "runs", "no run of the last 15 minutes", |v| {
            v.no_looks();
            v.aws("logs-filter-log-events", &log(&[]));
        }),
        with("a function that stopped running", "runs", "the last run was 8 min ago", |v| {
            v.no_looks();
            v.aws("logs-filter-log-events", &log(&[report(500, |_| ())]));
        }),
        with("a record that cannot be kept", "runs", "could not keep its record: denied", |v| {
            let denied = report(40, |it| it["targets"][0]["state_error"] = json!("denied"));
            v.aws("logs-filter-log-events", &log(&[denied]));
        }),
        with("a dry run that was left in place", "runs", "a dry run", |v| {
            v.aws("logs-filter-log-events", &log(&[report(40, |it| it["dry_run"] = json!(true))]));
        }),
        with("a port that is not forwarded any more", "public_name", "down (refused), as seen by the function", |v| {
            v.aws("logs-filter-log-events", &down("refused"));
        }),
    ];
    each_is_named(&world.namespace, worlds).await;
}

/// Of what comes of a broken link, nothing is called broken; and what cannot be asked is not called well.
#[tokio::test]
async fn what_cannot_be_asked_is_neither_well_nor_broken() {
    let Some(world) = World::new("unasked").await else { return };
    let cloud = ["parameters", "role", "function", "schedule", "alarms", "runs"];
    let mut refused = world.variant("refused");
    for (call, _) in world.aws() {
        refused.aws_refuses(call, "ExpiredTokenException");
    }
    let said = refused.arguments("--no-router").said(&world.namespace).await;
    assert_eq!((said.failed(), said.code), (vec![], Some(0)), "{:#}", said.all);
    for link in ["aws", "parameters", "role", "function", "schedule", "alarms", "runs", "keys"] {
        assert_eq!(said.outcome(link), "not_conclusive", "{link}");
    }
    assert!(said.saw("aws").contains("its credentials are refused"));
    let mut missing = world.variant("missing");
    std::fs::remove_file(missing.folder.join("aws")).expect("it was there");
    let said = missing.arguments("--no-router").said(&world.namespace).await;
    for link in cloud {
        assert_eq!(said.outcome(link), "not_conclusive", "{link}");
    }
    assert!(said.saw("aws").contains("there is no aws command here"));
    assert_eq!(said.failed(), [""; 0], "{:#}", said.all);
    // A token that is revoked fails runs and rings alarms, and is named alone.
    let mut revoked = world.variant("revoked");
    let failed = report(40, |it| {
        it["published"] = json!(false);
        it["targets"][0]["outcome"] = json!("failed");
        it["targets"][0]["error"] = json!("the token is refused");
    });
    revoked.set("STATUSPAGE_TOKEN", "revoked-token").aws("logs-filter-log-events", &log(&[failed]));
    revoked.aws_says("cloudwatch-describe-alarms", |it| it["MetricAlarms"][0]["StateValue"] = json!("ALARM"));
    revoked.aws_says("ssm-get-parameters", |it| {
        let key = it["Parameters"].as_array_mut().expect("two").iter_mut().find(|it| it["Name"] == KEY_PARAMETER);
        assert!(key.is_some());
    });
    let said = revoked.arguments("--no-router").said(&world.namespace).await;
    said.names("a token that was revoked", "token", "is refused");
    for link in ["page", "component", "metrics", "runs", "alarms"] {
        assert_eq!(said.outcome(link), "not_conclusive", "{link}");
    }
}
