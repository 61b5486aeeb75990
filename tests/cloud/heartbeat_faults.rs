//! A `DynamoDB` that misbehaves, in the error shapes of AWS: what is answered to homes, and that no page is flipped by it.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{
    heartbeat::{Answer, Outcome},
    proof::Key,
};
use tests::{
    aws::{Reply, ScriptedStore, point},
    keeper::Keeper,
    prober::{Run, probe_with, prober_command},
    process::{ours, run},
};

use crate::heartbeats::{TABLE, client, heartbeat, key, receiver, said};

fn error(code: &'static str) -> Reply {
    Reply::Error(400, code, "as AWS says it")
}

/// What a home is answered where the table does that.
async fn answered(scene: &str, reply: Reply) -> Option<(u16, String, Result<Answer, String>)> {
    let store = ScriptedStore::open([], reply).await;
    let function = receiver(scene, &store.endpoint).await?;
    let signed = heartbeat(5).sign(&key());
    let answer = client().post(function.url()).body(signed.as_str().to_owned()).send().await.expect("an answer");
    let (status, text) = (answer.status().as_u16(), answer.text().await.expect("a text"));
    let calls: Vec<String> = store.calls().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(calls, ["DynamoDB_20120810.UpdateItem"]);
    let verified = signed.answer(&key(), text.as_bytes()).map_err(|error| error.to_string());
    Some((status, text, verified))
}

#[tokio::test]
async fn a_table_that_fails_is_told_to_the_home_as_503_and_one_that_has_a_later_one_as_409() {
    let stored = answered("faults_stored", Reply::Json(json!({}))).await;
    let Some((status, _, Ok(verified))) = stored else { return assert!(stored.is_none(), "{stored:?}") };
    assert_eq!((status, verified.outcome), (200, Outcome::Stored));
    let Some((status, text, verified)) = answered("faults_later", error("ConditionalCheckFailedException")).await
    else {
        return;
    };
    assert_eq!(
        (status, verified.map(|verified| (verified.outcome, verified.newest))),
        (409, Ok((Outcome::NotLater, 5))),
        "{text}"
    );
    for reply in [
        error("ProvisionedThroughputExceededException"),
        error("ResourceNotFoundException"),
        error("AccessDeniedException"),
        Reply::Error(500, "InternalServerError", "sorry"),
        Reply::Html,
        Reply::Dropped,
        Reply::Silence(Duration::from_secs(60)),
    ] {
        let Some((status, text, verified)) = answered("faults_failing", reply.clone()).await else { return };
        assert_eq!((status, verified.is_err()), (503, true), "{reply:?}: {text}");
    }
}

/// A run on a home that only sends heartbeats, where the table does that.
async fn judged(replies: Vec<Reply>, then: Reply) -> (Run, Vec<Value>, String) {
    let (keeper, store) = (Keeper::start().await, ScriptedStore::open(replies, then).await);
    let mut command = prober_command("", &keeper.api());
    command.env_remove("CANARY_URL");
    point(&mut command, &store.endpoint);
    command.env("BEACON_KEY", key().expose()).env("HEARTBEAT_TABLE", TABLE).env("HEARTBEAT_URL", "http://127.0.0.1:9/");
    let run = probe_with(command).await;
    (run, store.calls().into_iter().map(|(_, body)| body).collect(), keeper.status().await)
}

#[tokio::test]
async fn a_table_that_cannot_be_read_is_nobody_s_outage() {
    for (reply, words) in [
        (error("ProvisionedThroughputExceededException"), "DynamoDB takes no more calls for now"),
        (error("AccessDeniedException"), "DynamoDB denies it (AccessDeniedException)"),
        (error("ResourceNotFoundException"), "there is no such table"),
        (error("UnrecognizedClientException"), "there are no credentials for DynamoDB"),
        (Reply::Html, "the answer is not from DynamoDB"),
        (Reply::Silence(Duration::from_secs(120)), "DynamoDB does not answer"),
    ] {
        let (run, _, status) = judged(Vec::new(), reply).await;
        assert_eq!(
            (said(&run), run.code, status.as_str()),
            (("unknown", "heartbeats"), Some(0), "operational"),
            "{words}"
        );
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

#[tokio::test]
async fn what_was_throttled_is_asked_for_once_more() {
    let received = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let heartbeat = heartbeat(5);
    let item = json!({"home": {"S": heartbeat.home}, "seq": {"N": "5"}, "received": {"N": received.to_string()},
        "line": {"S": heartbeat.to_string()}});
    let answer = json!({"Responses": {TABLE: [item]}, "UnprocessedKeys": {}});
    let (run, calls, _) = judged(vec![error("ThrottlingException")], Reply::Json(answer.clone())).await;
    assert_eq!((said(&run), calls.len()), (("up", "none"), 2), "{:#}", run.report);
    // Only the prober's own is left over: what is not known of one is not known of any.
    let left =
        json!({"Responses": {TABLE: []}, "UnprocessedKeys": {TABLE: {"Keys": [{"home": {"S": heartbeat.home}}]}}});
    let (run, calls, _) = judged(vec![Reply::Json(left.clone())], Reply::Json(answer)).await;
    assert_eq!(said(&run), ("up", "none"));
    assert_eq!(calls[1]["RequestItems"], left["UnprocessedKeys"]);
    let (run, ..) = judged(Vec::new(), Reply::Json(left)).await;
    assert_eq!(said(&run), ("unknown", "heartbeats"));
}

#[tokio::test]
async fn a_table_in_another_region_or_a_home_without_a_way_to_be_judged_is_one_sentence() {
    for (variables, words) in [
        (
            &[("HEARTBEAT_TABLE", "arn:aws:dynamodb:us-east-1:123456789012:table/hearts"), ("BEACON_KEY", "K")][..],
            "HEARTBEAT_TABLE is in us-east-1, and this prober is in eu-central-1",
        ),
        (
            &[
                ("HEARTBEAT_TABLE", TABLE),
                ("BEACON_KEY", "K"),
                ("HEARTBEAT_URL", "http://127.0.0.1:9/"),
                ("PARAMETERS_REGION", "us-east-1"),
            ],
            "this prober in eu-central-1 is a second one beside us-east-1",
        ),
        (&[("HEARTBEAT_TABLE", "a table")], "a table is named by 3 to 255 letters"),
        (&[("HEARTBEAT_TABLE", TABLE), ("BEACON_KEY", "K")], "set HEARTBEAT_URL or HEARTBEAT_URL_PARAMETER"),
        (&[("HEARTBEAT_TABLE", TABLE)], "has no key that they are signed with"),
        (
            &[("HEARTBEAT_TABLE", TABLE), ("HEARTBEAT_URL", "ftp://x/secret-path")],
            "HEARTBEAT_URL: an address begins with",
        ),
        (&[("HEARTBEAT_TABLE", TABLE), ("RECEIVE_HEARTBEATS", "true")], "RECEIVE_HEARTBEATS is for a Lambda function"),
    ] {
        let mut command = ours("lambda-prober");
        command.args(["--once"]).env("TOKEN", "t").env("PAGE_ID", "gytm4qzbx9t6").env("COMPONENT_ID", "8kbf7d35c070");
        point(&mut command, "http://127.0.0.1:9");
        for (name, value) in variables {
            command.env(name, if *value == "K" { Key::new([1; 32]).expose() } else { (*value).to_owned() });
        }
        let ended = run(command, Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(2), "{words}: {}", ended.stderr);
        assert!(ended.stderr.contains(words) && !ended.stderr.contains("secret-path"), "{words}: {}", ended.stderr);
    }
}
