//! `/report/2026-11`: a month for the provider's hotline, on a real keeper whose clock is set to that month.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, Response, redirect::Policy};
use serde_json::{Value, json};
use tests::{
    binaries::{python, root},
    keeper::{COMPONENT, Keeper, PAGE},
    process::{command, file, run},
    skip::{libfaketime, program, skip},
};

use super::truth::is_off_by;

const SEED: &str = r#"
[page]
id = "gytm4qzbx9t6"
name = "My home"
time_zone = "Europe/Berlin"

[[components]]
id = "8kbf7d35c070"
name = "=Home internet, \"fast\""
"#;

/// A keeper in another month, and who asks it: nothing is followed.
pub(super) struct Month {
    pub(super) keeper: Keeper,
    pub(super) clock: PathBuf,
    reader: reqwest::Client,
    _files: tempfile::TempDir,
}

impl Month {
    /// `None` where no clock can be set.
    async fn open(began: &str) -> Option<Self> {
        Self::open_with(began, |_| ()).await
    }

    /// As [`Month::open`], with further settings.
    pub(super) async fn open_with(began: &str, more: impl FnOnce(&mut tokio::process::Command)) -> Option<Self> {
        let libfaketime = libfaketime()?;
        let files = tempfile::tempdir().expect("a folder");
        let clock = files.path().join("clock");
        set(&clock, began.parse().expect("a time"));
        let seed = file(files.path(), "seed.toml", SEED);
        let keeper = Keeper::start_with(|command| {
            command.env("LD_PRELOAD", libfaketime).env("FAKETIME_TIMESTAMP_FILE", &clock);
            command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
            command.env("KEEPER_SEED", seed).env("PROMISED_DOWN_MBPS", "100");
            more(command);
        })
        .await;
        let reader = reqwest::Client::builder().no_proxy().redirect(Policy::none()).timeout(Duration::from_secs(20));
        Some(Self { keeper, clock, reader: reader.build().expect("a client"), _files: files })
    }

    async fn get(&self, path: &str) -> Response {
        self.reader.get(format!("{}{path}", self.keeper.url)).send().await.expect("it answers")
    }

    async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.expect("a text")
    }

    /// Looks every four minutes from then on, by the first letter of what they saw: `u`p, `d`own, `s`low.
    async fn looks(&self, from: &str, seen: &str) {
        let from: Timestamp = from.parse().expect("a time");
        for (index, seen) in (0..).zip(seen.chars()) {
            let at = from + SignedDuration::from_mins(4 * index);
            set(&self.clock, at);
            let (verdict, cause) = match seen {
                'u' => ("up", None),
                'd' => ("down", Some("unreachable")),
                _ => ("degraded", Some("slow")),
            };
            let look = json!({"component_id": COMPONENT, "verdict": verdict, "cause": cause, "from": "outside"});
            let body = json!({"page_id": PAGE, "at": at.as_second(), "location": "eu-central-1", "looks": [look]});
            let (status, answer) = self.keeper.own(Method::POST, "/looks", Some(body)).await;
            assert_eq!(status, 202, "{answer}");
        }
    }

    /// What was measured so many times, an hour apart; the slowest at its time is below what the contract promises.
    async fn tests(&self, from: &str, values: impl Iterator<Item = f64>) {
        let from: Timestamp = from.parse().expect("a time");
        let reading = |(hour, value)| {
            let at = from + SignedDuration::from_hours(hour);
            json!({"metric": "bandwidth", "at": at.to_string(), "value": value})
        };
        let readings: Vec<Value> = (0..).zip(values).map(reading).collect();
        let body = json!({ "readings": readings });
        let (status, answer) = self.keeper.own(Method::POST, "/readings", Some(body)).await;
        assert_eq!(status, 201, "{answer}");
    }
}

/// Sets the keeper's clock. To times far ahead, because none is believed that is before the program was built.
pub(super) fn set(clock: &Path, to: Timestamp) {
    is_off_by(clock, to.as_second() - Timestamp::now().as_second());
}

/// The rows of a table, as Python's own reader has them; `None` where there is no Python.
async fn by_python(table: &str) -> Option<Vec<Vec<String>>> {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("report.csv");
    std::fs::write(&place, table).expect("it can be written");
    let mut reader = command(python()?);
    let script = "import csv, json, sys; rows = csv.reader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True); \
                  print(json.dumps(list(rows)))";
    reader.args(["-c", script]).arg(place).stdin(Stdio::null());
    let ended = run(reader, Duration::from_secs(20)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    Some(serde_json::from_str(&ended.stdout).expect("rows"))
}

#[tokio::test]
async fn a_month_is_reported_as_page_table_and_document_and_wrong_ones_in_a_sentence() {
    let Some(month) = Month::open("2036-03-29T22:30:00Z").await else {
        return skip("the report of a month", "libfaketime is missing; tests/run installs it");
    };
    // Clocks are put forward between two and three in the morning, in the middle of the outage.
    month.looks("2036-03-30T00:00:00Z", &format!("{}{}{}", "u".repeat(10), "d".repeat(10), "u".repeat(10))).await;
    month.tests("2036-03-29T22:35:00Z", [120.0, 80.5, 100.0].into_iter()).await;
    set(&month.clock, "2036-03-30T02:05:00Z".parse().expect("a time"));

    let moved = month.get("/report").await;
    assert_eq!((moved.status().as_u16(), moved.headers()["location"].to_str().ok()), (303, Some("report/2036-03")));
    let answer = month.get("/report/2036-03").await;
    assert!(answer.headers()["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/html")));
    assert!(answer.headers().contains_key("etag") && answer.headers().contains_key("content-security-policy"));
    let page = answer.text().await.expect("a text");
    for said in [
        "<h1>My home: March 2036</h1>",
        "30 Mar, 01:40:00 +01:00</time>",
        "30 Mar, 03:20:00 +02:00</time>",
        "<td>40 min</td>",
        "No answer: connections to the home&#39;s address timed out, or were reported unreachable.",
        "Seen from the cloud (eu-central-1).",
        ": the month is not over.",
        "Nobody had looked before 30 Mar 2036, 01:00:00 +01:00",
        "=Home internet, &#34;fast&#34;",
        "Download: 1 of 3 tests were below the 100 Mbit/s of the contract",
        "href=\"../report.css\"",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(month.text("/report.css").await.contains("@media print"));

    let document: Value = month.get("/report/2036-03.json").await.json().await.expect("JSON");
    assert_eq!((&document["time_zone"], &document["is_over"]), (&json!("Europe/Berlin"), &json!(false)));
    let component = &document["components"][0];
    assert_eq!((&component["outage_count"], &component["seconds"]["down"]), (&json!(1), &json!(2_400)));
    let outage = &component["outages"][0];
    assert_eq!(
        ["from", "to", "seconds", "beginning", "ending", "cause", "at_home"].map(|field| &outage[field]),
        [
            &json!("2036-03-30T01:40:00+01:00"),
            &json!("2036-03-30T03:20:00+02:00"),
            &json!(2_400),
            &json!("seen"),
            &json!("seen"),
            &json!("unreachable"),
            &Value::Null,
        ],
        "where the keeper knows no beacon, it is not known to be at home"
    );
    let test = json!({"at": "2036-03-30T00:35:00+01:00", "mbps": 80.5, "is_hour": false});
    assert_eq!(document["bandwidth"][0]["below_promise"], json!({"at_least": 1, "at_most": 1, "listed": [test]}));

    let answer = month.get("/report/2036-03.csv").await;
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"report-2036-03.csv\"");
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    let table = answer.text().await.expect("a text");
    assert!(!table.replace("\r\n", "").contains('\n'), "lines end as RFC 4180 has it");
    match by_python(&table).await {
        None => skip("the report's table", "TESTS_PYTHON is missing; tests/run installs it"),
        Some(rows) => {
            assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{rows:?}");
            let outage = rows.iter().find(|row| row[0] == "outage").expect("the outage");
            let expected =
                ["'=Home internet, \"fast\"", "2036-03-30T01:40:00+01:00", "2036-03-30T03:20:00+02:00", "2400"];
            assert_eq!(outage[1..5], expected);
        }
    }

    for wrong in ["2026-13", "2026", "1999-12", "2201-01", "2036-03.xml", "x"] {
        let answer = month.get(&format!("/report/{wrong}")).await;
        assert_eq!(answer.status(), 404, "{wrong}");
        assert_eq!(
            answer.text().await.expect("a text"),
            "A month is written like 2026-11, 2026-11.csv or 2026-11.json.\n"
        );
    }
    assert!(month.text("/report/2036-04").await.contains("This month has not begun yet."));
    assert!(month.text("/report/2000-01").await.contains("Nobody looked in this month, and nothing was measured"));
    let posted = month.reader.post(format!("{}/report/2036-03", month.keeper.url)).send().await.expect("it answers");
    assert_eq!(posted.status(), 405);
}

#[tokio::test]
async fn an_ordinary_month_is_one_sheet_of_paper_black_on_white() {
    let chromium = program("chromium").or_else(|| program("chromium-browser"));
    let installed = root().join("tests/browser/node_modules/playwright-core").is_dir();
    let Some((node, chromium)) = program("node").filter(|_| installed).zip(chromium) else {
        return skip("the report on paper", "chromium, node or playwright-core is missing; tests/run installs them");
    };
    let Some(month) = Month::open("2036-10-31T20:00:00Z").await else {
        return skip("the report on paper", "libfaketime is missing; tests/run installs it");
    };
    for (from, seen) in [
        ("2036-10-31T22:40:00Z", "uuddddddddddduu"),
        ("2036-11-03T13:05:10Z", "uuddduu"),
        ("2036-11-08T02:11:42Z", "uudddddddddddddddddddduu"),
        ("2036-11-14T18:30:05Z", "uudduussssuu"),
        ("2036-11-21T07:59:59Z", "uuddddd"),
        ("2036-11-27T20:15:00Z", "uuddddddddduu"),
    ] {
        month.looks(from, seen).await;
    }
    // A test an hour; some evenings are too slow.
    let speed = |hour: i32| if hour % 24 == 20 && hour % 5 < 2 { 61.5 + f64::from(hour) / 100.0 } else { 104.0 };
    month.tests("2036-11-01T00:10:00Z", (0..640).map(speed)).await;
    set(&month.clock, "2036-11-28T21:40:00Z".parse().expect("a time"));

    let artifacts = root().join("tests/artifacts");
    std::fs::create_dir_all(&artifacts).expect("a folder for screenshots");
    let mut script = command(node);
    script.arg(root().join("tests/browser/print.mjs")).arg(format!("{}/report/2036-11", month.keeper.url));
    script.arg(artifacts.join("report")).env("CHROMIUM", chromium);
    let ended = run(script, Duration::from_secs(120)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let seen: Value = serde_json::from_str(&ended.stdout).expect("one line of JSON");
    for name in ["desk", "dark", "phone", "paper"] {
        let view = &seen[name];
        assert_eq!((&view["status"], &view["overflow"]), (&json!(200), &json!(0)), "{name}: {view:#}");
        assert_eq!((&view["violations"], &view["complaints"]), (&json!([]), &json!([])), "{name}: {view:#}");
    }
    assert_eq!(seen["paper"]["colours"], json!(["rgb(255, 255, 255)", "rgb(0, 0, 0)"]), "also where it is dark");
    assert_ne!(seen["desk"]["colours"], seen["dark"]["colours"]);
    assert_eq!(seen["sheets"], 1, "{seen:#}");
}
