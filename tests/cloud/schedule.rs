//! The schedule of the template, which moto's CloudFormation leaves out: rendered here as AWS would, sent to moto's Scheduler, and what
//! is kept there started.

use std::collections::HashMap;

use serde_json::{Value, json};
use tests::{
    aws::{ACCOUNT, Moto, REGION, pointed_at},
    beacon::Beacon,
    binaries::{python, root},
    keeper::{COMPONENT, Keeper, PAGE},
    lambda::Lambda,
    process::{command, run},
    skip::program,
};

/// Deploys the template as the guide does, without its alarms.
pub(super) async fn deploy(moto: &Moto, stack: &str, overrides: &[&str]) {
    let mut aws = command(program("aws").expect("it was there"));
    aws.args(["cloudformation", "deploy", "--stack-name", stack, "--template-file", "infra/schedule.yaml"]);
    aws.args(["--capabilities", "CAPABILITY_IAM", "--parameter-overrides", "Scope=trigger-only"]).args(overrides);
    aws.current_dir(root()).envs(pointed_at(&moto.endpoint));
    let ended = run(aws, std::time::Duration::from_secs(60)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

/// The resources that a stack has, by their logical names.
async fn resources(moto: &Moto, stack: &str) -> HashMap<String, String> {
    let found = moto.ok(&["cloudformation", "describe-stack-resources", "--stack-name", stack]).await;
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let all = found["StackResources"].as_array().expect("resources").iter();
    all.map(|one| (text(&one["LogicalResourceId"]), text(&one["PhysicalResourceId"]))).collect()
}

/// Sends the schedule of a stack to Scheduler, as CloudFormation does with AWS; what is kept there.
pub(super) async fn scheduled(moto: &Moto, stack: &str) -> Value {
    let python = python().expect("moto was there");
    let mut script = command(python);
    script.arg(root().join("tests/cloud/template.py")).arg(root().join("infra/schedule.yaml"));
    let template = run(script, std::time::Duration::from_secs(20)).await;
    let template: Value = serde_json::from_str(&template.stdout).expect("a template");
    let described = moto.ok(&["cloudformation", "describe-stacks", "--stack-name", stack]).await;
    let mut values: HashMap<String, String> =
        [("AWS::Partition", "aws"), ("AWS::Region", REGION), ("AWS::AccountId", ACCOUNT)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    for parameter in described["Stacks"][0]["Parameters"].as_array().expect("parameters") {
        let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
        values.insert(text("ParameterKey"), text("ParameterValue"));
    }
    let role = &resources(moto, stack).await["SchedulerRole"];
    values.insert("SchedulerRole.Arn".into(), format!("arn:aws:iam::{ACCOUNT}:role/{role}"));
    let mut schedule = rendered(&template["Resources"]["Schedule"]["Properties"], &values).expect("a schedule");
    schedule["Name"] = json!(stack);
    moto.ok(&["scheduler", "create-schedule", "--cli-input-json", &schedule.to_string()]).await;
    moto.ok(&["scheduler", "get-schedule", "--name", stack]).await
}

/// A part of a template with its values; `None` for `AWS::NoValue`.
fn rendered(part: &Value, values: &HashMap<String, String>) -> Option<Value> {
    let named = |name: &str| values.get(name).unwrap_or_else(|| panic!("nothing is known of {name}")).clone();
    let Value::Object(fields) = part else { return Some(part.clone()) };
    let [(function, argument)] = fields.iter().collect::<Vec<_>>()[..] else {
        let all = fields.iter().filter_map(|(name, value)| Some((name.clone(), rendered(value, values)?)));
        return Some(Value::Object(all.collect()));
    };
    let text = argument.as_str().unwrap_or_default();
    Some(match function.as_str() {
        "Ref" if text == "AWS::NoValue" => return None,
        "Ref" => json!(named(text)),
        "Fn::GetAtt" => json!(named(&format!("{}.{}", argument[0].as_str()?, argument[1].as_str()?))),
        "Fn::Sub" => {
            let filled =
                values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
            assert!(!filled.contains("${"), "{filled}");
            json!(filled)
        }
        // The template has one condition within its schedule.
        "Fn::If" => return rendered(&argument[if named("Input").is_empty() { 2 } else { 1 }], values),
        _ => json!({function: rendered(argument, values)?}),
    })
}

/// What starts a function once a minute, with no second try of a minute that is over.
pub(super) fn is_every_minute(schedule: &Value) {
    assert_eq!((&schedule["ScheduleExpression"], &schedule["State"]), (&json!("rate(1 minute)"), &json!("ENABLED")));
    assert_eq!(schedule["FlexibleTimeWindow"], json!({"Mode": "OFF"}));
    let target = &schedule["Target"];
    assert_eq!(target["Arn"], format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:lambda-prober"));
    assert_eq!(target["RetryPolicy"], json!({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}));
}

#[tokio::test]
async fn the_schedule_is_taken_by_scheduler_and_the_function_probes_what_its_input_names() {
    let Some(moto) = Moto::start("the schedule").await else { return };
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    keeper.set_status("partial_outage").await;
    let target = json!({"name": "Cabin", "url": beacon.url(), "page_id": PAGE, "component_id": COMPONENT});
    let input = json!({"targets": [target]});
    deploy(&moto, "porchlight-cabin", &[&format!("Input={input}")]).await;
    let schedule = scheduled(&moto, "porchlight-cabin").await;
    is_every_minute(&schedule);
    let kept: Value = serde_json::from_str(schedule["Target"]["Input"].as_str().expect("an input")).expect("JSON");
    assert_eq!(kept, input);
    let Some(lambda) = Lambda::start("schedule-input", &keeper.api(), |_| ()).await else { return };
    let report = lambda.invoke(&kept).await;
    assert_eq!(
        (&report["targets"][0]["name"], &report["targets"][0]["outcome"]),
        (&json!("Cabin"), &json!("changed")),
        "{report:#}"
    );
    assert_eq!(keeper.status().await, "operational");
}

/// moto keeps what a condition has taken out of a stack, so that the rule goes is asserted on the template (`templates.rs`).
#[tokio::test]
async fn a_stack_that_has_a_rule_keeps_it_until_it_is_told_to_change_over() {
    let Some(moto) = Moto::start("changing over").await else { return };
    function(&moto).await;
    let has = async |name: &str| resources(&moto, "porchlight-schedule").await.contains_key(name);
    deploy(&moto, "porchlight-schedule", &["Trigger=rule"]).await;
    assert!(has("Rule").await && has("Permission").await && !has("SchedulerRole").await);
    // Another change of the stack, without a word of the trigger.
    deploy(&moto, "porchlight-schedule", &[r#"Input={"targets":[]}"#]).await;
    assert!(has("Rule").await && !has("SchedulerRole").await);
    deploy(&moto, "porchlight-schedule", &["Trigger=scheduler"]).await;
    assert!(has("SchedulerRole").await);
    is_every_minute(&scheduled(&moto, "porchlight-schedule").await);
}

/// moto gives no permission for a function that is not there.
async fn function(moto: &Moto) {
    let trust = r#"{"Version":"2012-10-17","Statement":[]}"#;
    moto.ok(&["iam", "create-role", "--role-name", "any", "--assume-role-policy-document", trust]).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/any");
    let image = format!("ImageUri={ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/any:latest");
    let words = ["lambda", "create-function", "--function-name", "lambda-prober", "--package-type", "Image"];
    moto.ok(&[&words[..], &["--role", &role, "--code", &image]].concat()).await;
}
