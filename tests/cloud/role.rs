//! The role of the function: what it may do, and nothing else.

use serde_json::{Value, json};
use tests::aws::{ACCOUNT, Moto, REGION};

fn parameter(name: &str) -> String {
    format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/porchlight/{name}")
}

/// The role's policy, action by action and resource by resource.
pub(crate) async fn may_do_only_what_it_must(moto: &Moto) {
    let resources = moto.ok(&["cloudformation", "describe-stack-resources", "--stack-name", "porchlight-base"]).await;
    let roles = resources["StackResources"].as_array().expect("resources").iter();
    let role = roles
        .filter(|resource| resource["LogicalResourceId"] == "Role")
        .find_map(|role| role["PhysicalResourceId"].as_str());
    let role = role.expect("a role");
    let trust = moto.ok(&["iam", "get-role", "--role-name", role]).await;
    let trust = &trust["Role"]["AssumeRolePolicyDocument"]["Statement"];
    assert_eq!(
        *trust,
        json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}])
    );
    let attached = moto.ok(&["iam", "list-attached-role-policies", "--role-name", role]).await;
    assert_eq!(attached["AttachedPolicies"], json!([]));
    let names = moto.ok(&["iam", "list-role-policies", "--role-name", role]).await;
    assert_eq!(names["PolicyNames"], json!(["porchlight"]));
    let policy = moto.ok(&["iam", "get-role-policy", "--role-name", role, "--policy-name", "porchlight"]).await;
    // moto keeps a stack's policy as Python writes it.
    let text = policy["PolicyDocument"].as_str().expect("a text").replace('\'', "\"");
    let policy: Value = serde_json::from_str(&text).expect("JSON, but for its quotes");
    let its = ["statuspage-token", "beacon-key", "beacon-key-old", "targets", "notify-urls"].map(parameter);
    let expected = json!([
        {"Sid": "ReadItsParameters", "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": its},
        {"Sid": "KeepItsState", "Effect": "Allow", "Action": ["ssm:GetParameters", "ssm:PutParameter"],
            "Resource": parameter("state/*")},
        {"Sid": "DecryptItsParameters", "Effect": "Allow", "Action": "kms:Decrypt",
            "Resource": format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/*"),
            "Condition": {
                "StringEquals": {"kms:ViaService": format!("ssm.{REGION}.amazonaws.com"),
                    "kms:EncryptionContext:PARAMETER_ARN": its},
            }},
        {"Sid": "WriteItsLog", "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/lambda-prober:*")},
    ]);
    assert_eq!(policy["Statement"], expected, "{policy:#}");
}
