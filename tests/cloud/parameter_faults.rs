//! A Parameter Store that misbehaves, in the error shapes of AWS: what the prober says, how often it asks, and that it
//! never flips a page because of it.

use std::time::{Duration, Instant};

use shared::proof::Key;
use tests::{
    aws::{Reply, ScriptedStore, point},
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    lambda::{Lambda, probes, rule},
    prober::{Run, probe_with, prober_command},
};

const KEY_AT: &str = "/porchlight/beacon-key";
const TOKEN_AT: &str = "/porchlight/statuspage-token";

fn key(number: u8) -> String {
    Key::new([number; 32]).expose()
}

struct Scene {
    keeper: Keeper,
    store: ScriptedStore,
    run: Run,
    took: Duration,
}

/// The home answers, its key is in a store that plays `replies`, then `then`; the token is at hand.
async fn play(replies: &[Reply], then: Reply) -> Scene {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    let store = ScriptedStore::open(replies.iter().cloned(), then).await;
    let mut command = prober_command(&beacon.url(), &keeper.api());
    point(&mut command, &store.endpoint);
    command.env("BEACON_KEY_PARAMETER", KEY_AT);
    let start = Instant::now();
    let run = probe_with(command).await;
    Scene { keeper, store, run, took: start.elapsed() }
}

impl Scene {
    /// The run was unknown, said why, and left the page alone.
    async fn says(&self, words: &str) {
        assert_eq!((self.run.target["cause"].as_str(), self.run.code), (Some("key"), Some(1)), "{:#}", self.run.report);
        let error = self.run.target["error"].as_str().expect("a reason");
        assert!(error.contains(words) && error.contains(KEY_AT), "{error}");
        assert_eq!(self.keeper.status().await, "operational");
        assert!(self.took < Duration::from_secs(52), "{:?}", self.took);
    }
}

fn error(status: u16, code: &'static str, message: &'static str) -> Reply {
    Reply::Error(status, code, message)
}

#[tokio::test]
async fn a_denial_is_reported_in_the_words_of_aws_with_what_to_check() {
    let denied = error(
        400,
        "AccessDeniedException",
        "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ssm:GetParameters",
    );
    let scene = play(&[], denied).await;
    scene.says("AccessDeniedException: User: arn:aws:sts::1:assumed-role/x is not authorized").await;
    scene.says("the role must allow it, as infra/base.yaml does").await;
    assert_eq!(scene.store.calls().len(), 2, "at the start, and once more before it counts");
}

#[tokio::test]
async fn throttling_is_waited_for_within_the_call() {
    let throttled = error(400, "ThrottlingException", "Rate exceeded");
    let good = Reply::Parameters(vec![(KEY_AT, key(1))]);
    let scene = play(&[throttled.clone(), throttled], good).await;
    assert_eq!((scene.run.target["verdict"].as_str(), scene.run.code), (Some("up"), Some(0)), "{:#}", scene.run.report);
    assert_eq!(scene.store.calls().len(), 3);
}

#[tokio::test]
async fn endless_throttling_is_reported() {
    play(&[], error(400, "ThrottlingException", "Rate exceeded")).await.says("the account makes too many calls").await;
}

#[tokio::test]
async fn credentials_that_aws_does_not_know_are_reported() {
    let unknown = error(400, "UnrecognizedClientException", "The security token included in the request is invalid.");
    play(&[], unknown).await.says("this machine's AWS credentials").await;
}

#[tokio::test]
async fn a_store_that_says_nothing_costs_seconds_and_not_the_run() {
    let scene = play(&[], Reply::Silence(Duration::from_secs(120))).await;
    scene.says("no answer in time").await;
    let attempts = scene.run.target["attempts"].as_array().expect("attempts").clone();
    assert!(attempts[0]["started_ms"].as_f64().expect("a time") < 1000.0, "observing does not wait: {attempts:#?}");
}

#[tokio::test]
async fn a_store_that_hangs_up_is_unreachable() {
    play(&[], Reply::Dropped).await.says("the next run tries again").await;
}

#[tokio::test]
async fn an_html_page_is_no_parameter() {
    play(&[], Reply::Html).await.says("the answer is not from Parameter Store").await;
}

#[tokio::test]
async fn a_closed_endpoint_is_unreachable() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    let closed = Home::open(Manner::Refuses).await;
    let mut command = prober_command(&beacon.url(), &keeper.api());
    point(&mut command, &format!("http://{}", closed.address));
    command.env("BEACON_KEY_PARAMETER", KEY_AT);
    let run = probe_with(command).await;
    let error = run.target["error"].as_str().expect("a reason");
    assert!(error.contains("(no connection)"), "{error}");
}

#[tokio::test]
async fn without_credentials_it_says_so() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    let mut command = prober_command(&beacon.url(), &keeper.api());
    command
        .env("BEACON_KEY_PARAMETER", KEY_AT)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent");
    let run = probe_with(command).await;
    let error = run.target["error"].as_str().expect("a reason");
    assert!(error.contains("credentials"), "{error}");
}

#[tokio::test]
async fn a_home_that_is_down_is_down_whatever_the_store_says() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    let store = ScriptedStore::open([], error(400, "AccessDeniedException", "no")).await;
    let mut command = prober_command(&home.url(), &keeper.api());
    point(&mut command, &store.endpoint);
    command.env("BEACON_KEY_PARAMETER", KEY_AT);
    let run = probe_with(command).await;
    assert_eq!(run.target["cause"], "refused", "{:#}", run.report);
    assert_eq!(keeper.status().await, "major_outage");
}

#[tokio::test]
async fn a_warm_function_asks_once_and_what_it_holds_outlives_the_store() {
    let keeper = Keeper::start().await;
    let beacon = Beacon::with_key("127.0.0.1:0", &key(1)).await;
    let at = beacon.public.to_string();
    let good = Reply::Parameters(vec![(KEY_AT, key(1)), (TOKEN_AT, TOKEN.to_owned())]);
    let store = ScriptedStore::open([good], error(500, "InternalServerError", "we are sorry")).await;
    let start = |command: &mut tokio::process::Command| {
        probes(&beacon.url())(command);
        point(command, &store.endpoint);
        command
            .env_remove("TOKEN")
            .env("STATUSPAGE_TOKEN_PARAMETER", TOKEN_AT)
            .env("BEACON_KEY_PARAMETER", KEY_AT)
            .env("BEACON_KEY_OLD_PARAMETER", "/porchlight/beacon-key-old");
    };
    let Some(lambda) = Lambda::start("warm_store", &keeper.api(), start).await else { return };
    for _ in 0..3 {
        assert_eq!(lambda.invoke(&rule()).await["targets"][0]["outcome"], "agrees");
    }
    let calls = store.calls();
    assert_eq!(calls.len(), 1, "one call for all of them, and none while they are fresh: {calls:#?}");
    let (operation, body) = &calls[0];
    assert_eq!((operation.as_str(), body["WithDecryption"].as_bool()), ("GetParameters", Some(true)));
    assert_eq!(body["Names"].as_array().map(Vec::len), Some(3));

    // A stranger makes it read the key again, and the store fails: the key that it holds stands.
    beacon.process.terminate().await;
    let _stranger = Beacon::with_key(&at, &key(2)).await;
    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["cause"], "impostor", "{report:#}");
    assert_eq!(keeper.status().await, "major_outage");
}

/// However slow the secrets are, attempts are as far apart as they should be: a short outage must not count twice.
#[tokio::test]
async fn a_slow_store_does_not_move_attempts_together() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Refuses).await);
    let store = ScriptedStore::open([], Reply::Silence(Duration::from_secs(120))).await;
    let mut command = prober_command(&home.url(), &keeper.api());
    point(&mut command, &store.endpoint);
    command.env("BEACON_KEY_PARAMETER", KEY_AT);
    let run = probe_with(command).await;
    let started = |attempt: &serde_json::Value| attempt["started_ms"].as_f64().expect("a time");
    let started: Vec<f64> = run.target["attempts"].as_array().expect("attempts").iter().map(started).collect();
    assert_eq!(started.len(), 3);
    assert!(started.windows(2).all(|pair| pair[1] - pair[0] > 4_900.0), "{started:?}");
}

#[tokio::test]
async fn a_useless_old_key_does_not_blind_a_home_whose_key_is_right() {
    let old_at = "/porchlight/beacon-key-old";
    for old in ["none", " "] {
        let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
        let secrets = Reply::Parameters(vec![(KEY_AT, key(1)), (old_at, old.to_owned())]);
        let store = ScriptedStore::open([], secrets).await;
        let mut command = prober_command(&beacon.url(), &keeper.api());
        point(&mut command, &store.endpoint);
        command.env("BEACON_KEY_PARAMETER", KEY_AT).env("BEACON_KEY_OLD_PARAMETER", old_at);
        let run = probe_with(command).await;
        assert_eq!((run.target["verdict"].as_str(), run.code), (Some("up"), Some(0)), "{:#}", run.report);
    }
}

/// AWS denies ten names for one: what is allowed is asked for again by itself.
#[tokio::test]
async fn a_key_that_is_denied_blinds_only_its_own_home() {
    let (keeper, home) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    let allowed = vec![(KEY_AT, key(1)), (TOKEN_AT, TOKEN.to_owned())];
    let store = ScriptedStore::open([], Reply::Denying("/elsewhere/cabin", allowed)).await;
    let target = |component: &str, key: Option<&str>| {
        let mut target = serde_json::json!({"url": home.url(), "page_id": PAGE, "component_id": component});
        target["key_parameter"] = key.into();
        target
    };
    let targets = serde_json::json!([target(COMPONENT, None), target("9lcg8e46d181", Some("/elsewhere/cabin"))]);
    let mut command = prober_command(&home.url(), &keeper.api());
    for single in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID", "TOKEN"] {
        command.env_remove(single);
    }
    point(&mut command, &store.endpoint);
    command
        .env("TARGETS", targets.to_string())
        .env("STATUSPAGE_TOKEN_PARAMETER", TOKEN_AT)
        .env("BEACON_KEY_PARAMETER", KEY_AT);
    let run = probe_with(command).await;
    assert_eq!(run.target["outcome"], "agrees", "{:#}", run.report);
    assert_eq!(run.report["targets"][1]["cause"], "key", "{:#}", run.report);
}
