//! Checks that call us, as `curl` and the clients of healthchecks.io do.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use shared::fingerprint::Fingerprint;
use tests::{
    checks::{known, register, status},
    keeper::Keeper,
};
use tokio::time::{Instant, sleep};

pub(crate) const SECRET: &str = "c4f6c2a8-0b6e-4b2c-9a37-5d0f6f8a1e42";

pub(crate) fn backup(period: u32, grace: u32) -> Value {
    json!({"name": "backup", "title": "Backup", "kind": "passive", "target": "", "every_seconds": period, "component": "own",
        "passive": {"period_seconds": period, "grace_seconds": grace, "secret_sha256": Fingerprint::of(SECRET.as_bytes()).to_string()}})
}

async fn call(keeper: &Keeper, method: Method, rest: &str) -> (u16, String) {
    call_at(&keeper.http, &keeper.url, method, rest).await
}

async fn call_at(client: &Client, url: &str, method: Method, rest: &str) -> (u16, String) {
    let answer = client.request(method, format!("{url}/porchlight/v1/ping/{rest}")).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

#[tokio::test]
async fn a_job_that_calls_is_known_by_what_it_says() {
    let keeper = Keeper::start().await;
    let component = register(&keeper, json!([backup(3600, 600)])).await.remove(0);
    let ok = (200, "OK".to_owned());
    for (method, action, expected) in [
        (Method::GET, "", "operational"),
        (Method::POST, "/fail", "major_outage"),
        (Method::POST, "/start", "major_outage"),
        (Method::GET, "/log", "major_outage"),
        (Method::GET, "/0", "operational"),
        (Method::GET, "/1", "major_outage"),
        (Method::POST, "", "operational"),
        (Method::GET, "/255", "major_outage"),
    ] {
        assert_eq!(call(&keeper, method, &format!("{SECRET}{action}")).await, ok, "{action}");
        assert_eq!(status(&keeper, &component).await, expected, "{action}");
    }
    assert_eq!(call(&keeper, Method::HEAD, SECRET).await, (200, String::new()));
    let backup = known(&keeper, "backup").await;
    assert_eq!((&backup["counts"], &backup["successes"], &backup["failures"]), (&json!("ok"), &json!(4), &json!(3)));
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let keeper = Keeper::restart(folder).await;
    assert_eq!(known(&keeper, "backup").await["counts"], "ok");
    assert_eq!(call(&keeper, Method::GET, SECRET).await, ok, "its address stays");
}

#[tokio::test]
async fn a_run_is_measured_and_what_it_printed_is_kept_up_to_ten_kilobytes() {
    let keeper = Keeper::start().await;
    register(&keeper, json!([backup(3600, 600)])).await;
    call(&keeper, Method::GET, &format!("{SECRET}/start")).await;
    sleep(Duration::from_millis(300)).await;
    let body = format!("backup done\n{}", "x".repeat(300_000));
    let url = format!("{}/porchlight/v1/ping/{SECRET}", keeper.url);
    let answer = keeper.http.post(&url).body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let backup = known(&keeper, "backup").await;
    assert!(backup["last_run"]["duration_ms"].as_f64().unwrap() >= 300.0, "{backup}");
    let kept = backup["passive"]["body"].as_str().unwrap();
    assert!(kept.starts_with("backup done\n") && kept.len() == 10_000, "{}", kept.len());
}

#[tokio::test]
async fn a_job_that_does_not_call_is_late_and_then_down_and_works_again_by_a_call() {
    let keeper = Keeper::start().await;
    let component = register(&keeper, json!([backup(5, 12)])).await.remove(0);
    assert_eq!(status(&keeper, &component).await, "", "nothing is known before the first call");
    call(&keeper, Method::GET, SECRET).await;
    let mut seen = vec![status(&keeper, &component).await];
    let until = Instant::now() + Duration::from_secs(60);
    while seen.last() != Some(&json!("major_outage")) {
        assert!(Instant::now() < until, "{seen:?}");
        sleep(Duration::from_millis(100)).await;
        let now = status(&keeper, &component).await;
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    assert_eq!(seen, ["operational", "degraded_performance", "major_outage"]);
    assert_eq!(known(&keeper, "backup").await["last_run"]["cause"], "late");
    call(&keeper, Method::GET, SECRET).await;
    assert_eq!(status(&keeper, &component).await, "operational");
}

#[tokio::test]
async fn an_address_that_is_none_is_not_found_and_guesses_are_bounded() {
    let keeper = Keeper::start().await;
    register(&keeper, json!([backup(3600, 600)])).await;
    let nothing = (404, "there is no check with this address\n".to_owned());
    assert_eq!(call(&keeper, Method::GET, "00000000-0000-0000-0000-000000000000").await, nothing);
    let hash = Fingerprint::of(SECRET.as_bytes()).to_string();
    assert_eq!(call(&keeper, Method::GET, &format!("{hash}/fail")).await, nothing, "what is kept of it opens nothing");
    let mut refused = 0;
    for number in 0..100 {
        refused += usize::from(call(&keeper, Method::GET, &format!("guess-{number}")).await.0 == 429);
    }
    assert_eq!(refused, 100 - 58);
    assert_eq!(call(&keeper, Method::GET, SECRET).await.0, 200, "who knows it is let in all the same");
    let (status, words) = call(&keeper, Method::GET, &format!("{SECRET}/256")).await;
    assert!(status == 400 && words.contains("an exit code up to 255"), "{status} {words}");
    assert_eq!(call(&keeper, Method::PUT, SECRET).await.0, 405);
}

#[tokio::test]
async fn the_public_listener_takes_calls_only_where_that_is_set_and_no_log_has_the_secret() {
    for is_open in [false, true] {
        let mut keeper = Keeper::start_with(|command| {
            let address = format!("{}:0", tests::process::own_address());
            command.env("KEEPER_PUBLIC_ADDR", address).env("LOG_LEVEL", "trace");
            if is_open {
                command.env("PUBLIC_PING", "true");
            }
        })
        .await;
        let line =
            keeper.process.wait_for_message("public listener: the page, what others show of it, and /api/v2").await;
        let public = format!("http://{}", line["address"].as_str().expect("an address"));
        register(&keeper, json!([backup(3600, 600)])).await;
        let (status, _) = call_at(&keeper.http, &public, Method::POST, SECRET).await;
        assert_eq!(status, if is_open { 200 } else { 404 });
        for path in ["/porchlight/v1/checks", "/targets", "/uptime-summary", "/porchlight/v1/home"] {
            let answer = keeper.http.get(format!("{public}{path}")).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
        }
        let metrics = keeper.http.get(format!("{}/metrics", keeper.url)).send().await.unwrap().text().await.unwrap();
        let lines = keeper.process.lines().join("\n");
        assert!(!metrics.contains(SECRET) && !lines.contains(SECRET), "{lines}");
    }
}
