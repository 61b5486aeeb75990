//! A home whose keeper has an outside machine's as its upstream: mirror and relay go over TLS that is pinned, under a token of one
//! page.

use std::time::Duration;

use home_beacon::join::exchange;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use shared::fingerprint::Fingerprint;
use tests::{
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    process::file,
    upstream::{LATENCY, ping, relaying, store},
};
use tokio::{
    task::LocalSet,
    time::{Instant, sleep},
};

use super::outside::{Outside, request};

/// A keeper that has just started makes few calls in its first minute.
const LIMIT: Duration = Duration::from_secs(150);

async fn home(outside: &Outside, token: &str, fingerprint: Fingerprint) -> Keeper {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().to_owned();
    Keeper::restart_with(folder, |command| {
        relaying(command, &place, &format!("https://{}/v1", outside.address));
        command.env("UPSTREAM_FINGERPRINT", fingerprint.to_string());
        file(&place, "upstream-token", token);
    })
    .await
}

/// Waits until the keeper at home says that its relay is so.
async fn says(home: &Keeper, so: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let (status, body) = home.own(Method::GET, "/relay", None).await;
        assert_eq!(status, 200, "{body}");
        if so(&body["relay"]) {
            return body["relay"].clone();
        }
        assert!(began.elapsed() < LIMIT, "{body:#}\n{:#?}", home.process.lines());
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_home_that_has_joined_sends_and_copies_until_its_token_is_revoked() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            let answer = exchange(&outside.code(), &request(), Instant::now() + LIMIT).await.expect("it joins");
            let path = format!("/v1/pages/{PAGE}/components/{COMPONENT}");
            let down = json!({"component": {"status": "major_outage"}});
            assert_eq!(outside.call(TOKEN, &Method::PATCH, &path, Some(&down)).await.0, 200);

            let home = home(&outside, answer.token.expose(), outside.fingerprint).await;
            let measured = Timestamp::now();
            store(&home, &[ping(measured, 21.5)]).await;
            let relay = says(&home, |relay| relay["waiting"] == 0 && relay["mirrored_at"].is_string()).await;
            assert_eq!((relay["condition"].as_str(), relay["rejected"].as_i64()), (Some("well"), Some(0)), "{relay}");
            assert_eq!(home.status().await, "major_outage", "what the outside saw is what the home shows");
            let from = measured.as_second() - 300;
            let series = format!("/porchlight/v1/series?metric=@{LATENCY}&from={from}&step=30");
            let (_, series) = outside.own(Method::GET, &series).await;
            assert_eq!(series["points"][0]["value"], 21.5, "{series}");

            let (_, tokens) = outside.own(Method::GET, "/porchlight/v1/tokens").await;
            let id = tokens[0]["id"].as_str().expect("an id");
            assert_eq!(outside.own(Method::DELETE, &format!("/porchlight/v1/tokens/{id}")).await.0, 200);
            store(&home, &[ping(Timestamp::now(), 22.5)]).await;
            let relay = says(&home, |relay| relay["condition"] == "paused").await;
            assert!(relay["reason"].as_str().is_some_and(|why| why.contains("this token was revoked")), "{relay}");
            assert_eq!(relay["rejected"], 0, "nothing is lost: {relay}");

            // Joined again: the token's file is enough.
            let answer = exchange(&outside.code(), &request(), Instant::now() + LIMIT).await.expect("it joins");
            file(home.folder.path(), "upstream-token", answer.token.expose());
            says(&home, |relay| relay["condition"] == "well" && relay["waiting"] == 0).await;
        })
        .await;
}

#[tokio::test]
async fn nothing_is_relayed_to_another_server_and_the_relay_says_why() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            let answer = exchange(&outside.code(), &request(), Instant::now() + LIMIT).await.expect("it joins");
            let home = home(&outside, answer.token.expose(), Fingerprint::of(b"another one")).await;
            store(&home, &[ping(Timestamp::now(), 21.5)]).await;
            let why = "the certificate is another one than the fingerprint that is set here";
            let relay = says(&home, |relay| relay["reason"].as_str().is_some_and(|said| said.contains(why))).await;
            assert!(relay["waiting"].as_i64() > Some(0), "{relay}");
            let (_, tokens) = outside.own(Method::GET, "/porchlight/v1/tokens").await;
            assert_eq!(tokens[0]["last_used_at"], Value::Null, "its token never left");
        })
        .await;
}
