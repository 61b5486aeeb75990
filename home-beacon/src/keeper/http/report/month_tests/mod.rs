//! A month that is lived through on a clock moved by hand: October 2026 in Berlin, which has an hour more.

mod home;

use axum::http::StatusCode;
use serde_json::{Value, json};

use self::home::{Home, millis};
use crate::keeper::{db::query, measured::retention};

#[tokio::test]
async fn a_month_is_told_to_the_second_as_page_table_and_document_with_what_it_cannot_know() {
    let home = Home::lives_through_october().await;
    check_document(&home).await;
    check_page_and_table(&home).await;
    // The last, because time goes on.
    check_what_is_left_after_single_readings(&home).await;
}

async fn check_document(home: &Home) {
    let report = home.json("2026-10").await;
    assert_eq!(
        (&report["from"], &report["to"], &report["as_of"], &report["is_over"]),
        (
            &json!("2026-10-01T00:00:00+02:00"),
            &json!("2026-11-01T00:00:00+01:00"),
            &json!("2026-11-02T13:00:00+01:00"),
            &json!(true)
        )
    );
    let line = &report["components"][0];
    assert_eq!(
        line["seconds"],
        json!({"up": 88_500, "degraded": 0, "down": 7_500, "maintenance": 0, "not_looked_at": 2_586_000,
               "before_first_look": 0, "longest_outage": 3_600})
    );
    assert_eq!((&line["availability"], &line["seen_from"]), (&json!(0.921_875), &json!(["eu-central-1"])));
    let reported: Vec<[&Value; 7]> = line["outages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| ["from", "to", "seconds", "began", "ending", "cause", "seen_from"].map(|field| &it[field]))
        .collect();
    let place = json!(["eu-central-1"]);
    assert_eq!(
        reported,
        [
            [
                &json!("2026-10-01T00:00:00+02:00"),
                &json!("2026-10-01T00:30:00+02:00"),
                &json!(1_800),
                &json!("2026-09-30T23:30:00+02:00"),
                &json!("seen"),
                &json!("refused"),
                &place
            ],
            [
                &json!("2026-10-25T02:30:00+02:00"),
                &json!("2026-10-25T02:30:00+01:00"),
                &json!(3_600),
                &json!("2026-10-25T02:30:00+02:00"),
                &json!("seen"),
                &json!("unreachable"),
                &place
            ],
            [
                &json!("2026-10-25T11:00:00+01:00"),
                &json!("2026-10-25T11:35:00+01:00"),
                &json!(2_100),
                &json!("2026-10-25T11:00:00+01:00"),
                &json!("unseen"),
                &json!("name"),
                &place
            ],
        ]
    );
    let at_home: Vec<_> = line["outages"].as_array().unwrap().iter().map(|it| it["at_home"]["kind"].as_str()).collect();
    assert_eq!(at_home, [Some("kept_running"), Some("kept_running"), Some("keeper_stopped")]);
    assert_eq!(
        line["outages"][2]["at_home"]["words"],
        "At home the keeper was not running, or could not write. Of these 35 min nothing was recorded there for 5 min."
    );
    let own = &report["components"][1];
    assert_eq!((&own["seen_from"], &own["outages"][0]["at_home"]), (&Value::Null, &Value::Null));
    assert_eq!((&own["seconds"]["down"], &own["seconds"]["up"]), (&json!(1_200), &json!(94_200)));
    let tests = &report["bandwidth"][0];
    assert_eq!((&tests["tests"], &tests["failed"]), (&json!(3), &json!(1)));
    let below = &tests["below_promise"];
    assert_eq!((&below["at_least"], &below["at_most"]), (&json!(2), &json!(2)));
    assert_eq!(below["listed"][1], json!({"at": "2026-10-24T14:00:00+02:00", "mbps": 40.5, "is_hour": false}));
    assert_eq!(
        report["latency_ms"],
        json!({"average": 20.0, "worst_hour": {"from": "2026-10-24T16:00:00+02:00", "average": 30.0}})
    );
    let unknown = report["cannot_know"].to_string();
    for said in [
        "Line: For 29 days 22 h (96.5 %) nobody looked: that counts neither as up nor as down.",
        "Line: 1 outage may have lasted longer than is said: the end was not seen.",
        "A look is made about once a minute",
        "All looks came from one place (eu-central-1)",
        "At home nothing was recorded for",
    ] {
        assert!(unknown.contains(said), "{said}: {unknown}");
    }
}

async fn check_page_and_table(home: &Home) {
    let (_, page) = home.get("/report/2026-10").await;
    for said in [
        "<h1>Home: October 2026</h1>",
        "<dd>92.187 %</dd>",
        "<dd>29 days 22 h (96.5 %)</dd>",
        "25 Oct, 02:30:00 +02:00</time>",
        "25 Oct, 02:30:00 +01:00</time>",
        "began before this month: 30 Sep 2026, 23:30:00 +02:00",
        "30 min in this month, 1 h in all",
        "at least 35 min",
        "end not seen: nobody looked any more",
        "Seen from the cloud (eu-central-1).",
        "As reported by this home.",
        "At home everything kept running.",
        "Download: 2 of 3 tests were below the 100 Mbit/s of the contract; 78.5 Mbit/s on average; the slowest 40.5 Mbit/s",
        "Latency: 20 ms on average; 30 ms in the worst hour",
        "Packet loss: 0.5 % on average; 1 % in the worst hour",
        "href=\"2026-09\" rel=\"prev\"",
        "href=\"2026-11\" rel=\"next\"",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let (_, table) = home.get("/report/2026-10.csv").await;
    let lines: Vec<&str> = table.split("\r\n").collect();
    assert_eq!(lines[0], "record,name,from,to,seconds,value,unit,count,cause,at_home,seen_from,beginning,ending");
    for line in [
        "down,Line,2026-10-01T00:00:00+02:00,2026-11-01T00:00:00+01:00,7500,,,,,,,,",
        "availability,Line,2026-10-01T00:00:00+02:00,2026-11-01T00:00:00+01:00,,0.921875,ratio,,,,,,",
        "outages_and_longest,Line,2026-10-01T00:00:00+02:00,2026-11-01T00:00:00+01:00,3600,,,3,,,,,",
        "outage,Line,2026-10-25T11:00:00+01:00,2026-10-25T11:35:00+01:00,2100,,,,\"The home's name did not exist in the \
         DNS.\",keeper_stopped,eu-central-1,seen,unseen",
        "outage,\"'=Box, at home\",2026-10-24T16:59:00+02:00,2026-10-24T17:19:00+02:00,1200,,,,,,this home,seen,seen",
        "test_below_promise,Download,2026-10-24T14:00:00+02:00,,,40.5,Mbit/s,,,,,,",
        "tests_below_promise,Download,,,,,,2,,,,,",
    ] {
        assert!(lines.contains(&line), "{line}: {table}");
    }
    assert_eq!(
        home.get("/report/2026-09").await.1.matches("<tr>").count(),
        2,
        "a heading, and the outage of its last half hour"
    );
}

async fn check_what_is_left_after_single_readings(home: &Home) {
    home.is_now(millis("2026-12-15T12:00:00Z"));
    assert!(retention::run_once(&home.state.db, home.state.clock.wall()).await.unwrap() > 0);
    let report = home.json("2026-10").await;
    let below = &report["bandwidth"][0]["below_promise"];
    assert_eq!((&below["at_least"], &below["at_most"]), (&json!(2), &json!(2)));
    assert_eq!(below["listed"][1], json!({"at": "2026-10-24T14:00:00+02:00", "mbps": 40.5, "is_hour": true}));
    assert_eq!(report["latency_ms"]["average"], json!(20.0));
    assert!(report["cannot_know"].to_string().contains("Single tests are kept for 30 days"), "{report:#}");
    assert_eq!(report["components"][0]["seconds"]["down"], json!(7_500), "looks are kept for two years");
}

#[tokio::test]
async fn a_month_that_goes_on_or_is_to_come_or_has_nothing_says_so() {
    let home = Home::open("2026-10-30T21:00:00Z").await;
    home.looks("2026-10-30T21:00:00Z", "2026-10-30T21:10:00Z", |_| ("up", None)).await;
    home.is_now(millis("2026-11-02T12:00:00Z"));
    home.state.recorder.record_heartbeat().await.unwrap();
    let (_, page) = home.get("/report/2026-11").await;
    assert!(
        page.contains(
            "as of <time datetime=\"2026-11-02T13:00:00+01:00\">2 Nov, 13:00:00 +01:00</time>: the month is not over."
        ),
        "{page}"
    );
    assert!(!page.contains("rel=\"next\"") && page.contains("Nobody looked in this month"), "{page}");
    let (_, page) = home.get("/report/2026-12").await;
    assert!(page.contains("This month has not begun yet.") && !page.contains("What this report cannot know"), "{page}");
    assert_eq!(home.json("2026-12").await["cannot_know"], json!(["This month has not begun yet."]));
    let (_, page) = home.get("/report/2020-02").await;
    assert!(page.contains("Nobody looked in this month, and nothing was measured"), "{page}");
    let before = home.json("2020-02").await;
    assert_eq!(before["components"][0]["seconds"]["before_first_look"], json!(29 * 86_400));
    assert_eq!(before["components"][0]["availability"], Value::Null);
    for wrong in ["2026-13", "2026", "1999-12", "2201-01", "x", "2026-10.xml"] {
        let (status, words) = home.get(&format!("/report/{wrong}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{wrong}");
        assert_eq!(words, "A month is written like 2026-11, 2026-11.csv or 2026-11.json.\n");
    }
}

#[tokio::test]
async fn an_outage_that_goes_on_has_no_end_yet() {
    let home = Home::open("2026-11-10T08:00:00Z").await;
    home.looks("2026-11-10T08:00:00Z", "2026-11-10T09:00:00Z", |at| {
        if at >= millis("2026-11-10T08:30:00Z") { ("down", Some("unreachable")) } else { ("up", None) }
    })
    .await;
    let report = home.json("2026-11").await;
    let outage = &report["components"][0]["outages"][0];
    assert_eq!(
        (&outage["to"], &outage["ending"], &outage["seconds"]),
        (&Value::Null, &json!("ongoing"), &json!(1_800))
    );
    let (_, page) = home.get("/report/2026-11").await;
    assert!(page.contains("30 min so far") && page.contains("has not ended"), "{page}");
    let (_, shown) = home.get("/").await;
    assert!(shown.contains(": 30 min so far.") && shown.contains("At home everything kept running."), "{shown}");
    // A power cut in it, as the heartbeats record it.
    let gap = query("INSERT INTO gaps (began, ended, host_booted) VALUES (?, ?, 1)");
    let gap = gap.bind(millis("2026-11-10T08:35:00Z")).bind(millis("2026-11-10T08:50:00Z"));
    gap.execute(&mut home.state.db.write().await.unwrap()).await.unwrap();
    home.is_now(millis("2026-11-10T09:01:30Z"));
    let at_home = &home.json("2026-11").await["components"][0]["outages"][0]["at_home"];
    assert_eq!((&at_home["kind"], &at_home["unrecorded_seconds"]), (&json!("host_restarted"), &json!(900)));
    assert!(home.get("/").await.1.contains("The host at home was off or restarted."));
    let unknown = report["cannot_know"].to_string();
    assert!(
        unknown.contains("The month is not over: this is what is known up to 10 Nov 2026, 10:00:00 +01:00."),
        "{unknown}"
    );
    assert!(
        unknown.contains(
            "Nobody had looked before 10 Nov 2026, 09:00:00 +01:00: 9 days 9 h of this month are not counted."
        ),
        "{unknown}"
    );
}
