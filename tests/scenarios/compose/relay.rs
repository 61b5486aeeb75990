//! `infra/examples/relay-to-statuspage`, before a keeper in the place of statuspage.io, which has the same API.

use std::fs;

use reqwest::Method;
use serde_json::json;
use tests::{
    process::{Process, file, ours},
    skip::{program, skip},
};

use super::composed::{Composed, Tool};

/// What is upstream's is never the home's.
const UPSTREAMS: &str = "key-of-statuspage-in-the-tests";

/// Where upstream is: an address that containers and reader reach alike.
const UPSTREAM: &str = "10.99.0.1";

/// A latency that no ping of a test measures, and the metric that it is sent to.
const MEASURED: f64 = 4321.5;
const METRIC: &str = "9kbf7d35c070";

/// A keeper with the ids of the example's seed, which relays nothing itself.
async fn upstream(home: &Composed, folder: &tempfile::TempDir) -> Process {
    home.namespace().run(&["ip", "address", "add", &format!("{UPSTREAM}/32"), "dev", "lo"]).await;
    let seed = fs::read_to_string(home.place().join("seed.toml")).expect("a seed").replace("relay = true", "");
    let mut keeper = ours("keeper");
    keeper.env("KEEPER_ADDR", "0.0.0.0:8130").env("KEEPER_TOKEN", UPSTREAMS);
    keeper.env("KEEPER_SEED", file(folder.path(), "seed.toml", &seed));
    keeper.env("DATABASE_URL", format!("sqlite:{}", folder.path().join("keeper.db").display()));
    let mut keeper = Process::start(home.namespace().inside(&keeper));
    keeper.wait_for_message("listening").await;
    keeper
}

#[tokio::test]
async fn what_is_measured_reaches_the_page_upstream_also_after_another_key() {
    let test = "compose-relay";
    if program("curl").is_none() {
        return skip(test, "curl is missing; tests/run installs it");
    }
    let Some(mut home) = Composed::of(test, "examples/relay-to-statuspage", Tool::PodmanCompose).await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let _upstream = upstream(&home, &folder).await;
    home.set("UPSTREAM_URL", format!("http://{UPSTREAM}:8130/v1"));
    home.follow("Start", "", "mistyped\n").await;
    home.sees().await;
    home.keeper_says("/healthz", "\"condition\":\"paused\"").await;
    let reading = json!({"metric": "ping", "at": jiff::Timestamp::now().to_string(), "value": MEASURED, "loss": 0.0});
    let body = Some(json!({"readings": [reading]}));
    assert!(home.keeper(Method::POST, "/porchlight/v1/readings", body).await.contains("stored"));
    home.measures().await;
    home.falls_ill_and_recovers("keeper").await;
    home.restarts("keeper").await;

    home.follow("See", "another-key", &format!("{UPSTREAMS}\n")).await;
    home.keeper_says("/healthz", "\"condition\":\"well\"").await;
    let series = format!("http://{UPSTREAM}:8130/porchlight/v1/series?metric=@{METRIC}&step=1h");
    let authorization = format!("Authorization: OAuth {UPSTREAMS}");
    home.until(&"upstream has it", async || {
        home.curl(&["-H", &authorization, &series]).await.stdout.contains(&format!("\"value\":{MEASURED}"))
    })
    .await;
    home.updates(&["keeper", "beacon"]).await;
    home.keeper_says("/healthz", "\"condition\":\"well\"").await;
    home.stops().await;
}
