//! What is measured while a bandwidth test fills the line says little of the line at rest.

use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{Keeper, TOKEN};

use crate::world::{dry, ping, reading};

#[tokio::test]
async fn a_ping_during_a_bandwidth_test_is_marked_and_left_out_of_the_curve() {
    let keeper = Keeper::start().await;
    let from = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1);
    let until = from + jiff::SignedDuration::from_hours(1);
    let record = json!({"month": "2026-11", "used": 1, "test": {"from": from.to_string(), "until": until.to_string()}});
    assert_eq!(keeper.own(Method::PUT, "/state/bandwidth", Some(record)).await.0, 204);
    let mut ours = ping("127.0.0.1");
    ours.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    assert_eq!(reading(ours).await["mark"], "bandwidth_test");
    let (_, series) = keeper.own(Method::GET, "/series?metric=ping", None).await;
    assert_eq!((&series["points"][0]["marked"], &series["points"][0]["measured"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_memory_that_cannot_be_understood_marks_nothing() {
    let keeper = Keeper::start().await;
    keeper.own(Method::PUT, "/state/bandwidth", Some(json!({"month": 5}))).await;
    let mut ours = ping("127.0.0.1");
    ours.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    assert_eq!(reading(ours).await["mark"], Value::Null);
}

#[tokio::test]
async fn a_ping_during_a_bandwidth_test_is_marked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (until, mark) in [("2099-01-01T00:00:00Z", json!("bandwidth_test")), ("2026-01-01T00:05:00Z", Value::Null)] {
        let record = json!({"month": "2026-01", "used": 1, "test": {"from": "2026-01-01T00:00:00Z", "until": until}});
        tests::process::file(folder.path(), "bandwidth.json", &record.to_string());
        let mut ours = dry("127.0.0.1");
        ours.env("STATE_DIR", folder.path());
        assert_eq!(reading(ours).await["mark"], mark);
    }
}
