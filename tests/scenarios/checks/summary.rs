//! `UpTimePulse`'s interface.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    checks::{check, ran, register, with},
    keeper::{Keeper, TOKEN},
};

async fn get(keeper: &Keeper, path: &str) -> (u16, Value) {
    let request = keeper.http.get(format!("{}{path}", keeper.url)).header("authorization", format!("OAuth {TOKEN}"));
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn metrics(keeper: &Keeper) -> String {
    keeper.http.get(format!("{}/metrics", keeper.url)).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn what_is_checked_over_http_is_summed_up_with_numbers_beside_the_strings() {
    let keeper = Keeper::start().await;
    register(&keeper, json!([check("nas"), check("new"), with(check("router"), "kind", json!("tcp"))])).await;
    let text = metrics(&keeper).await;
    for name in ["success", "failure"] {
        let line = format!("ping_{name}_total{{target=\"http://nas.lan/\"}} 0");
        assert!(text.lines().any(|it| it == line), "{text}");
    }
    for (ago, state) in [(900, "critical"), (120, "ok"), (60, "warning"), (30, "critical"), (0, "unknown")] {
        ran(&keeper, "nas", ago, state).await;
    }
    let (_, targets) = get(&keeper, "/targets").await;
    assert_eq!(targets, json!({"targets": [{"url": "http://nas.lan/"}, {"url": "http://new.lan/"}]}));
    let row = |success: i64, failures: i64, words: Value, ratio: Value| json!({"url": "http://nas.lan/", "success": success, "failures": failures, "availability": words, "availability_ratio": ratio});
    let (_, summary) = get(&keeper, "/uptime-summary").await;
    assert_eq!(summary["targets"][0], row(2, 2, json!("50.0%"), json!(0.5)));
    let new = json!({"url": "http://new.lan/", "success": 0, "failures": 0, "availability": null, "availability_ratio": null});
    assert_eq!(summary["targets"][1], new);
    let (_, windowed) = get(&keeper, "/uptime-summary-windowed?window=5m").await;
    assert_eq!(windowed["targets"][0], row(2, 1, json!("66.6%"), json!(2.0 / 3.0)));
    assert_eq!(get(&keeper, "/uptime-summary-windowed").await.1["window_seconds"], 300);
    let text = metrics(&keeper).await;
    for line in [
        "ping_success_total{target=\"http://nas.lan/\"} 2",
        "ping_failure_total{target=\"http://nas.lan/\"} 2",
        "ping_latency_seconds_count{target=\"http://nas.lan/\"} 2",
        "api_gateway_requests_total{method=\"GET\",path=\"/uptime-summary\",status=\"200\"} 1",
        "api_gateway_requests_total{method=\"GET\",path=\"/uptime-summary\",status=\"500\"} 0",
        "api_gateway_request_duration_seconds_count{method=\"GET\",path=\"/targets\"} 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn a_window_that_is_none_is_refused_in_a_sentence() {
    let keeper = Keeper::start().await;
    for wrong in ["5", "5m])%20or%20vector(1", "8d", ""] {
        let (status, answer) = get(&keeper, &format!("/uptime-summary-windowed?window={wrong}")).await;
        assert_eq!(status, 422);
        assert_eq!(answer["error"][0], "window: must be a time like 30s, 5m, 1h30m or 7d, from 1s to 7d");
    }
    for path in 0..50 {
        keeper.http.request(Method::GET, format!("{}/stranger-{path}", keeper.url)).send().await.unwrap();
    }
    let text = metrics(&keeper).await;
    assert!(!text.contains("stranger") && text.contains("path=\"other\",status=\"404\"} 50"), "{text}");
}

#[tokio::test]
async fn the_summary_takes_the_token_unless_it_is_opened() {
    for (is_open, expected) in [(false, 401), (true, 200)] {
        let keeper = Keeper::start_with(|command| {
            if is_open {
                command.env("KEEPER_OPEN_SUMMARY", "true");
            }
        })
        .await;
        for path in ["/targets", "/uptime-summary", "/uptime-summary-windowed?window=5m"] {
            let answer = keeper.http.get(format!("{}{path}", keeper.url)).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{path}");
        }
    }
}
