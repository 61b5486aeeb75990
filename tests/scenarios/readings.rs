//! The keeper's own API: readings, what jobs remember, and what readings come to over time.

use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{Keeper, PAGE, TOKEN};

const SEED: &str = r#"
[page]
id = "gytm4qzbx9t6"
name = "My home"

[[metrics]]
id = "aaaaaaaaaaa1"
name = "Latency"
suffix = "ms"
reading = "ping"

[[metrics]]
id = "aaaaaaaaaaa2"
name = "Loss"
suffix = "%"
reading = "ping"
field = "loss"
"#;

async fn seeded() -> Keeper {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seed = tests::process::file(folder.path(), "metrics.toml", SEED);
    Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", seed);
    })
    .await
}

fn reading(minutes_ago: i64, what: &Value) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes_ago);
    let mut reading = json!({"metric": "ping", "at": at.to_string()});
    let fields = reading.as_object_mut().expect("an object");
    fields.extend(what.as_object().expect("an object").clone());
    reading
}

async fn store(keeper: &Keeper, readings: &[Value]) -> (u16, Value) {
    keeper.own(Method::POST, "/readings", Some(json!({"readings": readings}))).await
}

/// The single bucket of the last hours.
async fn bucket(keeper: &Keeper, metric: &str) -> Value {
    let (status, series) =
        keeper.own(Method::GET, &format!("/series?metric={metric}&from=1000000000&step=87600h"), None).await;
    assert_eq!(status, 200, "{series}");
    let points = series["points"].as_array().expect("buckets");
    assert_eq!(points.len(), 1, "{series}");
    points[0].clone()
}

#[tokio::test]
async fn readings_are_stored_and_feed_the_metrics_that_the_seed_maps() {
    let keeper = seeded().await;
    let (status, returned) = store(
        &keeper,
        &[
            reading(9, &json!({"value": 10.0, "min": 9.0, "max": 12.0, "jitter": 1.0, "loss": 0.0, "method": "icmp"})),
            reading(
                6,
                &json!({"value": 20.0, "min": 19.0, "max": 29.0, "jitter": 3.0, "loss": 20.0, "method": "icmp"}),
            ),
            reading(3, &json!({"failure": "none of 5 answers came", "loss": 100.0})),
            reading(2, &json!({"value": 900.0, "loss": 50.0, "mark": "bandwidth_test"})),
            reading(1, &json!({"skipped": "the data budget is used up"})),
        ],
    )
    .await;
    assert_eq!((status, returned), (201, json!({"stored": 5})));
    let mut all = bucket(&keeper, "ping").await;
    all.as_object_mut().expect("an object").remove("at");
    let expected = json!({"measured": 2, "failed": 1, "skipped": 1, "marked": 1, "value": 15.0, "min": 9.0, "max": 29.0,
                          "jitter": 2.0, "loss": 40.0});
    assert_eq!(all, expected, "what a bandwidth test spoilt is counted apart");
    let (latency, loss) = (bucket(&keeper, "@aaaaaaaaaaa1").await, bucket(&keeper, "@aaaaaaaaaaa2").await);
    assert_eq!((&latency["measured"], &latency["value"]), (&json!(2), &json!(15.0)), "a failure is never a number");
    assert_eq!((&loss["measured"], &loss["value"]), (&json!(3), &json!(40.0)), "but its loss is");
}

#[tokio::test]
async fn a_batch_that_is_sent_again_changes_nothing() {
    let keeper = seeded().await;
    let readings = [reading(9, &json!({"value": 10.0})), reading(6, &json!({"value": 20.0}))];
    for _ in 0..3 {
        assert_eq!(store(&keeper, &readings).await.0, 201);
    }
    assert_eq!(bucket(&keeper, "ping").await["measured"], 2);
}

#[tokio::test]
async fn a_wrong_batch_is_reported_by_its_place_and_stores_nothing() {
    let keeper = seeded().await;
    for (wrong, status, said) in [
        (
            json!({"readings": [reading(1, &json!({"value": 1.0})), reading(0, &json!({}))]}),
            422,
            "readings[1]: a reading has exactly one of",
        ),
        (
            json!({"readings": [reading(1, &json!({"value": 1.0})), reading(-60, &json!({"value": 1.0}))]}),
            422,
            "readings[1].at: ",
        ),
        (json!({"readings": [reading(1, &json!({"value": "1"}))]}), 422, "readings[0]: invalid type"),
        (
            json!({"readings": [reading(1, &json!({"value": 1.0, "metric": "@aaaaaaaaaaa1"}))]}),
            422,
            "a metric has up to 100",
        ),
        (json!({"readings": vec![reading(1, &json!({"value": 1.0})); 1001]}), 422, "one call may bring 1000"),
        (json!({"reading": []}), 400, "readings is missing"),
        (json!([]), 400, "must be a JSON object"),
    ] {
        let (got, returned) = keeper.own(Method::POST, "/readings", Some(wrong)).await;
        assert!(got == status && returned["error"].to_string().contains(said), "{got} {returned}");
    }
    assert_eq!(keeper.own(Method::GET, "/series?metric=ping", None).await.0, 404);
    let (status, returned) = keeper.own(Method::GET, "/series", None).await;
    assert!(status == 422 && returned["error"].to_string().contains("there are no readings yet"), "{returned}");
}

#[tokio::test]
async fn what_a_job_remembers_is_there_after_a_kill() {
    let keeper = Keeper::start().await;
    assert_eq!(keeper.own(Method::GET, "/state/bandwidth", None).await.0, 404);
    for used in [1, 2] {
        let (status, _) = keeper.own(Method::PUT, "/state/bandwidth", Some(json!({"used": used}))).await;
        assert_eq!(status, 204);
    }
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let keeper = Keeper::restart(folder).await;
    assert_eq!(keeper.own(Method::GET, "/state/bandwidth", None).await, (200, json!({"used": 2})));
    for (job, document, status) in [
        ("Bandwidth", json!({}), 422),
        ("bandwidth", json!([1]), 400),
        ("bandwidth", json!({"long": "x".repeat(17_000)}), 422),
    ] {
        assert_eq!(keeper.own(Method::PUT, &format!("/state/{job}"), Some(document)).await.0, status, "{job}");
    }
    assert_eq!(keeper.own(Method::GET, "/state/bandwidth", None).await.1, json!({"used": 2}));
}

#[tokio::test]
async fn of_two_who_replace_one_version_of_a_state_one_is_refused() {
    let keeper = Keeper::start().await;
    let put = |field: &'static str, tag: String, used: u32| {
        let request = keeper.http.put(format!("{}/porchlight/v1/state/bandwidth", keeper.url)).header(field, tag);
        let request = request.header("authorization", format!("OAuth {TOKEN}"));
        async move {
            let response = request.json(&json!({"used": used})).send().await.expect("the keeper answers");
            let tag = response.headers().get("etag").map(|tag| tag.to_str().expect("ASCII").to_owned());
            (response.status().as_u16(), tag.unwrap_or_default())
        }
    };
    assert_eq!(put("if-match", "\"1\"".into(), 0).await.0, 412, "there is none yet");
    assert_eq!(put("if-match", "*".into(), 0).await.0, 412, "there is none yet");
    let (status, first) = put("if-none-match", "*".into(), 1).await;
    assert_eq!(status, 204);
    assert_eq!(put("if-none-match", "*".into(), 2).await.0, 412);
    let (status, second) = put("if-match", first.clone(), 3).await;
    assert_eq!(status, 204);
    assert_eq!(put("if-match", first.clone(), 4).await.0, 412);
    assert_eq!(put("if-match", format!("{first}, {second}"), 5).await.0, 204);
    assert_eq!(keeper.own(Method::GET, "/state/bandwidth", None).await.1, json!({"used": 5}));
}

#[tokio::test]
async fn the_own_api_is_for_who_has_the_token_and_is_not_counted() {
    let keeper = Keeper::start_with(|command| {
        command.env("KEEPER_RATE_LIMIT", "2");
    })
    .await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    for path in ["readings", "state/dns", "series?metric=ping"] {
        let answer = http.get(format!("{}/porchlight/v1/{path}", keeper.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{path}");
    }
    for _ in 0..10 {
        assert_eq!(keeper.own(Method::PUT, "/state/dns", Some(json!({}))).await.0, 204);
    }
    keeper.ok(Method::GET, &format!("/pages/{PAGE}"), None).await;
    assert_eq!(keeper.own(Method::GET, "/nothing", None).await.0, 404);
    assert_eq!(keeper.own(Method::DELETE, "/readings", None).await.0, 405);
}

#[tokio::test]
async fn the_page_shows_what_was_measured_last_and_that_the_latest_failed() {
    let keeper = seeded().await;
    assert!(
        keeper.page().await.contains("Each metric appears here with its first value."),
        "there is nothing to show yet"
    );
    store(&keeper, &[reading(3, &json!({"value": 12.3, "loss": 20.0}))]).await;
    let page = keeper.page().await;
    assert!(page.contains("Latency <span>12 ms</span>") && page.contains("Loss <span>20 %</span>"), "{page}");
    assert!(!page.contains("failed"), "{page}");
    store(&keeper, &[reading(2, &json!({"failure": "nothing could be sent to 192.0.2.7"}))]).await;
    let page = keeper.page().await;
    assert!(page.contains("Latency <span class=\"major\">Not measured</span>"), "{page}");
    assert!(!page.contains("192.0.2.7"), "the reason is not shown");
}
