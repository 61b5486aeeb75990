//! A chain that is well, with the real command line of AWS against moto; then moto's side of it broken in turn.

use std::time::Duration;

use serde_json::json;
use tests::{
    aws::{Moto, pointed_at},
    binaries::python,
};

use crate::{
    answers::{self, FUNCTION, KEY_PARAMETER, TOKEN_PARAMETER},
    variant::{Said, Variant},
    world::World,
};

/// moto has no policy simulator, and nobody keeps the clock of a container.
const NOT_KNOWN: [&str; 2] = ["role", "clock"];

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// What the guide's steps leave behind.
async fn deploy(moto: &Moto, world: &World) {
    let token =
        ["ssm", "put-parameter", "--type", "SecureString", "--name", TOKEN_PARAMETER, "--value", tests::keeper::TOKEN];
    let key =
        ["ssm", "put-parameter", "--type", "SecureString", "--name", KEY_PARAMETER, "--value", world.key.as_str()];
    let group = format!("/aws/lambda/{FUNCTION}");
    let log_group = ["logs", "create-log-group", "--log-group-name", &group];
    let (role, topic, ..) = tokio::join!(
        moto.ok(&["iam", "create-role", "--role-name", "r", "--assume-role-policy-document", TRUST]),
        moto.ok(&["sns", "create-topic", "--name", "alarms"]),
        moto.ok(&token),
        moto.ok(&key),
        moto.ok(&log_group),
        moto.ok(&["events", "put-rule", "--name", "every-minute", "--schedule-expression", "rate(1 minute)"]),
    );
    let (role, topic) = (role["Role"]["Arn"].as_str().expect("a role"), topic["TopicArn"].as_str().expect("a topic"));
    let zip = world.folder.path().join("function.zip");
    // An archive of nothing.
    std::fs::write(&zip, [&b"PK\x05\x06"[..], &[0; 18]].concat()).expect("it is written");
    let (zip, variables) = (
        format!("fileb://{}", zip.display()),
        json!({"Variables": answers::variables(World::home(), &world.keeper.api(), &world.metric)}).to_string(),
    );
    let function = [
        "lambda",
        "create-function",
        "--function-name",
        FUNCTION,
        "--role",
        role,
        "--zip-file",
        &zip,
        "--runtime",
        "provided.al2023",
        "--handler",
        "bootstrap",
        "--memory-size",
        "128",
        "--timeout",
        "55",
        "--environment",
        &variables,
    ];
    let alarm = [
        "cloudwatch",
        "put-metric-alarm",
        "--alarm-name",
        "SilenceAlarm",
        "--namespace",
        "AWS/Lambda",
        "--metric-name",
        "Invocations",
        "--dimensions",
        &format!("Name=FunctionName,Value={FUNCTION}"),
        "--statistic",
        "Sum",
        "--period",
        "600",
        "--evaluation-periods",
        "1",
        "--threshold",
        "5",
        "--comparison-operator",
        "LessThanThreshold",
        "--alarm-actions",
        topic,
    ];
    let stream = ["logs", "create-log-stream", "--log-group-name", &group, "--log-stream-name", "s"];
    let subscribed =
        ["sns", "subscribe", "--topic-arn", topic, "--protocol", "email", "--notification-endpoint", "a@example.com"];
    tokio::join!(moto.ok(&function), moto.ok(&alarm), moto.ok(&stream), moto.ok(&subscribed));
    let target = format!("Id=prober,Arn={}", answers::function_arn());
    let at = jiff::Timestamp::now().as_millisecond();
    let events = json!([{"timestamp": at, "message": answers::report(40, |_| ()).to_string()}]).to_string();
    let logged =
        ["logs", "put-log-events", "--log-group-name", &group, "--log-stream-name", "s", "--log-events", &events];
    let targeted = ["events", "put-targets", "--rule", "every-minute", "--targets", &target];
    tokio::join!(moto.ok(&targeted), moto.ok(&logged));
}

fn with_moto(world: &World, moto: &Moto, name: &str) -> Variant {
    let mut variant = world.variant(name);
    for (name, value) in pointed_at(&moto.endpoint) {
        variant.environment(name, &value);
    }
    variant.real_aws(python().expect("it was there").parent().expect("a folder"));
    variant
}

#[tokio::test]
async fn a_chain_that_is_well_is_called_well_within_seconds_and_what_breaks_at_aws_is_named() {
    let Some(world) = World::new("well").await else { return };
    let Some(moto) = Moto::start("doctor").await else { return };
    deploy(&moto, &world).await;
    let said: Said = with_moto(&world, &moto, "well").said(&world.namespace).await;
    println!("a healthy chain took {:?}", said.took);
    assert_eq!((said.code, said.failed()), (Some(0), vec![]), "{:#}", said.all);
    for link in said.all["links"].as_array().expect("links") {
        let (name, outcome) = (link["link"].as_str().expect("a name"), &link["outcome"]);
        let expected = match name {
            "cluster" | "receiver" | "heartbeat" | "relay" | "wear" | "inside" | "notices" => "not_used",
            _ if NOT_KNOWN.contains(&name) => continue,
            _ => "ok",
        };
        assert_eq!(outcome, expected, "{link:#}");
    }
    // On a quiet machine it is 2 s; this one may be busy.
    assert!(said.took < Duration::from_secs(15), "{:?}", said.took);

    moto.ok(&["events", "disable-rule", "--name", "every-minute"]).await;
    let said = with_moto(&world, &moto, "disabled").said(&world.namespace).await;
    said.names("moto: the rule is disabled", "schedule", "the rule every-minute, rate(1 minute) is disabled");
    moto.ok(&["events", "enable-rule", "--name", "every-minute"]).await;
    moto.ok(&["ssm", "delete-parameter", "--name", TOKEN_PARAMETER]).await;
    let said = with_moto(&world, &moto, "no-token").said(&world.namespace).await;
    said.names("moto: the token is not stored", "parameters", "/porchlight/statuspage-token does not exist");
    moto.put_secret(TOKEN_PARAMETER, tests::keeper::TOKEN).await;
    moto.ok(&["lambda", "delete-function", "--function-name", FUNCTION]).await;
    let said = with_moto(&world, &moto, "no-function").said(&world.namespace).await;
    said.names("moto: the function is gone", "function", "there is no function lambda-prober");
}
