//! `porchlight demo`, as the README has it.

use std::{net::TcpListener, time::Duration};

use serde_json::{Value, json};
use tests::{
    notices::{Service, ntfy},
    process::{Process, ours, run},
};
use tokio::process::Command;

fn command(arguments: &str) -> Command {
    let mut command = ours("porchlight");
    command.arg("demo").args(arguments.split_whitespace());
    command
}

fn demo(arguments: &str) -> Process {
    Process::start(command(arguments))
}

fn position(lines: &[String], words: &str) -> usize {
    lines.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("`{words}` in {lines:#?}"))
}

/// Of the home, of the page, and of what is behind the line.
async fn statuses(http: &reqwest::Client, page: &str) -> Vec<String> {
    let answer = http.get(format!("{page}api/v2/components.json")).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    let of = |name: &str| {
        let component = answer["components"].as_array()?.iter().find(|component| component["name"] == name)?;
        component["status"].as_str().map(ToOwned::to_owned)
    };
    ["Home internet", "This page", "A service at home"].map(|name| of(name).expect("a status")).into()
}

#[tokio::test]
async fn the_page_follows_a_cut_and_a_repair_within_two_cycles() {
    // The defaults' ports are busy, so free ones are taken.
    let _busy = [8030, 8080].map(|port| TcpListener::bind(("127.0.0.1", port)));
    let phone = Service::start(ntfy).await;
    let mut demo = command("--cut-after 7s --restore-after 28s --for 52s");
    demo.env("NOTIFY_URLS", format!("ntfy+http://{}/demo", phone.host()));
    let mut demo = Process::start(demo);
    let page = demo
        .wait_for("the page's address", |lines| {
            lines.iter().find_map(|line| line.trim().strip_prefix("page").map(|url| url.trim().to_owned()))
        })
        .await;
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
    let read = async || http.get(&page).send().await.expect("the page").text().await.expect("a body");
    let printed =
        |words: &'static str| move |lines: &[String]| lines.iter().any(|line| line.contains(words)).then_some(());

    demo.wait_for("the first probe", printed("as it should")).await;
    let before = read().await;
    assert!(before.contains("All Systems Operational") && before.contains("This is a demo"), "{before}");
    assert!(before.contains("This page") && before.contains("A service at home"), "{before}");
    demo.wait_for("the cut", printed("down (refused); page: changed from operational to major_outage")).await;
    assert!(read().await.contains("Major System Outage"));
    demo.wait_for("the unknown", printed("A service at home: unknown: the home's line is down, on which it depends"))
        .await;
    assert_eq!(statuses(&http, &page).await, ["major_outage", "operational", "operational"], "it is not red");
    assert!(read().await.contains("since then it could not be told how it is"), "{}", read().await);
    demo.wait_for("the incident", printed("open an incident")).await;
    assert!(read().await.contains("Home internet is not reachable"));
    demo.wait_for("the repair", printed("up; page: changed from major_outage to operational")).await;
    assert!(read().await.contains("All Systems Operational"));
    demo.wait_for("its end", printed("to resolved")).await;
    let after = read().await;
    assert!(!after.contains("Open incidents") && after.contains("Past incidents"), "{after}");
    assert!(after.contains("The machine at home was not restarted, but its beacon was."), "{after}");
    assert!(after.contains("The router was there, and the line behind it was not."), "{after}");
    let outages = http.get(format!("{page}porchlight/v1/outages")).header("Authorization", "OAuth demo");
    let outages: Value = outages.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(
        (&outages["outages"][0]["kind"], &outages["outages"][0]["confidence"]),
        (&json!("line"), &json!("high")),
        "{outages:#}"
    );
    demo.wait_for("the end", printed("The demo is over.")).await;
    assert_eq!(demo.ended().await.code(), Some(0));

    let lines = demo.lines();
    let probes = |from: &str, to: &str| {
        let between = &lines[position(&lines, from) + 1..=position(&lines, to)];
        between.iter().filter(|line| line.contains("Home internet:")).count()
    };
    let notices: Vec<_> = phone.posted().iter().map(|posted| posted.json()["title"].clone()).collect();
    assert_eq!(notices, ["Home internet is down", "Home internet is up again"], "once each");
    assert!(probes("The line is cut", "changed from operational") <= 2, "{lines:#?}");
    assert!(probes("The line is restored", "changed from major_outage") <= 2, "{lines:#?}");
}

#[tokio::test]
async fn a_wrong_channel_ends_it_before_it_begins() {
    let mut demo = command("");
    demo.env("NOTIFY_URLS", "nfty://:tk_secret@ntfy.sh/demo");
    let ended = run(demo, Duration::from_secs(20)).await;
    assert!(ended.code == Some(2) && ended.stderr.contains("was ntfy:// meant?"), "{ended:?}");
    assert!(!ended.stderr.contains("tk_secret"), "{ended:?}");
}

#[tokio::test]
async fn a_signal_ends_it_cleanly_and_data_is_kept_where_the_user_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("kept");
    let mut demo = demo(&format!("--data {}", data.display()));
    demo.wait_for("a probe", |lines| lines.iter().any(|line| line.contains("as it should")).then_some(())).await;
    assert_eq!(demo.terminate().await.code(), Some(0));
    assert!(data.join("porchlight.db").is_file());
}
