//! Worlds in which something is broken of what takes heartbeats.

use serde_json::{Value, json};

use crate::{
    cloud::broken,
    variant::{Variant, each_is_named, each_is_well},
    world::World,
};

const PROBER: &str = "lambda-get-function-configuration";
const RECEIVER: &str = "lambda-get-function-configuration-lambda-prober-heartbeat";
const URL: &str = "https://kq7ub2x9d4n6w3.lambda-url.eu-central-1.on.aws/";
const PARAMETER: &str = "/porchlight/heartbeat-url";

/// A home that sends heartbeats, and what takes them, as the stack makes it.
fn send(variant: &mut Variant) {
    variant.aws_says(PROBER, |it| {
        it["Environment"]["Variables"]["HEARTBEAT_TABLE"] = json!("lambda-prober-heartbeats");
        it["Environment"]["Variables"]["HEARTBEAT_URL_PARAMETER"] = json!(PARAMETER);
    });
    variant.aws_says("ssm-get-parameters", |it| {
        let parameter = json!({"Name": PARAMETER, "Value": URL, "Type": "String", "Version": 1});
        it["Parameters"].as_array_mut().expect("parameters").push(parameter);
    });
    let variables = json!({"RECEIVE_HEARTBEATS": "true", "HEARTBEAT_TABLE": "lambda-prober-heartbeats"});
    let function =
        json!({"FunctionName": "lambda-prober-heartbeat", "State": "Active", "Environment": {"Variables": variables}});
    let allow = |action: &str| json!({"Effect": "Allow", "Principal": "*", "Action": action});
    let allowed = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"].map(allow);
    let policy = json!({ "Statement": allowed });
    let table = json!({"TableStatus": "ACTIVE", "KeySchema": [{"AttributeName": "home", "KeyType": "HASH"}]});
    variant.aws(RECEIVER, &function);
    variant.aws("lambda-get-function-url-config", &json!({"FunctionUrl": URL, "AuthType": "NONE"}));
    variant.aws("lambda-get-policy", &json!({"Policy": policy.to_string(), "RevisionId": "1"}));
    variant.aws("dynamodb-describe-table", &json!({ "Table": table }));
    variant.set("HEARTBEAT_URL", URL);
}

#[tokio::test]
async fn what_takes_heartbeats_is_well_or_named_first_and_alone() {
    let Some(world) = World::new("receiver").await else { return };
    let with = |name, link, words, change: fn(&mut Variant)| {
        let (name, link, words, mut variant) = broken(&world, name, link, words, send);
        change(&mut variant);
        (name, link, words, variant)
    };
    let well = with("a receiver that is well", "receiver", "which this home sends to", |_| ());
    let unseen = with("a receiver that may not be seen", "receiver", "may not see it", |v| {
        v.aws_refuses("lambda-get-policy", "AccessDeniedException");
    });
    each_is_well(&world.namespace, vec![(well, "ok"), (unseen, "not_conclusive")]).await;
    let worlds = vec![
        with("no function that takes heartbeats", "receiver", "there is no function lambda-prober-heartbeat", |v| {
            v.aws_refuses(RECEIVER, "ResourceNotFoundException");
        }),
        with("no table of heartbeats", "receiver", "there is no table lambda-prober-heartbeats", |v| {
            v.aws_refuses("dynamodb-describe-table", "ResourceNotFoundException");
        }),
        with("a URL without its second permission", "receiver", "lacks the permission lambda:InvokeFunction", |v| {
            v.aws_says("lambda-get-policy", |it| {
                let mut policy: Value = serde_json::from_str(it["Policy"].as_str().expect("a policy")).expect("JSON");
                policy["Statement"].as_array_mut().expect("statements").pop();
                it["Policy"] = json!(policy.to_string());
            });
        }),
        with("an address that nobody told the prober", "receiver", "/porchlight/heartbeat-url does not exist", |v| {
            v.aws_says("ssm-get-parameters", |it| {
                it["Parameters"].as_array_mut().expect("parameters").pop();
            });
        }),
        with("an address that was replaced", "receiver", "HEARTBEAT_URL here is another address", |v| {
            v.set("HEARTBEAT_URL", "https://retired.lambda-url.eu-central-1.on.aws/");
        }),
        with("a prober that reads no heartbeats", "receiver", "it judges no home by its heartbeats", |v| {
            v.aws_says(PROBER, |it| {
                it["Environment"]["Variables"].as_object_mut().expect("variables").remove("HEARTBEAT_TABLE");
            });
        }),
    ];
    each_is_named(&world.namespace, worlds).await;
}
