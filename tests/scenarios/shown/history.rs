//! What the page shows of the past: bars, uptime, outages, graphs, the contract's line, and a page for each month.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};
use tests::{
    keeper::{COMPONENT, Keeper, PAGE},
    process::file,
};

const SEED: &str = r#"
[page]
id = "gytm4qzbx9t6"
name = "My home"

[[components]]
id = "8kbf7d35c070"
name = "Home internet"

[[metrics]]
id = "m0000000ping"
name = "Latency"
suffix = "ms"
reading = "ping"

[[metrics]]
id = "m0000000down"
name = "Download"
suffix = "Mbit/s"
reading = "bandwidth"
"#;

/// Puts a look there that was made so many minutes ago.
async fn looked(keeper: &Keeper, minutes_ago: i64, verdict: &str, cause: Option<&str>) {
    let at = Timestamp::now() - SignedDuration::from_mins(minutes_ago);
    let look = json!({"component_id": COMPONENT, "verdict": verdict, "cause": cause, "from": "outside"});
    let body = json!({"page_id": PAGE, "at": at.as_second(), "location": "eu-central-1", "looks": [look]});
    let (status, answer) = keeper.own(Method::POST, "/looks", Some(body)).await;
    assert_eq!(status, 202, "{answer}");
}

async fn measured(keeper: &Keeper, readings: Vec<Value>) {
    let (status, answer) = keeper.own(Method::POST, "/readings", Some(json!({ "readings": readings }))).await;
    assert_eq!(status, 201, "{answer}");
}

fn ago(minutes: i64) -> String {
    (Timestamp::now() - SignedDuration::from_mins(minutes)).to_string()
}

#[tokio::test]
async fn an_outage_that_was_seen_is_in_bars_uptime_and_list_and_what_nobody_saw_is_not_up() {
    let keeper = Keeper::start().await;
    // Twelve hours of looks every four minutes, of which twenty minutes saw a closed port; before them, and in the hour
    // after the tenth, nobody looked.
    for minutes in (0..=720).rev().step_by(4) {
        match minutes {
            300..320 => looked(&keeper, minutes, "down", Some("refused")).await,
            61..120 => (),
            _ => looked(&keeper, minutes, "up", None).await,
        }
    }
    // Looks that go on as before reach the disk with the next reading, and the past is read from there.
    measured(&keeper, vec![json!({"metric": "ping", "at": ago(0), "value": 20.0})]).await;
    let page = keeper.page().await;
    let bars = page.matches(" tabindex=\"-1\"><span>").count() + page.matches(" tabindex=\"0\"><span>").count();
    assert_eq!((bars, page.contains("<li class=\"down\"")), (90, true), "{page}");
    // Around midnight it is on two days.
    assert!(page.contains(" min (connection refused)"), "{page}");
    assert!(page.contains("<h2 id=\"outages\">Outages</h2>"), "{page}");
    assert!(page.contains(": 20 min.<p>An address answered, but the port is closed"), "{page}");
    // 20 of 665 minutes: twelve hours less the 60 minutes that no look speaks for, and five minutes more.
    assert!(page.contains("% up</dd>") || page.contains("% up <small>"), "{page}");
    let uptime = page.split("<dt>24 hours</dt><dd>").nth(1).and_then(|rest| rest.split('<').next()).expect("an uptime");
    let uptime: f64 = uptime.split(' ').next().and_then(|share| share.parse().ok()).expect("a number");
    assert!((96.8..97.1).contains(&uptime), "{uptime}");
    assert!(!page.contains("100 % up"), "every stretch has the outage in it");
}

#[tokio::test]
async fn readings_are_a_graph_with_gaps_failures_and_the_contracts_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = file(folder.path(), "seed.toml", SEED);
    let keeper = Keeper::start_with(|command| {
        command.env("PROMISED_DOWN_MBPS", "95").env("KEEPER_SEED", seed);
    })
    .await;
    let mut readings = Vec::new();
    for minutes in (0..600).step_by(5) {
        match minutes {
            100..200 => (),
            300..330 => readings.push(json!({"metric": "ping", "at": ago(minutes), "failure": "no answer"})),
            _ => readings.push(json!({"metric": "ping", "at": ago(minutes), "value": 20.0, "min": 12.0, "max": 31.0})),
        }
        if minutes % 60 == 0 {
            let value = if minutes < 120 { 91.0 } else { 97.0 };
            readings.push(json!({"metric": "bandwidth", "at": ago(minutes), "value": value}));
            readings.push(json!({"metric": "latency_idle", "at": ago(minutes), "value": 12.0}));
            readings.push(json!({"metric": "latency_loaded", "at": ago(minutes), "value": 80.0}));
        }
    }
    measured(&keeper, readings).await;
    let page = keeper.page().await;
    assert!(page.matches("class=\"curve\"").count() >= 3, "the gap and the failures part the curve: {page}");
    assert!(page.contains("class=\"band\"") && page.contains("class=\"failed\""), "{page}");
    assert!(page.contains("6 measurements failed"), "{page}");
    assert!(
        page.contains("Download: 8 of 10 tests in 30 days reached the 95 Mbit/s of the contract (80 %)."),
        "{page}"
    );
    assert!(page.contains("class=\"promise\""), "{page}");
    assert!(page.contains("Bufferbloat C: latency goes from 12 to 80 ms while the line is busy"), "{page}");
    for (range, words) in [("week", "7 days"), ("month", "30 days"), ("a-year", "24 hours")] {
        let url = format!("{}/?range={range}", keeper.url);
        let page = keeper.http.get(url).send().await.expect("it answers").text().await.expect("a text");
        assert!(page.contains(&format!(" aria-current=\"true\">{words}</a>")), "{range}: {page}");
    }
}

#[tokio::test]
async fn each_month_has_a_page_of_what_began_in_it() {
    let keeper = Keeper::start().await;
    let body = json!({"incident": {"name": "A spade in the cable", "status": "resolved", "body": "Mended."}});
    keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(body)).await;
    let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().expect("a client");
    let get = async |path: &str| http.get(format!("{}{path}", keeper.url)).send().await.expect("it answers");
    let moved = get("/history").await;
    assert_eq!(moved.status(), 303);
    let month = moved.headers()["location"].to_str().expect("a text").to_owned();
    let page = get(&format!("/{month}")).await.text().await.expect("a text");
    assert!(page.contains("A spade in the cable") && page.contains("Mended."), "{page}");
    let before = get("/history/2020-02").await.text().await.expect("a text");
    assert!(before.contains("February 2020") && before.contains("No incident and no maintenance began"), "{before}");
    for wrong in ["2026-13", "2026", "9999-01", "x"] {
        let answer = get(&format!("/history/{wrong}")).await;
        assert_eq!(answer.status(), 404, "{wrong}");
        assert_eq!(answer.text().await.expect("a text"), "A month is written like 2026-11.\n");
    }
}
