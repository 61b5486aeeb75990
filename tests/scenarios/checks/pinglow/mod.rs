//! Pinglow's API, as its clients call it.
//!
//! - `noticed`: mutes and pictures; `wrong`: what is refused, and to whom

mod noticed;
mod wrong;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    binaries::python,
    checks::{check, ran, ran_with, register},
    keeper::Keeper,
    process::{command, run},
    skip::skip,
};
use tokio::time::{Instant, sleep};

use super::passive::backup;

const KEY: &str = "key-of-pinglow-clients";

/// The smallest of what says that it is a JPEG: of 2 by 3 pixels.
const JPEG: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\x00\x0b\x08\x00\x03\x00\x02\x01\x01\x11\x00\xff\xd9";

async fn start() -> Keeper {
    Keeper::start_with(|command| {
        command.env("PINGLOW_API_KEY", KEY);
    })
    .await
}

async fn at(
    keeper: &Keeper,
    url: &str,
    keys: &[&str],
    (method, path, body): (Method, &str, Option<Value>),
) -> (u16, Value) {
    let mut request = keeper.http.request(method, format!("{url}{path}"));
    for key in keys {
        request = request.header("x-api-key", *key);
    }
    let request = if let Some(body) = body { request.json(&body) } else { request };
    let answer = request.send().await.expect("an answer");
    let (status, text) = (answer.status().as_u16(), answer.text().await.expect("a body"));
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn call(keeper: &Keeper, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    at(keeper, &keeper.url, &[KEY], (method, path, body)).await
}

async fn get(keeper: &Keeper, path: &str) -> Value {
    let (status, answer) = call(keeper, Method::GET, path, None).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn post(keeper: &Keeper, name: &str, result: Value) -> (u16, Value) {
    call(keeper, Method::POST, &format!("/check/{name}/result"), Some(result)).await
}

#[tokio::test]
async fn a_client_of_pinglow_finds_what_it_knows() {
    let keeper = start().await;
    register(&keeper, json!([backup(3600, 600), check("nas")])).await;
    let listed = json!([
        {"check_name": "backup", "passive": true, "interval": null},
        {"check_name": "nas", "passive": false, "interval": 60},
    ]);
    assert_eq!(get(&keeper, "/checks").await, listed);
    let pending = json!({"check_name": "backup", "passive": true, "output": "It has not run yet.", "status": "Pending",
        "timestamp": null, "notifications_muted": false, "notifications_muted_until": null, "stale": false});
    assert_eq!(get(&keeper, "/check-status/backup").await, pending);
    assert_eq!(get(&keeper, "/performance-data/backup").await, json!({}));
    for (status, word) in [(0, "Ok"), (1, "Warning"), (2, "Critical"), (3, "CheckError"), (4, "Pending"), (0, "Ok")] {
        let taken = post(
            &keeper,
            "backup",
            json!({"output": format!("said {word}|files={status},Time=0.5"), "status": status}),
        )
        .await;
        assert_eq!(taken, (200, Value::Null));
        let now = get(&keeper, "/check-status/backup").await;
        assert_eq!((&now["status"], &now["output"]), (&json!(word), &json!(format!("said {word}"))), "{now}");
        let age = Timestamp::now() - now["timestamp"].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert!(age.get_seconds() < 60, "{now}");
        // Each of them is a run of another millisecond.
        sleep(Duration::from_millis(5)).await;
    }
    let figures = get(&keeper, "/performance-data/backup").await;
    let runs: Vec<&Value> = figures.as_object().unwrap().values().collect();
    assert_eq!(runs.len(), 6, "{figures}");
    assert_eq!((runs[0], runs[2]), (&json!({"files": 0.0, "Time": 0.5}), &json!({"files": 2.0, "Time": 0.5})));
    let (page, next) = paged(&keeper, "/performance-data/backup?limit=4").await;
    assert_eq!(page.as_object().unwrap().values().collect::<Vec<_>>(), runs[2..], "{page}");
    let (rest, none) = paged(&keeper, &next.expect("there are older ones")).await;
    assert_eq!((rest.as_object().unwrap().values().collect::<Vec<_>>().as_slice(), none), (&runs[..2], None), "{rest}");

    ran(&keeper, "nas", 0, "ok").await;
    assert_eq!(get(&keeper, "/check-status/nas").await["status"], "Ok");
}

async fn paged(keeper: &Keeper, path: &str) -> (Value, Option<String>) {
    let answer = keeper.http.get(format!("{}{path}", keeper.url)).header("x-api-key", KEY).send().await.unwrap();
    let link = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
    let next =
        link.map(|link| link.trim_start_matches('<').split_once(">; rel=\"next\"").expect("it is next").0.to_owned());
    (answer.json().await.unwrap(), next)
}

#[tokio::test]
async fn a_result_that_nothing_has_followed_is_no_good_one() {
    let keeper = start().await;
    register(&keeper, json!([backup(5, 600), check("nas")])).await;
    ran_with(&keeper, "nas", 400, "ok", json!({"text": "all is well"})).await;
    let nas = get(&keeper, "/check-status/nas").await;
    assert_eq!((&nas["status"], &nas["stale"]), (&json!("CheckError"), &json!(true)), "{nas}");
    assert!(nas["output"].as_str().unwrap().ends_with("nothing is known of it since. It was Ok: all is well"), "{nas}");
    assert_eq!(post(&keeper, "backup", json!({"output": "fine", "status": "Ok"})).await.0, 200);
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let backup = get(&keeper, "/check-status/backup").await;
        if backup["stale"] == true {
            assert_ne!(backup["status"], "Ok", "{backup}");
            break;
        }
        assert!(backup["status"] == "Ok" && Instant::now() < until, "{backup}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_description_is_valid_openapi() {
    let Some(python) = python() else {
        return skip("the_description_is_valid_openapi", "TESTS_PYTHON is missing; tests/run installs it");
    };
    let keeper = start().await;
    let mut document = get(&keeper, "/openapi.json").await;
    let folder = tempfile::tempdir().unwrap();
    let validated = async |document: &Value| {
        let file = folder.path().join("openapi.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let mut validator = command(&python);
        validator.args(["-m", "openapi_spec_validator"]).arg(file);
        run(validator, Duration::from_secs(60)).await
    };
    let said = validated(&document).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    document["paths"]["/checks"]["get"]["responses"]["200"]["description"] = json!(5);
    assert_ne!(validated(&document).await.code, Some(0), "what is wrong is found");
}
