//! What results change.

use super::*;
use crate::keeper::{
    checks::home::{Line, home as line},
    status::incidents,
};

#[tokio::test]
async fn a_result_sets_the_component_at_its_own_time_and_is_listed() {
    let home = Home::new().await;
    let nas = home.register(json!([check("nas")])).await.unwrap().remove(0).unwrap();
    let more = json!({"cause": "refused", "certificate_ends": "2027-01-01T00:00:00Z", "phases": {"connect": 0.25}});
    home.ran("nas", 60, State::Ok).await;
    home.ran_as("nas", 120, State::Critical, more).await;
    home.ran("nas", 180, State::Critical).await;
    home.ran("nas", 240, State::Unknown).await;
    assert_eq!(home.status(&nas).await, Some(ComponentStatus::MajorOutage));
    let statuses: Vec<(String, i64)> =
        home.rows("SELECT component_statuses.status, since / 1000 - 1795953600 FROM component_statuses JOIN components ON id = component_id WHERE checked AND component_statuses.status <> '' ORDER BY since").await;
    assert_eq!(statuses, [("operational".to_owned(), 60), ("major_outage".to_owned(), 120)]);
    let listed = &home.listed().await[0];
    assert_eq!(
        (&listed["counts"], &listed["since"], &listed["successes"], &listed["failures"], &listed["last_run"]["state"]),
        (&json!("critical"), &json!("2026-11-29T12:02:00.000Z"), &json!(1), &json!(2), &json!("unknown"))
    );
    assert_eq!(listed["last_run"]["certificate_ends"], "2027-01-01T00:00:00.000Z", "known from before");
}

#[tokio::test]
async fn an_older_result_adds_its_reading_and_changes_nothing() {
    let home = Home::new().await;
    let nas = home.register(json!([check("nas")])).await.unwrap().remove(0).unwrap();
    home.ran("nas", 120, State::Ok).await;
    for second in [60, 120] {
        home.recorder.add_readings(&[run("nas", second, State::Critical, json!({}))]).await.unwrap();
        assert_eq!(home.status(&nas).await, Some(ComponentStatus::Operational));
    }
    let both = [run("nas", 240, State::Ok, json!({})), run("nas", 180, State::Critical, json!({}))];
    home.now.store(240, Relaxed);
    home.recorder.add_readings(&both).await.unwrap();
    assert_eq!(home.status(&nas).await, Some(ComponentStatus::Operational), "whatever their order in a call");
    let counted: Vec<i64> = home.rows("SELECT COUNT(*) FROM readings").await;
    assert_eq!((counted, &home.listed().await[0]["failures"]), (vec![4], &json!(1)));
}

#[tokio::test]
async fn a_result_from_a_clock_that_was_ahead_locks_none_out() {
    let home = Home::new().await;
    home.register(json!([check("nas")])).await.unwrap();
    home.ran("nas", 7200, State::Critical).await;
    home.ran("nas", 60, State::Ok).await;
    assert_eq!(home.listed().await[0]["counts"], "ok");
}

#[tokio::test]
async fn maintenance_is_not_overwritten_by_status_or_by_plan() {
    let home = Home::new().await;
    let nas = home.register(json!([check("nas")])).await.unwrap().remove(0).unwrap();
    home.ran("nas", 0, State::Ok).await;
    home.set_status(&nas, ComponentStatus::UnderMaintenance).await;
    home.ran("nas", 60, State::Critical).await;
    assert_eq!(home.status(&nas).await, Some(ComponentStatus::UnderMaintenance));
    assert_eq!(home.notices().await, [], "and nobody is written to");
    home.set_status(&nas, ComponentStatus::Operational).await;
    for text in [
        "INSERT INTO incidents (id, page_id, name, status, impact, metadata, backfilled, scheduled_for, scheduled_until, started_at,
             created_at, updated_at) VALUES ('aaaaaaaaaaa1', 'gytm4qzbx9t6', 'Dust', 'in_progress', 'maintenance', '{}', 0, 0, 0, 0, 0, 0)",
        "INSERT INTO incident_components SELECT 'aaaaaaaaaaa1', component_id FROM checks",
    ] {
        query(text).execute(&mut home.db.write().await.unwrap()).await.unwrap();
    }
    home.ran("nas", 120, State::Critical).await;
    assert_eq!(home.status(&nas).await, Some(ComponentStatus::Operational));
    assert_eq!(home.notices().await, []);
    let page = "gytm4qzbx9t6".parse().unwrap();
    incidents::delete(&home.db, &page, &"aaaaaaaaaaa1".parse().unwrap()).await.unwrap();
    home.watch(130, -9999).await;
    assert_eq!(home.notices().await, [("began".to_owned(), "NAS is down".to_owned())], "it still is when that is over");
    home.ran("nas", 180, State::Critical).await;
    assert_eq!(home.status(&nas).await, Some(ComponentStatus::MajorOutage));
}

#[tokio::test]
async fn a_component_of_several_checks_is_as_bad_as_the_worst() {
    let home = Home::new().await;
    let sky: ComponentId = "8kbf7d35c071".parse().unwrap();
    let of_sky = |name: &str| with(check(name), json!({"component": "8kbf7d35c071"}));
    home.register(json!([of_sky("one"), of_sky("two")])).await.unwrap();
    for (name, second, state, expected) in [
        ("one", 0, State::Ok, ComponentStatus::Operational),
        ("two", 10, State::Critical, ComponentStatus::MajorOutage),
        ("one", 60, State::Warning, ComponentStatus::MajorOutage),
        ("two", 70, State::Ok, ComponentStatus::DegradedPerformance),
    ] {
        home.ran(name, second, state).await;
        assert_eq!(home.status(&sky).await, Some(expected), "{name} {second}");
    }
    let pending = Outbox::new(home.db.clone(), true).pending_statuses(&"gytm4qzbx9t6".parse().unwrap()).await.unwrap();
    assert_eq!(pending[0].status, ComponentStatus::DegradedPerformance, "it is relayed as what else is");
}

#[tokio::test]
async fn a_component_is_looked_at_for_as_long_as_its_check_runs_by_its_own_interval() {
    let home = Home::new().await;
    let hourly = with(check("hourly"), json!({"every_seconds": 3600}));
    let placed = home.register(json!([check("nas"), hourly])).await.unwrap();
    let (nas, hourly) = (placed[0].clone().unwrap(), placed[1].clone().unwrap());
    home.ran("nas", 0, State::Ok).await;
    home.ran("hourly", 0, State::Ok).await;
    let looked = |home: &Home, second: i64| {
        home.now.store(second, Relaxed);
        (home.is_looked_at(&nas), home.is_looked_at(&hourly))
    };
    assert_eq!(looked(&home, 300), (true, true));
    assert_eq!(looked(&home, 301), (false, true));
    // The heartbeat of a later minute carries it.
    let ping = Reading::new("ping".parse().unwrap(), time(301), crate::reading::Outcome::Value(9.0));
    home.recorder.add_readings(&[ping]).await.unwrap();
    let home = home.restarted().await;
    assert_eq!(looked(&home, 7260), (false, true), "after a start, too");
    assert_eq!(looked(&home, 7261), (false, false));
    home.ran("hourly", 7262, State::Unknown).await;
    assert_eq!(looked(&home, 7263), (false, false), "what could not be checked was not looked at");
    let late: Vec<_> = home.listed().await.iter().map(|listed| listed["late"].clone()).collect();
    assert_eq!(late, [false, true], "of results, that one came");
}

#[tokio::test]
async fn figures_become_series_in_base_units_and_not_too_many() {
    let home = Home::new().await;
    home.register(json!([check("disk")])).await.unwrap();
    let figures: Vec<_> = (0..60).map(|number| json!({"label": format!("f{number}"), "value": number})).collect();
    home.ran_as("disk", 0, State::Ok, json!({"figures": [{"label": "/", "value": 2.0, "unit": "MB"}, {"label": "t", "value": 5.0, "unit": "ms"}, {"label": "u", "value": null}]})).await;
    home.ran_as("disk", 60, State::Ok, json!({"figures": figures})).await;
    home.ran_as(
        "disk",
        120,
        State::Ok,
        json!({"figures": [{"label": "/", "value": 1.0, "unit": "%"}, {"label": "big", "value": 1e30}]}),
    )
    .await;
    home.recorder
        .add_readings(&[run("other", 120, State::Ok, json!({"figures": [{"label": "x", "value": 1}]}))])
        .await
        .unwrap();
    let count: Vec<(i64, i64)> =
        home.rows("SELECT SUM(name LIKE 'check:disk:%'), SUM(name LIKE 'check:other:%') FROM series").await;
    assert_eq!(count, [(50, 0)]);
    let values: Vec<(String, f64, String)> = home
        .rows("SELECT name, value, unit FROM series JOIN readings ON series_id = id WHERE name IN ('check:disk:root', 'check:disk:t') ORDER BY name, at")
        .await;
    let expected = [("root", 2_097_152.0, "%"), ("root", 1.0, "%"), ("t", 0.005, "s")];
    assert_eq!(values, expected.map(|(end, value, unit)| (format!("check:disk:{end}"), value, unit.to_owned())));
}

#[tokio::test]
async fn many_names_that_nobody_has_registered_do_not_fill_the_disk() {
    let home = Home::new().await;
    let stray = |number: i64| run(&format!("stray{number}"), 0, State::Ok, json!({}));
    let strays: Vec<_> = (0..1000).map(stray).collect();
    home.recorder.add_readings(&strays).await.unwrap();
    let refused = home.recorder.add_readings(&[stray(1000)]).await.unwrap_err().to_string();
    assert!(refused.contains("there are 1000 already"), "{refused}");
    home.register(json!([check("nas")])).await.unwrap();
    home.ran("nas", 0, State::Ok).await;
}

#[tokio::test]
async fn the_line_is_down_by_the_component_of_the_home_or_by_a_newer_ping() {
    let home = Home::new().await;
    let id: ComponentId = "8kbf7d35c070".parse().unwrap();
    let of = async |second: i64| {
        home.now.store(second, Relaxed);
        let looks = (home.recorder.looks(), home.recorder.clock().now_for_looks());
        line(&home.db, looks, &"gytm4qzbx9t6".parse().unwrap(), Some(id.clone()), time(second)).await.unwrap()
    };
    assert_eq!(of(0).await.state, Line::Unknown);
    let ping = |second: i64, outcome| Reading::new("ping".parse().unwrap(), time(second), outcome);
    let failed = crate::reading::Outcome::Failure("no answer".into());
    home.recorder
        .add_readings(&[ping(0, crate::reading::Outcome::Value(9.0)), ping(60, failed.clone()), ping(120, failed)])
        .await
        .unwrap();
    let down = of(120).await;
    assert_eq!((down.state, down.since.unwrap().timestamp()), (Line::Down, time(60)));
    assert_eq!(of(301).await.state, Line::Unknown);
}

#[tokio::test]
async fn where_there_is_no_room_for_one_more_series_the_run_counts_without_its_figures() {
    let home = Home::new().await;
    home.register(json!([check("disk")])).await.unwrap();
    home.ran("disk", 0, State::Ok).await;
    let fill = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                INSERT INTO series (name, of_check) SELECT 'check:other:' || i, 1 FROM n";
    query(fill).execute(&mut home.db.write().await.unwrap()).await.unwrap();
    home.ran_as("disk", 60, State::Critical, json!({"figures": [{"label": "used", "value": 1.0}]})).await;
    assert_eq!(home.listed().await[0]["counts"], "critical");
    let figures: Vec<i64> = home.rows("SELECT COUNT(*) FROM series WHERE name = 'check:disk:used'").await;
    assert_eq!(figures, [0]);
}
