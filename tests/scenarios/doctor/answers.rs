//! What AWS answers of a function that is well, in the shapes of its command line; `healthy` holds them against moto's.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{
    aws::{ACCOUNT, REGION},
    keeper::{COMPONENT, PAGE},
};

pub(crate) const FUNCTION: &str = "lambda-prober";

/// The page's token, as it is stored.
pub(crate) const TOKEN_PARAMETER: &str = "/porchlight/statuspage-token";
pub(crate) const KEY_PARAMETER: &str = "/porchlight/beacon-key";

pub(crate) fn function_arn() -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}")
}

fn topic() -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:porchlight-base-AlarmTopic-1")
}

/// The variables that the guide gives the function.
pub(crate) fn variables(home: &str, api: &str, metric: &str) -> Value {
    json!({"CANARY_URL": home, "PAGE_ID": PAGE, "COMPONENT_ID": COMPONENT, "STATUSPAGE_URL": api,
        "METRIC_ID_RESPONSE": metric,
        "STATUSPAGE_TOKEN_PARAMETER": TOKEN_PARAMETER, "BEACON_KEY_PARAMETER": KEY_PARAMETER,
        "BEACON_KEY_OLD_PARAMETER": "/porchlight/beacon-key-old", "STATE_PARAMETER": "/porchlight/state"})
}

/// One run that went well, so many seconds ago; `change` has it say something else.
pub(crate) fn report(age: i64, change: impl FnOnce(&mut Value)) -> Value {
    let at = Timestamp::now() - SignedDuration::from_secs(age);
    let mut report = json!({"event": "run", "at": at.to_string(), "duration_ms": 312.5, "published": true, "dry_run": false,
        "calls": [], "targets": [{"name": "home", "url": "http://home.duckdns.org:30008/", "page_id": PAGE, "component_id": COMPONENT, "verdict": "up", "cause": null,
        "advice": null, "status_before": "operational", "status": "operational", "outcome": "agrees", "error": null,
        "state_error": null, "attempts": []}]});
    change(&mut report);
    report
}

/// The log that holds these reports.
pub(crate) fn log(reports: &[Value]) -> Value {
    let event = |report: &Value| json!({"logStreamName": "s", "message": format!("{report}\n"), "timestamp": 1});
    json!({"events": reports.iter().map(event).collect::<Vec<_>>(), "searchedLogStreams": []})
}

/// Everything that doctor asks, by service and operation.
pub(crate) fn healthy((home, api, metric): (&str, &str, &str), token: &str, key: &str) -> Vec<(&'static str, Value)> {
    let parameter =
        |name: &str, value: &str| json!({"Name": name, "Value": value, "Type": "SecureString", "Version": 1});
    let on = |name: &str| match name.strip_prefix("logs:") {
        Some(group) => format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"),
        None => format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}"),
    };
    let state = format!("/porchlight/state/{COMPONENT}");
    let allowed = |(action, name): (&str, &str)| json!({"EvalActionName": action, "EvalResourceName": on(name), "EvalDecision": "allowed"});
    let stream = format!("logs:/aws/lambda/{FUNCTION}:log-stream:s");
    let may = [
        ("ssm:GetParameters", TOKEN_PARAMETER),
        ("ssm:GetParameters", KEY_PARAMETER),
        ("ssm:GetParameters", "/porchlight/beacon-key-old"),
        ("ssm:GetParameters", &state),
        ("ssm:PutParameter", &state),
        ("logs:PutLogEvents", &stream),
    ];
    let alarm = |name: &str| {
        json!({"AlarmName": name, "ActionsEnabled": true, "AlarmActions": [topic()], "StateValue": "OK",
            "Dimensions": [{"Name": "FunctionName", "Value": FUNCTION}]})
    };
    let alarms = ["ErrorAlarm", "ThrottleAlarm", "SilenceAlarm"].map(alarm);
    vec![
        ("sts-get-caller-identity", json!({"Account": ACCOUNT, "Arn": format!("arn:aws:iam::{ACCOUNT}:user/me")})),
        (
            "lambda-get-function-configuration",
            json!({"FunctionName": FUNCTION, "FunctionArn": function_arn(), "Role": format!("arn:aws:iam::{ACCOUNT}:role/r"),
                "State": "Active", "LastUpdateStatus": "Successful", "Timeout": 55, "MemorySize": 128,
                "LastModified": "2026-11-21T04:30:00.000+0000", "Environment": {"Variables": variables(home, api, metric)}}),
        ),
        (
            "ssm-get-parameters",
            json!({"Parameters": [parameter(TOKEN_PARAMETER, token), parameter(KEY_PARAMETER, key)],
                "InvalidParameters": ["/porchlight/beacon-key-old"]}),
        ),
        ("iam-simulate-principal-policy", json!({"EvaluationResults": may.map(allowed), "IsTruncated": false})),
        (
            "events-list-rules",
            json!({"Rules": [{"Name": "porchlight-schedule-Rule-1", "State": "ENABLED", "ScheduleExpression": "rate(1 minute)"}]}),
        ),
        ("events-list-rule-names-by-target", json!({"RuleNames": ["porchlight-schedule-Rule-1"]})),
        ("events-list-targets-by-rule", json!({"Targets": [{"Id": "1", "Arn": function_arn()}]})),
        ("scheduler-list-schedules", json!({"Schedules": []})),
        ("cloudwatch-describe-alarms", json!({"MetricAlarms": alarms, "CompositeAlarms": []})),
        (
            "sns-list-subscriptions",
            json!({"Subscriptions": [{"TopicArn": topic(), "Protocol": "email", "SubscriptionArn": format!("{}:1", topic())}]}),
        ),
        ("logs-filter-log-events", log(&[report(100, |_| ()), report(40, |_| ())])),
    ]
}

/// A log that says that the home is down: nothing answers there.
pub(crate) fn down(cause: &str) -> Value {
    log(&[report(40, |it| {
        it["targets"][0]["verdict"] = json!("down");
        it["targets"][0]["cause"] = json!(cause);
    })])
}

/// A schedule of Scheduler that runs the function, as the list has it: how often is not in it.
pub(crate) fn scheduled(state: &str) -> Value {
    let one = json!({"Name": "minute", "GroupName": "default", "State": state, "Target": {"Arn": function_arn()}});
    json!({ "Schedules": [one] })
}
