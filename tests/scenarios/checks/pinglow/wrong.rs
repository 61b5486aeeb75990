//! What is refused, and who is.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    checks::{check, register},
    keeper::{Keeper, TOKEN},
    process::{own_address, run},
};

use super::{JPEG, KEY, at, backup, call, start};

/// All routes, each with a call that is right.
fn routes() -> [(Method, &'static str, Option<Value>); 7] {
    [
        (Method::GET, "/checks", None),
        (Method::GET, "/check-status/backup", None),
        (Method::GET, "/performance-data/backup", None),
        (Method::POST, "/check/backup/result", Some(json!({"output": "fine", "status": 0}))),
        (Method::PUT, "/check/backup/mute", None),
        (Method::DELETE, "/check/backup/mute", None),
        (Method::GET, "/openapi.json", None),
    ]
}

#[tokio::test]
async fn what_is_wrong_is_said_in_one_sentence_and_changes_nothing() {
    let keeper = start().await;
    register(&keeper, json!([backup(3600, 600), check("nas")])).await;
    let fine = |more: Value| {
        let mut result = json!({"output": "fine", "status": 0});
        result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(result)
    };
    let (get, put, post) = (Method::GET, Method::PUT, Method::POST);
    let large = "x".repeat(1_600_000);
    for (method, path, body, status, said) in [
        (&get, "/check-status/tv", None, 404, "there is no check tv"),
        (&get, "/check-status/NAS", None, 404, "there is no check NAS"),
        (&get, "/performance-data/tv", None, 404, "there is no check tv"),
        (&post, "/check/tv/result", fine(json!({})), 404, "there is no check tv"),
        (&put, "/check/tv/mute", None, 404, "there is no check tv"),
        (&Method::DELETE, "/check/tv/mute", None, 404, "there is no check tv"),
        (&get, "/performance-data/backup?limit=0", None, 400, "limit: must be a number from 1 to 1000"),
        (&get, "/performance-data/backup?limit=1001", None, 400, "limit: must be a number from 1 to 1000"),
        (&get, "/performance-data/backup?before=yesterday", None, 400, "before: must be a time"),
        (&put, "/check/backup/mute?until=2020-01-01T00:00:00Z", None, 400, "until: it is past already"),
        (&put, "/check/backup/mute?until=tomorrow", None, 400, "until: must be a time"),
        (&put, "/check/backup/mute?until=2099-01-01T00:00:00+01:00", None, 400, "until: must be a time"),
        (&post, "/check/nas/result", fine(json!({})), 409, "nas is no passive check"),
        (&post, "/check/backup/result", Some(json!([])), 400, "the body must be a JSON object"),
        (&post, "/check/backup/result", Some(json!({"status": 0})), 400, "output: is missing"),
        (&post, "/check/backup/result", fine(json!({"status": 7})), 400, "status: must be 0 to 4"),
        (
            &post,
            "/check/backup/result",
            fine(json!({"image_jpg_base64": "R0lGODlh"})),
            400,
            "image_jpg_base64: is no JPEG",
        ),
        (&post, "/check/backup/result", fine(json!({"image_jpg_base64": "?"})), 400, "image_jpg_base64: is no base64"),
        (&post, "/check/backup/result", fine(json!({"output": "a\u{0}b"})), 400, "output: holds the character U+0000"),
        (&post, "/check/backup/result", fine(json!({"output": large})), 413, "a body may have 1500000 bytes"),
        (&post, "/checks", None, 405, "this path does not take that method"),
    ] {
        let (answered, answer) = call(&keeper, method.clone(), path, body).await;
        let sentence = answer["error"].as_str().unwrap_or_default();
        assert!(
            answered == status && sentence.starts_with(said) && !sentence.contains('\n'),
            "{method} {path}: {answered} {answer}"
        );
    }
    let picture = STANDARD.encode([JPEG, &vec![0; (1 << 20) - JPEG.len()]].concat());
    let now = super::get(&keeper, "/check-status/backup").await;
    assert_eq!((&now["status"], &now["notifications_muted"]), (&json!("Pending"), &json!(false)));
    let taken = super::post(&keeper, "backup", json!({"output": "", "status": 0, "image_jpg_base64": picture})).await;
    assert_eq!(taken, (200, Value::Null), "a mebibyte is not too much");
}

#[tokio::test]
async fn without_the_key_nothing_is_shown_at_the_public_listener_nothing_at_all_and_without_the_setting_there_is_nothing()
 {
    let mut keeper = Keeper::start_with(|command| {
        let address = format!("{}:0", own_address());
        command
            .env("KEEPER_PUBLIC_ADDR", address)
            .env("PUBLIC_PING", "true")
            .env("LOG_LEVEL", "trace")
            .env("PINGLOW_API_KEY", KEY);
    })
    .await;
    let line = keeper.process.wait_for_message("public listener: the page, what others show of it, and /api/v2").await;
    let public = format!("http://{}", line["address"].as_str().expect("an address"));
    register(&keeper, json!([backup(3600, 600)])).await;
    for route in routes() {
        for (keys, said) in [
            (&[][..], "there is no header x-api-key"),
            (&["wrong"], "the key is not this keeper's"),
            (&[TOKEN], "the key is not this keeper's"),
            (&[KEY, KEY], "there is more than one header x-api-key"),
        ] {
            let (status, answer) = at(&keeper, &keeper.url, keys, route.clone()).await;
            assert!(
                status == 401 && answer["error"].as_str().unwrap().starts_with(said),
                "{route:?} {keys:?}: {status} {answer}"
            );
        }
        assert_eq!(at(&keeper, &public, &[KEY], route.clone()).await.0, 404, "{route:?}");
        assert_eq!(at(&keeper, &keeper.url, &[KEY], route.clone()).await.0, 200, "{route:?}");
    }
    let with_key = keeper.http.get(format!("{}/porchlight/v1/checks", keeper.url)).header("x-api-key", KEY);
    assert_eq!(with_key.send().await.unwrap().status(), 401, "it opens nothing else");
    assert!(!keeper.process.lines().join("\n").contains(KEY));
    let without = Keeper::start().await;
    register(&without, json!([backup(3600, 600)])).await;
    for route in routes() {
        assert_eq!(at(&without, &without.url, &[KEY], route.clone()).await.0, 404, "{route:?}");
    }
}

#[tokio::test]
async fn a_key_that_can_be_guessed_or_opens_everything_is_refused_at_the_start() {
    for (key, said) in [
        ("short", "PINGLOW_API_KEY has 5 characters"),
        (TOKEN, "PINGLOW_API_KEY is KEEPER_TOKEN, which opens everything here"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = tests::keeper::keeper_command(folder.path());
        keeper.arg("--check").env("PINGLOW_API_KEY", key);
        let ended = run(keeper, Duration::from_secs(20)).await;
        assert!(ended.code == Some(2) && ended.stderr.contains(said), "{ended:?}");
    }
}
