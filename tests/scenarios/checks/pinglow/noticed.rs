//! Of what people are written to, and with which picture.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    checks::{known, register},
    keeper::Keeper,
    notices::{BOT_TOKEN, CHAT, Reply, Service, telegram},
};
use tokio::time::{Instant, sleep};

use super::{JPEG, KEY, backup, call, get, post, start};

#[tokio::test]
async fn a_mute_is_kept_over_a_restart_and_ends_when_it_is_told_to() {
    let keeper = start().await;
    register(&keeper, json!([backup(3600, 600)])).await;
    let muted = async |keeper: &Keeper| {
        let (status, own) = (get(keeper, "/check-status/backup").await, known(keeper, "backup").await);
        assert_eq!(status["notifications_muted"], own["muted"], "{status} {own}");
        assert_eq!(status["notifications_muted_until"], own["muted_until"], "{status} {own}");
        (status["notifications_muted"].clone(), status["notifications_muted_until"].clone())
    };
    let mute = "/check/backup/mute?until=2099-01-01T01:00:00%2B01:00";
    assert_eq!(call(&keeper, Method::PUT, mute, None).await, (200, Value::Null));
    let until_then = (json!(true), json!("2099-01-01T00:00:00.000Z"));
    assert_eq!(muted(&keeper).await, until_then);
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let keeper = Keeper::restart_with(folder, |command| {
        command.env("PINGLOW_API_KEY", KEY);
    })
    .await;
    assert_eq!(muted(&keeper).await, until_then);
    for _ in 0..2 {
        assert_eq!(call(&keeper, Method::DELETE, "/check/backup/mute", None).await, (200, Value::Null));
        assert_eq!(muted(&keeper).await, (json!(false), Value::Null));
    }
    for without_end in ["/check/backup/mute", "/check/backup/mute?until=9999-12-30T22:00:00.999Z"] {
        assert_eq!(call(&keeper, Method::PUT, without_end, None).await.0, 200);
        assert_eq!(muted(&keeper).await, (json!(true), Value::Null), "it has no end");
    }
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    assert_eq!(call(&keeper, Method::PUT, &format!("/check/backup/mute?until={soon}"), None).await.0, 200);
    let until = Instant::now() + Duration::from_secs(20);
    while muted(&keeper).await.0 == true {
        assert!(Instant::now() < until, "it does not end");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn of_what_is_muted_nobody_is_written_to_before_the_end_and_a_picture_goes_to_who_shows_it() {
    let (chat, hook) = (Service::start(telegram).await, Service::start(|_, _| Reply::json(200, &json!({}))).await);
    let urls =
        format!("telegram://{BOT_TOKEN}@telegram?chats={CHAT}&server={}\njson+http://{}/in", chat.url, hook.host());
    let keeper = Keeper::start_with(|command| {
        command.env("PINGLOW_API_KEY", KEY).env("NOTIFY_URLS", &urls);
    })
    .await;
    register(&keeper, json!([backup(3600, 600)])).await;
    let picture = STANDARD.encode(JPEG);
    let result = |status: u8| json!({"output": "as seen|a=1", "status": status, "image_jpg_base64": picture});
    let until = async |count: usize| {
        let until = Instant::now() + Duration::from_secs(60);
        while chat.posted().len() < count || hook.posted().len() < count {
            assert!(Instant::now() < until, "{:?} {:?}", chat.posted().len(), hook.posted().len());
            sleep(Duration::from_millis(20)).await;
        }
    };
    post(&keeper, "backup", result(0)).await;
    post(&keeper, "backup", result(2)).await;
    until(1).await;
    let shown = &chat.posted()[0];
    assert!(shown.target.ends_with("/sendPhoto"), "{}", shown.target);
    assert!(shown.body.windows(JPEG.len()).any(|bytes| bytes == JPEG), "it is the picture");
    assert!(shown.text().contains("Backup is down\n"), "{}", shown.text());
    assert!(hook.posted()[0].json()["data"]["title"].as_str().unwrap().contains("Backup is down"));
    post(&keeper, "backup", json!({"output": "", "status": 0})).await;
    until(2).await;
    assert!(chat.posted()[1].target.ends_with("/sendMessage"), "that one had no picture");

    let end = Timestamp::now() + SignedDuration::from_secs(4);
    assert_eq!(call(&keeper, Method::PUT, &format!("/check/backup/mute?until={end}"), None).await.0, 200);
    post(&keeper, "backup", result(2)).await;
    until(3).await;
    assert!(Timestamp::now() >= end, "it was told before the end");
    assert!(chat.posted()[2].target.ends_with("/sendMessage"), "what is told later is told without");
    assert!(chat.posted()[2].text().contains("Backup is down"), "{}", chat.posted()[2].text());
}
