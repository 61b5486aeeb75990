//! Results that a keeper gets, and what they turn.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::{
    checks::{known, status},
    keeper::Keeper,
};
use tokio::time::sleep;

use super::world::{Checks, Target, counts, until};

#[tokio::test]
async fn a_check_that_fails_twice_turns_its_component_and_one_success_turns_it_back() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let checks = Checks::start(&keeper, &[target.check("web", ", title: The web")]).await;
    let fine = until(&keeper, "web", "is well", counts("ok")).await;
    assert_eq!(status(&keeper, &fine["component_id"]).await, "operational");
    assert!(keeper.page().await.contains("The web"), "the page shows it");
    target.answers(503);
    let down = until(&keeper, "web", "is down", counts("critical")).await;
    assert_eq!(
        (status(&keeper, &down["component_id"]).await, &down["last_run"]["cause"]),
        (json!("major_outage"), &json!("status"))
    );
    assert!(down["last_run"]["text"].as_str().is_some_and(|text| text.contains("503")), "{down}");
    target.answers(200);
    let back = until(&keeper, "web", "is back", counts("ok")).await;
    assert_eq!(status(&keeper, &back["component_id"]).await, "operational");
    let (status, series) = keeper.own(Method::GET, "/series?metric=check:web&step=3600", None).await;
    let bucket = &series["points"][0];
    assert!(
        status == 200 && bucket["measured"].as_i64() >= Some(1) && bucket["failed"].as_i64() >= Some(2),
        "{series}"
    );
    assert!(checks.metric("porchlight_checks_runs_total{outcome=\"critical\"}").await >= 2);
}

#[tokio::test]
async fn what_depends_on_a_check_that_is_down_is_unknown_and_stays_as_it_was() {
    let (keeper, router, nas) = (Keeper::start().await, Target::start().await, Target::start().await);
    let lines = [router.check("router", ""), nas.check("nas", ", depends_on: [router]")];
    let _checks = Checks::start(&keeper, &lines).await;
    until(&keeper, "nas", "is well", counts("ok")).await;
    until(&keeper, "router", "is well", counts("ok")).await;
    nas.answers(500);
    router.answers(500);
    until(&keeper, "router", "is down", counts("critical")).await;
    let blocked = until(&keeper, "nas", "is blocked", |known| known["last_run"]["cause"] == "dependency").await;
    assert_eq!((&blocked["counts"], &blocked["last_run"]["state"]), (&json!("ok"), &json!("unknown")), "{blocked}");
    assert_eq!(status(&keeper, &blocked["component_id"]).await, "operational");
    router.answers(200);
    until(&keeper, "nas", "is down itself", counts("critical")).await;
}

#[tokio::test]
async fn results_wait_for_a_keeper_that_is_away_and_what_counted_is_known_after_a_restart() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let address = keeper.url.clone();
    let checks = Checks::start(&keeper, &[target.check("web", "")]).await;
    until(&keeper, "web", "is well", counts("ok")).await;
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    target.answers(503);
    let since = target.asked();
    while target.asked() < since + 3 {
        sleep(Duration::from_millis(100)).await;
    }
    let host = address.trim_start_matches("http://").to_owned();
    let keeper = Keeper::restart_with(folder, |command| {
        command.env("KEEPER_ADDR", host);
    })
    .await;
    until(&keeper, "web", "is down", counts("critical")).await;
    let (_, series) = keeper.own(Method::GET, "/series?metric=check:web&step=3600", None).await;
    assert!(series["points"][0]["failed"].as_i64() >= Some(2), "what failed meanwhile is there: {series}");
    // Another process: one failure more turns nothing anew.
    let since = known(&keeper, "web").await["since"].clone();
    assert!(since.is_string());
    drop(checks);
    let _checks = Checks::start(&keeper, &[target.check("web", "")]).await;
    let ran = target.asked();
    while target.asked() < ran + 3 {
        sleep(Duration::from_millis(100)).await;
    }
    let now = known(&keeper, "web").await;
    assert_eq!((&now["counts"], &now["since"]), (&json!("critical"), &since));
}

#[tokio::test]
async fn the_last_results_are_handed_over_when_it_is_asked_to_end() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let checks = Checks::start(&keeper, &[target.check("web", "")]).await;
    until(&keeper, "web", "is well", counts("ok")).await;
    let runs = target.asked();
    while target.asked() < runs + 2 {
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_millis(500)).await;
    let status = checks.process.terminate().await;
    assert_eq!(status.code(), Some(0));
    let (_, series) = keeper.own(Method::GET, "/series?metric=check:web&step=3600", None).await;
    assert!(series["points"][0]["measured"].as_i64() >= i64::try_from(runs + 2).ok(), "{series} of {runs}");
}
