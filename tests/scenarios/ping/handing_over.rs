//! Readings go to a keeper, or as numbers to a page, and what goes nowhere is printed.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::{
    home::{Home, Manner},
    keeper::{Keeper, PAGE, TOKEN},
    process::{Process, ours},
};
use tokio::{process::Command, time::Instant};

use crate::world::{ping, reading, run_job};

/// The only value of a metric, if there is one.
async fn value(keeper: &Keeper, metric: &str) -> Option<f64> {
    let (_, series) = keeper.own(Method::GET, &format!("/series?metric=@{metric}"), None).await;
    series["points"][0]["value"].as_f64()
}

fn straight(keeper: &Keeper, target: &str, metrics: [(&str, &str); 3]) -> Command {
    let mut command = ping(target);
    command.env("STATUSPAGE_URL", keeper.api()).env("PAGE_ID", PAGE).env("TOKEN", TOKEN);
    command.envs(metrics.into_iter().filter(|(_, id)| !id.is_empty()));
    command
}

#[tokio::test]
async fn without_a_keeper_numbers_go_straight_to_the_page() {
    let keeper = Keeper::start().await;
    let ids = [keeper.metric("x").await, keeper.metric("x").await, keeper.metric("x").await];
    let metrics = [("METRIC_ID", &*ids[0]), ("METRIC_ID_LOSS", &*ids[1]), ("METRIC_ID_JITTER", &*ids[2])];
    let measured = reading(straight(&keeper, "127.0.0.1,127.0.0.2", metrics)).await;
    for (id, field) in ids.iter().zip(["value", "loss", "jitter"]) {
        assert_eq!(value(&keeper, id).await, measured[field].as_f64(), "{field}");
    }
}

#[tokio::test]
async fn without_a_keeper_a_failure_is_reported_and_never_a_number() {
    let keeper = Keeper::start().await;
    let id = keeper.metric("x").await;
    // Nothing can be sent to a broadcast address without asking for it.
    let (ended, output) = run_job(straight(&keeper, "255.255.255.255", [("METRIC_ID", &id), ("", ""), ("", "")])).await;
    assert_eq!((ended.code, &output["ending"]), (Some(3), &json!("not_recorded")), "{ended:?}");
    assert!(
        output["readings"][0]["failure"].as_str().expect("a failure").contains("nothing could be sent"),
        "{output}"
    );
    assert_eq!(value(&keeper, &id).await, None);
}

#[tokio::test]
async fn what_cannot_be_handed_over_is_reported_with_what_to_check() {
    let keeper = Keeper::start().await;
    let to_keeper = |url: &str, token: &str| {
        let mut command = ping("127.0.0.1");
        command.args(["--deadline", "15s"]).env("KEEPER_URL", url).env("KEEPER_TOKEN", token);
        command
    };
    let home = async |manner| Home::open(manner).await;
    let (closed, silent) = (home(Manner::Refuses).await, home(Manner::Silent).await);
    let moved = home(Manner::Answers("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/")).await;
    let empty = home(Manner::Answers("HTTP/1.1 204 No Content")).await;
    let unknown = [("METRIC_ID", "zzzzzzzzzzzz"), ("", ""), ("", "")];
    for (command, said) in [
        (to_keeper(&closed.url(), TOKEN), "check KEEPER_URL, and whether it is up"),
        (to_keeper(&silent.url(), TOKEN), "check KEEPER_URL"),
        (to_keeper(&moved.url(), TOKEN), "(302): check KEEPER_URL"),
        (to_keeper(&empty.url(), TOKEN), "the answer cannot be used: invalid type: null"),
        (to_keeper(&keeper.url, "wrong"), "the token is refused (401: Could not authenticate)"),
        (to_keeper(&format!("{}/elsewhere", keeper.url), TOKEN), "(404): check KEEPER_URL"),
        (straight(&keeper, "127.0.0.1", unknown), "metric zzzzzzzzzzzz of page gytm4qzbx9t6 could not be found"),
    ] {
        let (ended, output) = run_job(command).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let warned =
            ended.stderr.lines().filter(|line| line.contains("trying again") || line.contains("no answer yet"));
        assert!(warned.count() <= 1, "it is said once: {ended:?}");
        assert!(output["said"].to_string().contains(said), "{output}");
    }
}

#[tokio::test]
async fn that_the_keeper_is_not_there_is_said_within_five_seconds_and_its_restart_loses_nothing() {
    let keeper = Keeper::start().await;
    let url = keeper.url.clone();
    let address = url.trim_start_matches("http://").to_owned();
    assert!(keeper.process.terminate().await.success());
    let start = Instant::now();
    // As it is by default: the last echo leaves after four seconds.
    let mut command = ours("ping");
    command.args(["--json", "--target-host", "127.0.0.1"]).env("KEEPER_URL", &url).env("KEEPER_TOKEN", TOKEN);
    let mut process = Process::start(command);
    let said = |lines: &[String]| lines.iter().find(|line| line.contains("the keeper cannot be reached")).cloned();
    let line = process.wait_for("its first word", said).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(line.contains("Connection refused") && line.contains("KEEPER_URL"), "{line}");
    let keeper = Keeper::restart_with(keeper.folder, |command| {
        command.env("KEEPER_ADDR", address);
    });
    let keeper = keeper.await;
    process
        .wait_for("the end", |lines| lines.iter().any(|line| line.contains(r#""ending":"done""#)).then_some(()))
        .await;
    assert_eq!(process.lines().iter().filter(|line| line.contains("the keeper cannot be reached")).count(), 1);
    let (_, series) = keeper.own(Method::GET, "/series?metric=ping", None).await;
    assert_eq!(series["points"][0]["measured"], 1, "{series}");
}

#[tokio::test]
async fn a_keeper_that_does_not_answer_is_reported_within_five_seconds_too() {
    let silent = Home::open(Manner::Silent).await;
    let start = Instant::now();
    let mut command = ours("ping");
    command
        .args(["--json", "--target-host", "127.0.0.1", "--deadline", "20s"])
        .env("KEEPER_URL", silent.url())
        .env("KEEPER_TOKEN", TOKEN);
    let mut process = Process::start(command);
    let said = |lines: &[String]| lines.iter().any(|line| line.contains("the keeper cannot be reached")).then_some(());
    process.wait_for("its first word", said).await;
    // It takes four, and twice that on a machine that does ten other things; what it must not do is wait for its deadline.
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
}
