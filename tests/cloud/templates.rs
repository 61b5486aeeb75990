//! The templates by themselves: clean for cfn-lint, and right in what moto silently does not create (the invoke
//! configuration, the mail's subscription, alarms, Scheduler).

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    binaries::{python, root},
    process::{command, run},
    skip::{program, skip},
};

const BASE: &str = "infra/base.yaml";
const SCHEDULE: &str = "infra/schedule.yaml";
const HEARTBEAT: &str = "infra/heartbeat.yaml";

pub(crate) async fn template(path: &str) -> Option<Value> {
    let Some(python) = python() else {
        skip("templates", "TESTS_PYTHON is missing; tests/run installs it");
        return None;
    };
    let mut script = command(python);
    script.arg(root().join("tests/cloud/template.py")).arg(root().join(path));
    let ended = run(script, Duration::from_secs(20)).await;
    Some(serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stderr)))
}

#[tokio::test]
async fn cfn_lint_finds_nothing() {
    let Some(lint) = program("cfn-lint") else {
        skip("cfn-lint", "cfn-lint is missing; tests/run installs it");
        return;
    };
    let mut lint = command(lint);
    lint.args([BASE, SCHEDULE, HEARTBEAT]).current_dir(root());
    let ended = run(lint, Duration::from_secs(120)).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
}

/// CloudFormation makes what is new before it deletes what is not wanted any more, unless the two stand in each other's way: then it
/// could not, or would make the one wait for the other.
#[tokio::test]
async fn scheduler_is_the_default_and_either_trigger_is_made_before_the_other_goes() {
    let Some(schedule) = template(SCHEDULE).await else { return };
    let trigger = &schedule["Parameters"]["Trigger"];
    assert_eq!((&trigger["Default"], &trigger["AllowedValues"]), (&json!("scheduler"), &json!(["scheduler", "rule"])));
    for name in ["Rule", "Permission", "Schedule", "SchedulerRole"] {
        let resource = &schedule["Resources"][name];
        assert!(resource["DependsOn"].is_null() && resource["DeletionPolicy"].is_null(), "{name}");
        let properties = &resource["Properties"];
        assert!(
            properties["Name"].is_null() && properties["RoleName"].is_null(),
            "{name} must have no name of its own"
        );
        for late in ["StartDate", "ScheduleExpressionTimezone"] {
            assert!(properties[late].is_null(), "{name} begins at once");
        }
    }
}

/// Whatever is triggered twice, or late, is triggered for nothing.
#[tokio::test]
async fn nothing_is_tried_again_or_kept_for_later() {
    let Some(schedule) = template(SCHEDULE).await else { return };
    let of = |name: &str| schedule["Resources"][name]["Properties"].clone();
    let invocations = of("Invocations");
    assert_eq!(invocations["MaximumRetryAttempts"], 0);
    assert_eq!(invocations["MaximumEventAgeInSeconds"], 60);
    assert_eq!(invocations["Qualifier"], "$LATEST");
    let never = json!({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60});
    assert_eq!(of("Rule")["Targets"][0]["RetryPolicy"], never);
    assert_eq!(of("Schedule")["Target"]["RetryPolicy"], never);
}

#[tokio::test]
async fn the_alarms_see_errors_throttles_and_silence() {
    let Some(schedule) = template(SCHEDULE).await else { return };
    let topic = json!([{"Fn::ImportValue": {"Fn::Sub": "${BaseStack}-AlarmTopicArn"}}]);
    for (name, metric, period, threshold, comparison, missing) in [
        ("ErrorAlarm", "Errors", 300, 3, "GreaterThanOrEqualToThreshold", "notBreaching"),
        ("ThrottleAlarm", "Throttles", 300, 3, "GreaterThanOrEqualToThreshold", "notBreaching"),
        ("SilenceAlarm", "Invocations", 600, 5, "LessThanThreshold", "breaching"),
    ] {
        let alarm = &schedule["Resources"][name];
        assert_eq!(alarm["Type"], "AWS::CloudWatch::Alarm");
        let properties = &alarm["Properties"];
        let expected = json!([metric, "AWS/Lambda", "Sum", period, 1, threshold, comparison, missing]);
        let found: Vec<_> = [
            "MetricName",
            "Namespace",
            "Statistic",
            "Period",
            "EvaluationPeriods",
            "Threshold",
            "ComparisonOperator",
            "TreatMissingData",
        ]
        .map(|field| properties[field].clone())
        .into();
        assert_eq!(json!(found), expected, "{name}");
        assert_eq!(properties["Dimensions"], json!([{"Name": "FunctionName", "Value": {"Ref": "FunctionName"}}]));
        assert_eq!((&properties["AlarmActions"], &properties["OKActions"]), (&topic, &topic), "{name}");
    }
    let Some(base) = template(BASE).await else { return };
    assert_eq!(
        base["Outputs"]["AlarmTopicArn"]["Export"]["Name"],
        json!({"Fn::Sub": "${AWS::StackName}-AlarmTopicArn"})
    );
}

#[tokio::test]
async fn scheduler_takes_the_rules_place_and_may_start_this_function_alone() {
    let Some(schedule) = template(SCHEDULE).await else { return };
    let resources = schedule["Resources"].as_object().expect("resources");
    let under = |condition: &str| {
        let named = resources.iter().filter(|(_, resource)| resource["Condition"] == condition);
        named.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(under("ByRule"), ["Permission", "Rule"]);
    assert_eq!(under("ByScheduler"), ["Schedule", "SchedulerRole"]);
    assert_eq!(under("Whole"), ["ErrorAlarm", "Invocations", "SilenceAlarm", "ThrottleAlarm"]);
    let arn =
        json!({"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${FunctionName}"});
    let every_minute = &resources["Schedule"]["Properties"];
    assert_eq!(every_minute["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(every_minute["FlexibleTimeWindow"], json!({"Mode": "OFF"}));
    assert_eq!(every_minute["Target"]["Arn"], arn);
    assert_eq!(every_minute["Target"]["RoleArn"], json!({"Fn::GetAtt": ["SchedulerRole", "Arn"]}));
    let input = json!({"Fn::If": ["HasInput", {"Ref": "Input"}, {"Ref": "AWS::NoValue"}]});
    assert_eq!(
        (&every_minute["Target"]["Input"], &resources["Rule"]["Properties"]["Targets"][0]["Input"]),
        (&input, &input)
    );
    let role = &resources["SchedulerRole"]["Properties"];
    let trust = &role["AssumeRolePolicyDocument"]["Statement"];
    assert_eq!(trust[0]["Principal"], json!({"Service": "scheduler.amazonaws.com"}));
    assert_eq!(trust[0]["Condition"], json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}));
    let may = json!([{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}]);
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"], may);
}

#[tokio::test]
async fn other_homes_keys_are_read_only_where_they_are_named() {
    let Some(base) = template(BASE).await else { return };
    assert_eq!(base["Parameters"]["HomeKeysPrefix"]["Default"], "");
    let policy = &base["Resources"]["HomeKeysPolicy"];
    assert_eq!(
        (&policy["Condition"], &policy["Properties"]["Roles"]),
        (&json!("HasHomeKeys"), &json!([{"Ref": "Role"}]))
    );
    let arn = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${HomeKeysPrefix}/*";
    let statements = &policy["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(
        (&statements[0]["Action"], &statements[0]["Resource"]),
        (&json!("ssm:GetParameters"), &json!({"Fn::Sub": arn}))
    );
    assert_eq!(statements[1]["Action"], "kms:Decrypt");
    let condition = &statements[1]["Condition"];
    assert_eq!(condition["StringLike"]["kms:EncryptionContext:PARAMETER_ARN"], json!({"Fn::Sub": arn}));
    assert_eq!(condition["StringEquals"]["kms:ViaService"], json!({"Fn::Sub": "ssm.${AWS::Region}.amazonaws.com"}));
    assert_eq!(statements.as_array().map(Vec::len), Some(2));
}
