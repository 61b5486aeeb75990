//! Metrics as statuspage.io has them: providers, metrics, and points that are sent one by one or in bulk.

use std::{
    io::Write,
    process::Stdio,
    time::{Duration, SystemTime},
};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    keeper::{Keeper, PAGE, TOKEN},
    process::command,
    skip::{program, skip},
};

const DAY: i64 = 24 * 3600;

/// Seconds since 1970, at the beginning of a slot.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a time") / 30 * 30
}

/// A keeper and a metric of it, without points.
async fn with_metric() -> (Keeper, String) {
    let keeper = Keeper::start().await;
    let id = keeper.metric("Latency").await;
    (keeper, id)
}

/// The points of a metric as the keeper's own API returns them, as seconds since 1970 and values.
async fn points(keeper: &Keeper, metric: &str) -> Vec<(i64, f64)> {
    let query = format!("/series?metric=@{metric}&from={}&to={}&step=30", now() - DAY, now() + 900);
    let (status, series) = keeper.own(Method::GET, &query, None).await;
    if status == 404 {
        return Vec::new();
    }
    let points = series["points"].as_array().unwrap_or_else(|| panic!("{series}"));
    let point = |point: &Value| {
        let at: std::time::SystemTime =
            point["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("a time").into();
        let at = at.duration_since(SystemTime::UNIX_EPOCH).expect("a time after 1970").as_secs();
        (i64::try_from(at).expect("a time"), point["value"].as_f64().expect("a value"))
    };
    points.iter().map(point).collect()
}

/// A call's status and answer.
async fn answer(keeper: &Keeper, method: Method, path: &str, body: Value) -> (u16, Value) {
    let response = keeper.call(method, path, Some(body)).await.expect("the keeper answers");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_metric_is_made_listed_changed_and_deleted() {
    let (keeper, id) = with_metric().await;
    let path = format!("/pages/{PAGE}/metrics/{id}");
    let change = json!({"metric": {"name": "RTT", "suffix": "s"}});
    let changed = keeper.ok(Method::PATCH, &path, Some(change)).await;
    assert_eq!((&changed["name"], &changed["suffix"]), (&json!("RTT"), &json!("ms")), "only the name can be changed");
    let listed = keeper.ok(Method::GET, &format!("/pages/{PAGE}/metrics.json?per_page=1&page=1"), None).await;
    assert_eq!(listed, json!([changed]));
    assert_eq!(keeper.ok(Method::DELETE, &path, None).await["id"], json!(id));
    assert_eq!(keeper.call(Method::GET, &path, None).await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn a_point_is_moved_to_its_slot_where_the_last_one_wins() {
    let (keeper, id) = with_metric().await;
    let path = format!("/pages/{PAGE}/metrics/{id}/data");
    let slot = now() - 300;
    for (offset, value) in [(0, 1.0), (14, 2.0), (-15, 3.0), (15, 4.0)] {
        let body = json!({"data": {"timestamp": slot + offset, "value": value}});
        let (status, returned) = answer(&keeper, Method::POST, &path, body).await;
        let expected = if offset == 15 { slot + 30 } else { slot };
        assert_eq!((status, &returned), (201, &json!({"data": {"timestamp": expected, "value": value}})));
    }
    assert_eq!(points(&keeper, &id).await, [(slot, 3.0), (slot + 30, 4.0)]);
    let metric = keeper.ok(Method::GET, &format!("/pages/{PAGE}/metrics/{id}"), None).await;
    assert!(metric["most_recent_data_at"].is_string(), "{metric}");
    keeper.ok(Method::DELETE, &path, None).await;
    assert_eq!(points(&keeper, &id).await, []);
}

#[tokio::test]
async fn points_come_in_bulk_all_or_none() {
    let (keeper, id) = with_metric().await;
    let path = format!("/pages/{PAGE}/metrics/data");
    // Once: a slot may end between a call and what is expected of it.
    let now = now();
    let point = |age, value| json!({"timestamp": now - age, "value": value});
    let good = json!({"data": {&id: [point(60, json!(1.5)), point(30, json!("2"))]}});
    let (status, returned) = answer(&keeper, Method::POST, &path, good).await;
    assert_eq!((status, returned), (202, json!({&id: [point(60, json!(1.5)), point(30, json!(2.0))]})));
    for (wrong, status, said) in [
        (json!({&id: [point(90, json!(9))], "zzzzzzzzzzzz": [point(90, json!(9))]}), 404, "zzzzzzzzzzzz"),
        (json!({&id: [point(90, json!(9)), point(120, json!("fast"))]}), 422, "[1].value: must be a number"),
        (json!({&id: [point(90, json!(9)), point(120, json!("NaN"))]}), 422, "[1].value: must be a number"),
        (json!({&id: [{"value": 9}]}), 422, "[0].timestamp: can't be blank"),
        (json!({&id: point(90, json!(9))}), 422, "must be a list of points"),
    ] {
        let (got, returned) = answer(&keeper, Method::POST, &path, json!({"data": wrong})).await;
        assert!(got == status && returned["error"].to_string().contains(said), "{got} {returned}");
    }
    assert_eq!(points(&keeper, &id).await, [(now - 60, 1.5), (now - 30, 2.0)], "nothing of a refused call is kept");
}

#[tokio::test]
async fn a_point_outside_the_last_28_days_is_left_out_or_refused() {
    let (keeper, id) = with_metric().await;
    let path = format!("/pages/{PAGE}/metrics/{id}/data");
    let now = now();
    for (age, kept) in [(29 * DAY, false), (-3600, false), (-1000 * now, false), (28 * DAY - 60, true)] {
        let body = json!({"data": {"timestamp": now - age, "value": 1}});
        assert_eq!(answer(&keeper, Method::POST, &path, body).await.0, 201);
        let metric = keeper.ok(Method::GET, &format!("/pages/{PAGE}/metrics/{id}"), None).await;
        assert_eq!(metric["most_recent_data_at"].is_string(), kept, "{age} s ago");
    }
    let Keeper { process, folder, .. } = keeper;
    process.terminate().await;
    let strict = Keeper::restart_with(folder, |command| {
        command.env("KEEPER_STRICT_POINTS", "true");
    })
    .await;
    for age in [29 * DAY, -3600] {
        let body = json!({"data": {"timestamp": now - age, "value": 1}});
        let (status, returned) = answer(&strict, Method::POST, &path, body).await;
        assert!(status == 422 && returned.to_string().contains("must lie in the last 28 days"), "{status} {returned}");
    }
}

#[tokio::test]
async fn curl_posts_the_form_of_the_old_script() {
    let Some(curl) = program("curl") else { return skip("curl_posts_the_form", "curl is missing") };
    let (keeper, id) = with_metric().await;
    let now = now();
    let mut post = command(curl);
    post.args(["-s", "--fail-with-body", "-X", "POST", "-H", "@-"]);
    for (age, value) in [(60, "12.5"), (30, "13")] {
        post.args(["-d", &format!("data[{id}][][timestamp]={}", now - age)]);
        post.args(["-d", &format!("data[{id}][][value]={value}")]);
    }
    post.arg(format!("{}/pages/{PAGE}/metrics/data.json", keeper.api()));
    let mut post = post.into_std();
    let mut child = post.stdin(Stdio::piped()).spawn().expect("curl starts");
    write!(child.stdin.take().expect("a pipe"), "Authorization: OAuth {TOKEN}").expect("curl reads");
    let ended =
        tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("no panic").expect("it ends");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!(points(&keeper, &id).await, [(now - 60, 12.5), (now - 30, 13.0)]);
    drop(keeper);
}

#[tokio::test]
async fn a_provider_that_the_keeper_would_have_to_ask_is_refused() {
    let keeper = Keeper::start().await;
    let path = format!("/pages/{PAGE}/metrics_providers");
    let (status, returned) =
        answer(&keeper, Method::POST, &path, json!({"metrics_provider": {"type": "Datadog"}})).await;
    assert!(status == 422 && returned.to_string().contains("type: must be one of Self"), "{status} {returned}");
    tokio::time::timeout(Duration::from_secs(5), keeper.process.terminate()).await.expect("it ends");
}
