//! The template of the function that takes heartbeats: what moto does not enforce, and what AWS asks of a URL.

use serde_json::{Value, json};

use crate::templates::template;

const PATH: &str = "infra/heartbeat.yaml";

fn properties(template: &Value, name: &str) -> Value {
    template["Resources"][name]["Properties"].clone()
}

#[tokio::test]
async fn a_url_has_both_permissions_that_it_needs() {
    let Some(template) = template(PATH).await else { return };
    let function = json!({"Fn::GetAtt": ["HeartbeatFunction", "Arn"]});
    let url = properties(&template, "HeartbeatUrl");
    assert_eq!((&url["AuthType"], &url["TargetFunctionArn"]), (&json!("NONE"), &function));
    let by_url = json!({"FunctionName": function, "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
        "FunctionUrlAuthType": "NONE"});
    assert_eq!(properties(&template, "HeartbeatUrlPermission"), by_url);
    let invoked = json!({"FunctionName": function, "Action": "lambda:InvokeFunction", "Principal": "*",
        "InvokedViaFunctionUrl": true});
    assert_eq!(properties(&template, "HeartbeatInvokePermission"), invoked, "and by its URL only");
}

#[tokio::test]
async fn the_function_is_another_one_with_a_reserve_and_a_quiet_log() {
    let Some(template) = template(PATH).await else { return };
    let function = properties(&template, "HeartbeatFunction");
    assert_eq!(function["FunctionName"], json!({"Fn::Sub": "${FunctionName}-heartbeat"}));
    let reserve = json!({"Fn::If": ["HasReserve", {"Ref": "Concurrency"}, {"Ref": "AWS::NoValue"}]});
    assert_eq!(function["ReservedConcurrentExecutions"], reserve);
    let concurrency = &template["Parameters"]["Concurrency"];
    assert_eq!(concurrency["Default"], 2);
    let allowed = concurrency["AllowedValues"].as_array().expect("values");
    assert!(
        allowed.iter().all(|value| *value == 0 || value.as_i64() >= Some(2)),
        "one would be throttled by one home: {allowed:?}"
    );
    assert_eq!(function["LoggingConfig"], json!({"LogFormat": "JSON", "SystemLogLevel": "WARN"}));
    let variables = &function["Environment"]["Variables"];
    assert_eq!(
        (&variables["RECEIVE_HEARTBEATS"], &variables["HEARTBEAT_TABLE"]),
        (&json!("true"), &json!({"Ref": "HeartbeatTable"}))
    );
}

#[tokio::test]
async fn the_table_is_what_the_always_free_tier_covers_and_each_may_do_one_thing_with_it() {
    let Some(template) = template(PATH).await else { return };
    let table = properties(&template, "HeartbeatTable");
    assert_eq!(table["BillingMode"], "PROVISIONED");
    let units = json!({"Ref": "CapacityUnits"});
    assert_eq!(table["ProvisionedThroughput"], json!({"ReadCapacityUnits": units, "WriteCapacityUnits": units}));
    assert_eq!(template["Parameters"]["CapacityUnits"]["Default"], 1);
    let arn = json!({"Fn::GetAtt": ["HeartbeatTable", "Arn"]});
    let of_tables = |statements: &Value| -> Vec<Value> {
        let statements = statements.as_array().expect("statements").iter();
        statements.filter(|it| it["Action"].to_string().contains("dynamodb")).cloned().collect()
    };
    for (role, action) in [
        (&properties(&template, "HeartbeatRole")["Policies"][0]["PolicyDocument"]["Statement"], "dynamodb:UpdateItem"),
        (&properties(&template, "ReadHeartbeatsPolicy")["PolicyDocument"]["Statement"], "dynamodb:BatchGetItem"),
    ] {
        let found = of_tables(role);
        assert!(matches!(&found[..], [one] if one["Action"] == action && one["Resource"] == arn), "{found:#?}");
        assert!(!role.to_string().contains("\"*\""), "nothing is allowed for everything: {role:#}");
    }
    assert_eq!(
        properties(&template, "ReadHeartbeatsPolicy")["Roles"],
        json!([{"Fn::ImportValue": {"Fn::Sub": "${BaseStack}-RoleName"}}])
    );
}

#[tokio::test]
async fn a_flood_is_an_alarm_and_the_address_is_in_no_output() {
    let Some(template) = template(PATH).await else { return };
    let alarm = properties(&template, "HeartbeatFloodAlarm");
    let found =
        ["MetricName", "Namespace", "Statistic", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator"];
    let found: Vec<&Value> = found.iter().map(|name| &alarm[name]).collect();
    let expected =
        json!(["UrlRequestCount", "AWS/Lambda", "Sum", 300, 1, {"Ref": "AlarmAbove"}, "GreaterThanThreshold"]);
    assert_eq!(json!(found), expected);
    // Three times five of a home's and five of the prober's own.
    assert_eq!(template["Parameters"]["AlarmAbove"]["Default"], 30);
    let outputs = template["Outputs"].to_string();
    assert!(!outputs.contains("FunctionUrl") && !outputs.contains("HeartbeatUrl"), "{outputs}");
}
