//! Secrets and targets in Parameter Store, which is moto: right, missing, replaced.

use serde_json::json;
use shared::proof::Key;
use tests::{
    aws::{Moto, point},
    beacon::Beacon,
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    lambda::{Lambda, probes, rule},
    prober::{Run, probe_with, prober_command},
};

const TOKEN_AT: &str = "/porchlight/statuspage-token";
const KEY_AT: &str = "/porchlight/beacon-key";
const OLD_KEY_AT: &str = "/porchlight/beacon-key-old";

fn key(number: u8) -> String {
    Key::new([number; 32]).expose()
}

/// A command whose secrets are all in Parameter Store.
fn prober(moto: &Moto, home: &str, keeper: &Keeper) -> tokio::process::Command {
    let mut command = prober_command(home, &keeper.api());
    secrets(&mut command, moto);
    command
}

fn secrets(command: &mut tokio::process::Command, moto: &Moto) {
    point(command, &moto.endpoint);
    command
        .env_remove("TOKEN")
        .env("STATUSPAGE_TOKEN_PARAMETER", TOKEN_AT)
        .env("BEACON_KEY_PARAMETER", KEY_AT)
        .env("BEACON_KEY_OLD_PARAMETER", OLD_KEY_AT);
}

/// A function that probes one home, with its secrets there.
fn deployed(beacon: &Beacon, moto: &Moto) -> impl FnOnce(&mut tokio::process::Command) {
    move |command| {
        probes(&beacon.url())(command);
        secrets(command, moto);
    }
}

fn fails(run: &Run, words: &str) {
    let error = run.target["error"].as_str().unwrap_or_default();
    assert!(error.contains(words), "{error}");
    assert_eq!(run.code, Some(1));
}

#[tokio::test]
async fn token_and_key_come_from_parameter_store() {
    let Some(moto) = Moto::start("parameters").await else { return };
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    keeper.set_status("major_outage").await;

    let run = probe_with(prober(&moto, &beacon.url(), &keeper)).await;
    fails(&run, "the parameter /porchlight/beacon-key does not exist");

    // As `--value file://…` stores it, with the file's last line end.
    moto.put_secret(TOKEN_AT, &format!("{TOKEN}\n")).await;
    moto.put_secret(KEY_AT, &format!("{}\n", key(1))).await;
    let run = probe_with(prober(&moto, &beacon.url(), &keeper)).await;
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("changed"), Some(0)), "{:#}", run.report);
    assert_eq!(keeper.status().await, "operational");

    moto.put_secret(KEY_AT, "no-key-at-all").await;
    let run = probe_with(prober(&moto, &beacon.url(), &keeper)).await;
    fails(&run, "the parameter /porchlight/beacon-key: a key is 43 letters");
    assert!(!format!("{:#}{}", run.report, run.stderr).contains("no-key-at-all"), "it is not repeated");
    assert_eq!(run.target["cause"], "key");
    assert_eq!(keeper.status().await, "operational", "what cannot be checked changes nothing");

    moto.put_secret(KEY_AT, &key(1)).await;
    moto.ok(&["ssm", "delete-parameter", "--name", TOKEN_AT]).await;
    let run = probe_with(prober(&moto, &beacon.url(), &keeper)).await;
    fails(&run, "the parameter /porchlight/statuspage-token does not exist");
}

#[tokio::test]
async fn a_replaced_token_is_found_in_the_run_that_is_refused() {
    let Some(moto) = Moto::start("token_rotation").await else { return };
    let (mut keeper, beacon) = (Keeper::with_token_file().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    moto.put_secret(TOKEN_AT, TOKEN).await;
    moto.put_secret(KEY_AT, &key(1)).await;
    let Some(lambda) = Lambda::start("token_rotation", &keeper.api(), deployed(&beacon, &moto)).await else { return };
    assert_eq!(lambda.invoke(&rule()).await["targets"][0]["outcome"], "agrees");

    // statuspage.io has another token from now on; the warm function still holds the old one.
    keeper.replace_token("another-token-of-the-tests");
    let refused = lambda.invoke(&rule()).await;
    let message = refused["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("the token is refused") && message.contains(TOKEN_AT), "{refused:#}");

    moto.put_secret(TOKEN_AT, "another-token-of-the-tests").await;
    keeper.set_status("major_outage").await;
    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["outcome"], "changed", "the new token, in one run: {report:#}");
    assert_eq!(keeper.status().await, "operational");
}

#[tokio::test]
async fn a_key_is_replaced_in_either_order_without_one_false_word() {
    let Some(moto) = Moto::start("key_rotation").await else { return };
    let keeper = Keeper::start().await;
    let beacon = Beacon::with_key("127.0.0.1:0", &key(1)).await;
    let at = beacon.public.to_string();
    moto.put_secret(TOKEN_AT, TOKEN).await;
    moto.put_secret(KEY_AT, &key(1)).await;
    let Some(lambda) = Lambda::start("key_rotation", &keeper.api(), deployed(&beacon, &moto)).await else { return };
    let seen = async || {
        let report = lambda.invoke(&rule()).await;
        let target = &report["targets"][0];
        assert_eq!(
            (target["verdict"].as_str(), target["attempts"].as_array().map(Vec::len)),
            (Some("up"), Some(1)),
            "{report:#}"
        );
        target["attempts"][0]["exchanges"][0]["identity"].as_str().expect("it was asked").to_owned()
    };
    assert_eq!(seen().await, "proven");

    // The prober first: both keys, then the beacon. The warm function has read neither yet.
    moto.put_secret(OLD_KEY_AT, &key(1)).await;
    moto.put_secret(KEY_AT, &key(2)).await;
    assert_eq!(seen().await, "proven", "with the key that it still holds");
    beacon.process.terminate().await;
    let beacon = Beacon::with_key(&at, &key(2)).await;
    assert_eq!(seen().await, "proven", "after one more probe");
    moto.ok(&["ssm", "delete-parameter", "--name", OLD_KEY_AT]).await;
    assert_eq!(seen().await, "proven");

    // The beacon first: the parameter follows before the next run.
    beacon.process.terminate().await;
    let _beacon = Beacon::with_key(&at, &key(3)).await;
    moto.put_secret(KEY_AT, &key(3)).await;
    assert_eq!(seen().await, "proven", "after one more probe");
    assert_eq!(keeper.status().await, "operational");
}

#[tokio::test]
async fn targets_and_their_keys_come_from_parameter_store() {
    let Some(moto) = Moto::start("targets_parameter").await else { return };
    let keeper = Keeper::start().await;
    keeper.set_status("major_outage").await;
    let home = Beacon::with_key("127.0.0.1:0", &key(7)).await;
    moto.put_secret(TOKEN_AT, TOKEN).await;
    moto.put_secret(KEY_AT, &key(1)).await;
    moto.put_secret("/porchlight/keys/cabin", &key(7)).await;
    let targets = json!([{"name": "Cabin", "url": home.url(), "page_id": PAGE, "component_id": COMPONENT,
        "key_parameter": "/porchlight/keys/cabin"}]);
    moto.put_secret("/porchlight/targets", &targets.to_string()).await;
    let mut command = prober(&moto, &home.url(), &keeper);
    for single in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
        command.env_remove(single);
    }
    command.env("TARGETS_PARAMETER", "/porchlight/targets");
    let run = probe_with(command).await;
    assert_eq!((run.target["name"].as_str(), run.target["outcome"].as_str()), (Some("Cabin"), Some("changed")));
    assert_eq!(run.target["attempts"][0]["exchanges"][0]["identity"], "proven");
}

#[tokio::test]
async fn an_events_targets_bring_their_keys() {
    let Some(moto) = Moto::start("event_targets").await else { return };
    let (keeper, home) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(7)).await);
    moto.put_secret(TOKEN_AT, TOKEN).await;
    moto.put_secret("/porchlight/keys/cabin", &key(7)).await;
    let start = |command: &mut tokio::process::Command| {
        secrets(command, &moto);
        command.env_remove("BEACON_KEY_PARAMETER").env_remove("BEACON_KEY_OLD_PARAMETER");
    };
    let Some(lambda) = Lambda::start("event_targets", &keeper.api(), start).await else { return };
    let event = |key: &str| json!({"targets": [{"url": home.url(), "page_id": PAGE, "component_id": COMPONENT, "key_parameter": key}]});
    let report = lambda.invoke(&event("/porchlight/keys/cabin")).await;
    assert_eq!(report["targets"][0]["attempts"][0]["exchanges"][0]["identity"], "proven", "{report:#}");
    let failure = lambda.invoke(&event("/porchlight/keys/nobody")).await;
    let message = failure["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("the parameter /porchlight/keys/nobody does not exist"), "{failure:#}");
}
