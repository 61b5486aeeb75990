//! The feed of incidents and the calendar of maintenance, read by programs of others.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    atom,
    binaries::{python, root},
    keeper::{COMPONENT, Keeper, PAGE},
    process::{command, run},
    skip::skip,
};

/// What nobody's name is, and any may be.
const NAME: &str = "Spade, \"cable\" & <b>; \\ Кабель 語";

async fn text(keeper: &Keeper, path: &str, kind: &str) -> String {
    let answer = keeper.http.get(format!("{}{path}", keeper.url)).send().await.expect("it answers");
    assert_eq!(answer.status(), 200, "{path}");
    let header = |name: &str| answer.headers()[name].to_str().expect("plain text").to_owned();
    assert_eq!((header("content-type"), header("access-control-allow-origin")), (kind.to_owned(), "*".to_owned()));
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin");
    answer.text().await.expect("a text")
}

/// `None` where the programs are not installed, which was said then.
async fn read(keeper: &Keeper, test: &str, form: &str, written: &str) -> Option<Value> {
    let Some(python) = python() else {
        skip(test, "TESTS_PYTHON is not set; tests/run makes one with readers of feeds and calendars");
        return None;
    };
    let file = keeper.folder.path().join(form);
    std::fs::write(&file, written).expect("the folder can be written");
    let mut reader = command(python);
    reader.arg(root().join("tests/clients/subscribed.py")).arg(form).arg(&file);
    let ended = run(reader, Duration::from_secs(60)).await;
    if ended.stderr.contains("No module named") {
        skip(test, "the readers are not installed; tests/run does it");
        return None;
    }
    assert_eq!(ended.code, Some(0), "{}{}\n{written}", ended.stdout, ended.stderr);
    Some(serde_json::from_str(&ended.stdout).expect("JSON"))
}

async fn feed(keeper: &Keeper) -> String {
    text(keeper, "/history.atom", "application/atom+xml; charset=utf-8").await
}

async fn calendar(keeper: &Keeper) -> String {
    text(keeper, "/maintenance.ics", "text/calendar; charset=utf-8").await
}

#[tokio::test]
async fn the_feed_has_an_entry_for_each_incident_with_its_updates_the_newest_first() {
    let keeper = Keeper::start().await;
    let empty = feed(&keeper).await;
    assert!(!empty.contains("<entry>"), "{empty}");
    if read(&keeper, "feed", "atom", &empty).await.is_none() {
        return;
    }
    let incidents = format!("/pages/{PAGE}/incidents");
    let affected = json!({COMPONENT: "major_outage"});
    let body = json!({"incident": {"name": NAME, "body": "We <i>look</i>.\nAnd look.", "components": affected}});
    let made = keeper.ok(Method::POST, &incidents, Some(body)).await;
    let id = made["id"].as_str().expect("an id");
    let first = read(&keeper, "feed", "atom", &feed(&keeper).await).await.expect("a reader");
    let body = json!({"incident": {"status": "resolved", "body": "Mended."}});
    keeper.ok(Method::PATCH, &format!("{incidents}/{id}"), Some(body)).await;
    for other in 0..26 {
        let name = if other == 0 { "x".repeat(255) } else { format!("Another {other}") };
        keeper.ok(Method::POST, &incidents, Some(json!({"incident": {"name": name}}))).await;
        if other == 3 {
            let both = read(&keeper, "feed", "atom", &feed(&keeper).await).await.expect("a reader");
            let entries = both["entries"].as_array().expect("entries");
            assert_eq!(both["updated"], entries[0]["updated"]);
            let entry = entries.iter().find(|entry| entry["id"] == first["entries"][0]["id"]).expect("the same id");
            assert_eq!(entry["title"].as_str(), Some(NAME));
            assert_eq!(entry["link"], format!("{}/incidents/{id}", keeper.url));
            let content = entry["content"].as_str().expect("a text");
            let (mended, looked) =
                (content.find("Mended."), content.find("We &lt;i&gt;look&lt;/i&gt;.<br />And look."));
            assert!(mended.is_some() && mended < looked, "{content}");
            assert!(content.contains("Concerns Home internet."), "{content}");
        }
    }
    let written = feed(&keeper).await;
    let many = read(&keeper, "feed", "atom", &written).await.expect("a reader");
    assert!(matches!(atom::validated("feed", keeper.folder.path(), &written).await, None | Some(25)));
    assert_eq!(many["entries"].as_array().map(Vec::len), Some(25));
    assert_eq!(many["links"]["self"], format!("{}/history.atom", keeper.url));
    assert_eq!(many["id"], format!("urn:porchlight:page:{PAGE}"));
    // Whichever host is asked, an entry keeps its id.
    let asked = keeper.http.get(format!("{}/history.atom", keeper.url)).header("host", "status.example.org");
    let elsewhere = asked.send().await.expect("it answers").text().await.expect("a text");
    let elsewhere = read(&keeper, "feed", "atom", &elsewhere).await.expect("a reader");
    assert_eq!(elsewhere["entries"][7]["id"], many["entries"][7]["id"]);
    assert!(elsewhere["entries"][7]["link"].as_str().is_some_and(|it| it.starts_with("http://status.example.org/")));
}

#[tokio::test]
async fn the_calendar_has_what_is_planned_and_what_was_called_off() {
    let keeper = Keeper::start().await;
    let empty = read(&keeper, "calendar", "ics", &calendar(&keeper).await).await;
    let Some(empty) = empty else { return };
    assert_eq!(empty, json!({"name": "My home: maintenance", "events": []}));
    let incidents = format!("/pages/{PAGE}/incidents");
    let long = "語".repeat(100);
    let body = json!({"incident": {"name": NAME, "status": "scheduled", "body": format!("A new router;\r\n{long}"),
        "scheduled_for": "2099-03-29T01:30:00+01:00", "scheduled_until": "2099-03-29T04:00:00+02:00"}});
    let made = keeper.ok(Method::POST, &incidents, Some(body)).await;
    let id = made["id"].as_str().expect("an id");
    let planned = read(&keeper, "calendar", "ics", &calendar(&keeper).await).await.expect("a reader");
    let event = &planned["events"][0];
    assert_eq!(event["summary"], NAME);
    assert_eq!(event["uid"], format!("{id}@{PAGE}.porchlight"));
    let times = (event["from"].as_str(), event["until"].as_str(), event["status"].as_str());
    assert_eq!(times, (Some("2099-03-29T00:30:00+00:00"), Some("2099-03-29T02:00:00+00:00"), Some("CONFIRMED")));
    assert_eq!(event["description"], format!("Scheduled: A new router;\n{long}"));
    assert_eq!(event["url"], format!("{}/incidents/{id}", keeper.url));
    let body = json!({"incident": {"status": "completed", "body": "Not this time."}});
    keeper.ok(Method::PATCH, &format!("{incidents}/{id}"), Some(body)).await;
    let off = read(&keeper, "calendar", "ics", &calendar(&keeper).await).await.expect("a reader");
    assert_eq!((&off["events"][0]["uid"], &off["events"][0]["status"]), (&event["uid"], &json!("CANCELLED")));
    assert!(off["events"][0]["sequence"].as_i64() >= event["sequence"].as_i64());
}
