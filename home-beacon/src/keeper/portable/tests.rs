//! Over real databases: what one keeper hands out, another takes in.

use std::sync::atomic::Ordering::Relaxed;

use checks::outcome::State;
use serde_json::{Value, json};

use super::{
    Record,
    export::{self, Cursor},
    import::{Added, Importer},
};
use crate::{
    keeper::{
        KeeperError,
        checks::tests::{Home, NOON, SEED, check, time, with},
        db::query,
        measured::{metrics, metrics_providers},
        seed::{self, Seed},
        status::{
            IncidentPatch,
            incidents::{self, NewIncident},
        },
    },
    reading::{Outcome, Reading},
};

/// Without components.
const BARE: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n";

const DAY: i64 = 86_400;

async fn all(home: &Home) -> Vec<Record> {
    home.recorder.looks().flush(&home.db, home.recorder.clock().now_for_looks()).await.unwrap();
    let (mut records, mut next) = (Vec::new(), Some(Cursor::default()));
    while let Some(cursor) = next {
        // As it travels.
        let page =
            export::page(&home.db, &"gytm4qzbx9t6".parse().unwrap(), cursor.to_string().parse().unwrap(), time(0))
                .await
                .unwrap();
        records.extend(page.records);
        next = page.next;
    }
    records
}

async fn take(home: &Home, records: &[Record]) -> Result<Added, KeeperError> {
    let page = "gytm4qzbx9t6".parse().unwrap();
    let now = time(home.now.load(Relaxed));
    let importer = Importer { db: &home.db, looks: home.recorder.looks(), page: &page, now };
    let travelled = serde_json::to_string(records).unwrap();
    let lines: Vec<Record> = serde_json::from_str(&travelled).unwrap();
    let lines: Vec<_> = (1..).zip(lines).collect();
    importer.take(&lines).await
}

fn sorted(records: &[Record]) -> Vec<String> {
    let mut lines: Vec<_> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    lines.sort();
    lines
}

fn reading(metric: &str, second: i64, outcome: Outcome) -> Reading {
    Reading::new(metric.parse().unwrap(), time(second), outcome)
}

/// With something of each kind.
async fn lived_in() -> Home {
    let home = Home::of(SEED, 0).await;
    let (page, now) = ("gytm4qzbx9t6".parse().unwrap(), home.recorder.clock().now());
    let list = json!([
        with(check("nas"), json!({"group": "At home"})),
        with(check("sky"), json!({"component": "8kbf7d35c071", "every_seconds": 3600})),
        with(check("quiet"), json!({"component": "nowhere"})),
    ]);
    let placed = home.register(list).await.unwrap();
    for minute in 0..30 {
        let state = if minute % 4 == 3 { State::Critical } else { State::Ok };
        let figures = json!({"figures": [{"label": "load", "value": 0.1 + 0.2, "unit": "s"}, {"label": "disk", "value": 2.2e12, "unit": "B"}]});
        home.ran_as("nas", minute * 60, state, figures).await;
        home.ran("sky", minute * 60 + 1, State::Ok).await;
        let mut ping = reading("ping", minute * 600, Outcome::Value(12.5));
        (ping.loss, ping.target) = (Some(20.0), Some("one.one.one.one".into()));
        home.now.store(minute * 600, Relaxed);
        home.recorder.add_readings(&[ping]).await.unwrap();
        home.now.store(minute * 60 + 2, Relaxed);
    }
    for (name, resolved) in [("The line is down", true), ("And once more", false)] {
        let patch = IncidentPatch {
            component_ids: Some(vec![placed[0].clone().unwrap()]),
            body: Some("We look.".into()),
            ..IncidentPatch::default()
        };
        let backfilled = resolved.then(|| home.recorder.clock().now());
        incidents::create(&home.db, now, &page, NewIncident { name: name.into(), patch, backfilled }).await.unwrap();
    }
    let provider = metrics_providers::create(&home.db, now, &page).await.unwrap();
    let new = metrics::NewMetric { name: "Ping".into(), y_axis_max: Some(0.1 + 0.7), ..Default::default() };
    let metric = metrics::create(&home.db, now, &page, &provider.id, new).await.unwrap();
    let point = crate::reading::slots::SentPoint { timestamp: NOON, value: 3.25 };
    home.recorder.add_points(&page, &[(metric.id, vec![point])]).await.unwrap();
    home
}

/// Without what is a check's own, and the incidents about it: another keeper has another component for it.
fn of_no_check(records: &[Record]) -> Vec<String> {
    let is_own = |line: &String| line.contains("\"check\":\"nas\"") || line.starts_with("{\"incident\"");
    sorted(records).into_iter().filter(|line| !is_own(line)).collect()
}

#[tokio::test]
async fn what_is_handed_out_is_the_same_after_it_was_taken_in_and_a_second_time_adds_nothing() {
    let records = all(&lived_in().await).await;
    let other = Home::of(BARE, DAY).await;
    let added = take(&other, &records).await.unwrap();
    assert!(added.readings > 90 && added.statuses > 1 && added.looks >= 1, "{added:?}");
    // Of the check that does not run here: its component, statuses and looks.
    let few = Added { groups: 1, components: 2, metrics: 1, incidents: 2, ..Added::default() };
    let Added { readings, statuses, looks, left_out, .. } = added;
    assert_eq!(added, Added { statuses, looks, readings, left_out, ..few });
    assert!(left_out > 3, "{added:?}");
    assert_eq!(of_no_check(&all(&other).await), of_no_check(&records));
    assert_eq!(take(&other, &records).await.unwrap(), Added { left_out, ..Added::default() });

    // Once it runs, it gets its past.
    let placed = other.register(json!([with(check("nas"), json!({"group": "At home"}))])).await.unwrap();
    let added = take(&other, &records).await.unwrap();
    assert!(added.statuses > 10 && added.looks > 0 && added.left_out == 0 && added.components == 0, "{added:?}");
    assert_eq!(take(&other, &records).await.unwrap(), Added::default());
    assert_eq!(of_no_check(&all(&other).await), of_no_check(&records));
    let named: Vec<String> = other.rows("SELECT component_id FROM incident_components").await;
    assert_eq!(named, [placed[0].as_ref().unwrap().as_str(); 2]);
    let updates: Vec<String> = other.rows("SELECT body FROM incident_updates").await;
    assert_eq!(updates, ["We look."; 2]);
}

#[tokio::test]
async fn another_page_of_the_same_keeper_is_not_in_it() {
    let home = lived_in().await;
    let before = sorted(&all(&home).await);
    let second = "[page]\nid = \"aaaaaaaaaaaa\"\nname = \"Cabin\"\n\n[[components]]\nid = \"aaaaaaaaaaa1\"\nname = \"Cabin\"\n\n\
                  [[metrics]]\nid = \"aaaaaaaaaaa2\"\nname = \"Cabin\"\n";
    seed::apply(&home.db, home.recorder.clock().now(), &Seed::parse(second).unwrap()).await.unwrap();
    let point = crate::reading::slots::SentPoint { timestamp: NOON, value: 1.0 };
    let (page, metric) = ("aaaaaaaaaaaa".parse().unwrap(), "aaaaaaaaaaa2".parse().unwrap());
    home.recorder.add_points(&page, &[(metric, vec![point])]).await.unwrap();
    assert_eq!(sorted(&all(&home).await), before);
}

#[tokio::test]
async fn of_an_hour_that_is_rolled_up_in_part_all_is_handed_out() {
    let (home, other) = (Home::of(BARE, 0).await, Home::of(BARE, 0).await);
    for minute in 1..9 {
        home.recorder.add_readings(&[reading("ping", -minute * 60, Outcome::Value(1.5))]).await.unwrap();
    }
    // As a step of the retention leaves it that takes a few rows at a time.
    let mut tx = home.db.begin().await.unwrap();
    let sum = "INSERT INTO hours SELECT series_id, at / 3600000 * 3600000, COUNT(*), 0, 0, 0, SUM(value), MIN(value), MAX(value), 0, 0, 0, 0
               FROM (SELECT * FROM readings ORDER BY at LIMIT 5) GROUP BY 1, 2";
    query(sum).execute(&mut tx).await.unwrap();
    query("DELETE FROM readings WHERE at IN (SELECT at FROM readings ORDER BY at LIMIT 5)")
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    take(&other, &all(&home).await).await.unwrap();
    let hours: Vec<(i64, f64, f64)> = other.rows("SELECT measured, value_sum, min + max FROM hours").await;
    assert_eq!(hours, [(8, 12.0, 3.0)]);
}

fn statuses(of: &Value, rows: &[(i64, &str)]) -> Record {
    let rows: Vec<_> = rows.iter().map(|(second, status)| ((NOON + second) * 1000, status)).collect();
    serde_json::from_value(json!({"statuses": {"of": of, "rows": rows}})).unwrap()
}

#[tokio::test]
async fn where_the_check_runs_already_its_past_comes_before_what_was_seen_here() {
    let records = all(&lived_in().await).await;
    let here = Home::of(BARE, DAY).await;
    let placed = here.register(json!([with(check("nas"), json!({"group": "At home"}))])).await.unwrap();
    let nas = placed[0].clone().unwrap();
    here.ran("nas", DAY + 60, State::Critical).await;
    here.ran("nas", DAY + 120, State::Ok).await;
    let seen: Vec<(i64, String)> = here.rows(STATUSES_OF_NAS).await;
    let added = take(&here, &records).await.unwrap();
    assert_eq!((added.groups, added.components, added.left_out), (0, 2, 0), "and not the check's component and group");
    let after: Vec<(i64, String)> = here.rows(STATUSES_OF_NAS).await;
    assert!(after.len() > seen.len() + 10 && after.ends_with(&seen), "{after:?}");
    let named: Vec<String> = here.rows("SELECT component_id FROM incident_components").await;
    assert_eq!(named, [nas.as_str(), nas.as_str()]);
    assert_eq!(take(&here, &records).await.unwrap(), Added::default());
    assert_eq!(here.rows::<(i64, String)>(STATUSES_OF_NAS).await, after);
    // Where its component is another's, or none, nothing of it comes.
    let hidden = Home::of(SEED, DAY).await;
    hidden.register(json!([with(check("nas"), json!({"component": "nowhere"}))])).await.unwrap();
    let left = take(&hidden, &records).await.unwrap();
    assert!(left.left_out > 3 && left.components == 0, "{left:?}");
    let later = statuses(&json!({"check": "nas"}), &[(DAY + 90, "major_outage")]);
    assert_eq!(take(&here, &[later]).await.unwrap(), Added::default(), "what was seen here stands");
    assert!(here.is_looked_at(&nas), "by the run of now");
    // What comes late is still newer than what was taken in.
    here.ran("nas", DAY + 30, State::Ok).await;
    here.ran("nas", DAY + 180, State::Ok).await;
    let newest: Vec<i64> = here.rows("SELECT MAX(began) FROM look_spans WHERE location = 'checks'").await;
    assert!(newest[0] <= (NOON + DAY + 60) * 1000);
}

const STATUSES_OF_NAS: &str = "SELECT component_statuses.since, component_statuses.status FROM component_statuses JOIN checks USING (component_id)
     WHERE name = 'nas' ORDER BY component_statuses.since";

#[tokio::test]
async fn readings_of_long_ago_become_their_hours_sums_once() {
    let row = |at: i64, more: Value| with(json!({"at": (NOON + at) * 1000}), more);
    let old = -40 * DAY;
    let readings: Record = serde_json::from_value(json!({"readings": {"series": "ping", "rows": [
        row(old, json!({"value": 10, "loss": 50.0})), row(old + 60, json!({"value": 20.5})), row(old + 120, json!({"failure": "no answer"})),
    ]}}))
    .unwrap();
    let hours: Record = serde_json::from_value(json!({"hours": {"series": "ping", "rows": [
        row(old - 3600, json!({"measured": 2, "failed": 0, "skipped": 0, "marked": 0, "value_sum": 7.5, "jitter_sum": 0,
            "jitter_count": 0, "loss_sum": 0, "loss_count": 0})),
    ]}}))
    .unwrap();
    let here = Home::of(BARE, 0).await;
    let records = [readings, hours];
    let added = take(&here, &records).await.unwrap();
    assert_eq!((added.readings, added.hours), (3, 1));
    for _ in 0..2 {
        let rows: Vec<(i64, i64, i64, f64, f64)> =
            here.rows("SELECT at, measured, failed, value_sum, loss_sum FROM hours ORDER BY at").await;
        let at = |second: i64| (NOON + second) * 1000;
        assert_eq!(rows, [(at(old - 3600), 2, 0, 7.5, 0.0), (at(old), 2, 1, 30.5, 50.0)]);
        assert_eq!(here.rows::<i64>("SELECT COUNT(*) FROM readings").await, [0]);
        assert_eq!(take(&here, &records).await.unwrap(), Added::default());
    }
    // What an hour came to says less than its readings.
    let recent = reading("ping", -1800, Outcome::Value(1.0));
    here.recorder.add_readings(&[recent]).await.unwrap();
    let mut hours = serde_json::to_value(&records[1]).unwrap();
    hours["hours"]["rows"][0]["at"] = json!((NOON - 3600) * 1000);
    assert_eq!(take(&here, &[serde_json::from_value(hours).unwrap()]).await.unwrap(), Added::default());
}

#[tokio::test]
async fn a_wrong_record_is_said_with_its_line_and_nothing_is_taken_in() {
    let here = Home::of(SEED, 0).await;
    let good = statuses(&json!({"component": "8kbf7d35c070"}), &[(-60, "operational")]);
    let component = |id: &str, more: Value| {
        let columns = with(
            json!({"id": id, "name": "A", "position": 9, "status": "operational", "showcase": 0,
            "only_show_if_degraded": 0, "created_at": 1, "updated_at": 1}),
            more,
        );
        json!({"component": {"columns": columns}})
    };
    let rows = |rows: Value| json!({"readings": {"series": "ping", "rows": rows}});
    for (wrong, said) in [
        (json!({"porchlight": {"version": 2, "exported_at": "2026-11-30T00:00:00Z"}}), "it is of version 2"),
        (component("abc", json!({})), "id: "),
        (component("aaaaaaaaaaaa", json!({"colour": "red"})), "components have nothing that is called \"colour\""),
        (component("aaaaaaaaaaaa", json!({"status": "fine"})), "it contradicts what is here"),
        (component("aaaaaaaaaaaa", json!({"created_at": "now"})), "it contradicts what is here"),
        (component("aaaaaaaaaaaa", json!({"name": ["A"]})), "is neither text, number nor null"),
        (component("aaaaaaaaaaaa", json!({"position": i64::MAX})), "position: "),
        (json!({"statuses": {"of": {}, "rows": []}}), "of names neither component nor check"),
        (json!({"statuses": {"of": {"component": "8kbf7d35c070"}, "rows": [[5, "fine"]]}}), "statuses: "),
        (json!({"statuses": {"of": {"component": "8kbf7d35c070"}, "rows": [[-5, ""]]}}), "-5: is no time"),
        (
            json!({"looks": {"of": {"component": "8kbf7d35c070"}, "location": "x", "rows": [[9, 8, null, null]]}}),
            "ends before",
        ),
        (
            json!({"looks": {"of": {"component": "8kbf7d35c070"}, "location": "x", "rows": [[8, 9, "fine", null]]}}),
            "that there is not",
        ),
        (json!({"looks": {"of": {"component": "8kbf7d35c070"}, "location": "A B", "rows": []}}), "location: "),
        (rows(json!([{"value": 1}])), "at: is missing"),
        (rows(json!([{"at": 1000, "value": 1, "failure": "no"}])), "it contradicts what is here"),
        (rows(json!([{"at": 1000, "value": 1e25}])), "is no measurement"),
        (rows(json!([{"at": 1000, "value": 1}, {"at": 3_600_000, "value": 1}])), "one line has those of one hour"),
        (json!({"readings": {"series": "Ping!", "rows": [{"at": 1000, "value": 1}]}}), "it is the name of no readings"),
        (json!({"hours": {"series": "ping", "rows": [{"at": 1000}]}}), "does not begin at a full hour"),
    ] {
        let record: Record = serde_json::from_value(wrong.clone()).unwrap();
        let error = take(&here, &[good.clone(), record]).await.unwrap_err().to_string();
        assert!(error.starts_with("line 2: ") && error.contains(said), "{wrong}: {error}");
        let old: Vec<i64> = here.rows("SELECT COUNT(*) FROM component_statuses WHERE since < 1795953600000").await;
        assert_eq!(old, [0], "{wrong}");
    }
    assert_eq!(take(&here, &[good]).await.unwrap().statuses, 1);
    assert_eq!(here.db.failure().await, None, "and the disk is well");
}
