//! Checks that call us.

use shared::fingerprint::Fingerprint;

use super::*;
use crate::keeper::checks::{
    calls::{find, find_overdue, take},
    passive::Call,
    store,
};

const SECRET: &str = "c4f6c2a8-0b6e-4b2c-9a37-5d0f6f8a1e42";

fn backup(after_failures: u32) -> Value {
    let passive = json!({"period_seconds": 3600, "grace_seconds": 600,
        "secret_sha256": Fingerprint::of(SECRET.as_bytes()).to_string()});
    with(
        check("backup"),
        json!({"kind": "passive", "every_seconds": 3600, "passive": passive,
        "notices": {"wanted": true, "after_failures": after_failures}}),
    )
}

impl Home {
    async fn call(&self, second: i64, call: Call) {
        self.now.store(second, Relaxed);
        let known = find(&self.db, SECRET).await.unwrap().expect("it is registered");
        take(&self.recorder, &known, call, Some(format!("{call:?}"))).await.unwrap();
    }

    async fn overdue(&self, second: i64) -> usize {
        self.now.store(second, Relaxed);
        find_overdue(&self.recorder, time(second)).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_overdue_is_late_and_then_down_each_since_it_was_due_over_a_restart_too() {
    let home = Home::new().await;
    let component = home.register(json!([backup(3)])).await.unwrap().remove(0).unwrap();
    assert_eq!(home.overdue(99_000).await, 0, "it never called");
    home.call(0, Call::Success).await;
    assert_eq!((home.overdue(3600).await, home.overdue(3700).await, home.overdue(3701).await), (0, 1, 0));
    assert_eq!(home.status(&component).await, Some(ComponentStatus::DegradedPerformance));
    assert_eq!(home.notices().await, []);
    let home = home.restarted().await;
    assert_eq!(home.overdue(4300).await, 0, "it may call yet: nobody was there");
    assert_eq!((home.overdue(7301).await, home.overdue(7302).await), (1, 0));
    assert_eq!(home.status(&component).await, Some(ComponentStatus::MajorOutage));
    let statuses: Vec<(String, i64)> = home
        .rows("SELECT component_statuses.status, since / 1000 - 1795953600 FROM component_statuses JOIN components ON id = component_id
               WHERE checked AND component_statuses.status <> '' ORDER BY since")
        .await;
    let expected = [("operational", 0), ("degraded_performance", 3600), ("major_outage", 4200)];
    assert_eq!(statuses, expected.map(|(status, since)| (status.to_owned(), since)));
    let began = ("began".to_owned(), "BACKUP is down".to_owned());
    assert_eq!(home.notices().await, [began], "once, however many failures are waited for otherwise");
    home.call(8000, Call::Success).await;
    assert_eq!(home.status(&component).await, Some(ComponentStatus::Operational));
    assert_eq!(home.overdue(8001).await, 0);
}

#[tokio::test]
async fn what_is_called_is_a_reading_with_how_long_the_run_took() {
    let home = Home::new().await;
    home.register(json!([backup(1)])).await.unwrap();
    home.call(10, Call::Start).await;
    home.call(70, Call::Success).await;
    home.call(80, Call::Success).await;
    home.call(90, Call::Exit(3)).await;
    home.call(95, Call::Log).await;
    let readings: Vec<(i64, Option<f64>, Option<String>)> =
        home.rows("SELECT at / 1000 - 1795953600, value, failure FROM readings ORDER BY at").await;
    let failure = "It called, and said that it failed: exit code 3.".to_owned();
    assert_eq!(readings, [(70, Some(60_000.0), None), (80, Some(0.0), None), (90, None, Some(failure))]);
    let listed = &home.listed().await[0];
    assert_eq!((&listed["counts"], &listed["passive"]["body"]), (&json!("critical"), &json!("Log")));
    let looks: Vec<i64> = home.rows("SELECT looks FROM components WHERE checked").await;
    assert_eq!(looks, [0], "what the keeper says of it is its own word");
}

#[tokio::test]
async fn a_secret_that_is_none_finds_nothing_and_neither_does_what_is_kept_of_it() {
    let home = Home::new().await;
    home.register(json!([backup(1)])).await.unwrap();
    let hash = Fingerprint::of(SECRET.as_bytes()).to_string();
    for wrong in ["", "x", hash.as_str(), &SECRET.to_uppercase()] {
        assert!(find(&home.db, wrong).await.unwrap().is_none(), "{wrong}");
    }
    home.register(json!([])).await.unwrap();
    assert!(find(&home.db, SECRET).await.unwrap().is_none());
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_now_stays_the_one_that_it_was() {
    let home = Home::new().await;
    let unreadable = |mut check: Value| {
        check["passive"]["secret_sha256"] = Value::Null;
        check
    };
    // One that never had any is known, and nobody can call it.
    let new = home.register(json!([unreadable(backup(1))])).await.unwrap().remove(0);
    assert!(new.is_some() && find(&home.db, SECRET).await.unwrap().is_none());
    assert_eq!(home.overdue(99_000).await, 0);
    home.register(json!([backup(1)])).await.unwrap();
    home.call(0, Call::Success).await;
    assert_eq!(home.register(json!([unreadable(backup(1))])).await.unwrap(), [new]);
    home.call(60, Call::Success).await;
    home.register(json!([with(check("backup"), json!({"title": "Not passive any more"}))])).await.unwrap();
    home.register(json!([unreadable(backup(1))])).await.unwrap();
    assert!(find(&home.db, SECRET).await.unwrap().is_none(), "it was forgotten meanwhile");
}

#[tokio::test]
async fn one_that_failed_once_and_is_silent_then_is_told_though_more_failures_are_waited_for() {
    let home = Home::new().await;
    home.register(json!([backup(3)])).await.unwrap();
    home.call(0, Call::Fail).await;
    assert_eq!((home.overdue(3700).await, home.notices().await), (0, vec![]));
    assert_eq!((home.overdue(4201).await, home.overdue(4202).await), (1, 0));
    assert_eq!(home.notices().await, [("began".to_owned(), "BACKUP is down".to_owned())]);
}

#[tokio::test]
async fn nothing_is_overdue_while_calls_wait_for_the_clock() {
    let home = Home::new().await;
    home.register(json!([backup(1)])).await.unwrap();
    home.call(0, Call::Success).await;
    let mut conn = home.db.write().await.unwrap();
    let insert = "INSERT INTO undated (boot, after, booted, document) VALUES ('x', 1, NULL, '{}')";
    query(insert).execute(&mut conn).await.unwrap();
    drop(conn);
    assert_eq!(home.overdue(9000).await, 0);
    query("DELETE FROM undated").execute(&mut home.db.write().await.unwrap()).await.unwrap();
    assert_eq!(home.overdue(9000).await, 1);
}

#[tokio::test]
async fn a_component_shows_the_worst_of_its_checks_and_is_left_alone_then() {
    let home = Home::new().await;
    let sky: ComponentId = "8kbf7d35c071".parse().unwrap();
    let at_sky = |check: Value| with(check, json!({"component": sky}));
    home.register(json!([at_sky(backup(1)), at_sky(check("nas"))])).await.unwrap();
    home.call(0, Call::Success).await;
    home.ran("nas", 1, State::Critical).await;
    let changes = "SELECT COUNT(*) FROM component_statuses";
    let before: Vec<i64> = home.rows(changes).await;
    for second in 2..10 {
        home.overdue(second).await;
        assert_eq!(store::misshown(&mut home.db.read().await.unwrap()).await.unwrap(), []);
    }
    assert_eq!(home.rows::<i64>(changes).await, before);
    home.set_status(&sky, ComponentStatus::UnderMaintenance).await;
    home.ran("nas", 20, State::Ok).await;
    assert_eq!(home.overdue(21).await, 0);
    assert_eq!(home.status(&sky).await, Some(ComponentStatus::UnderMaintenance));
    home.set_status(&sky, ComponentStatus::DegradedPerformance).await;
    assert_eq!(home.overdue(22).await, 0);
    assert_eq!(home.status(&sky).await, Some(ComponentStatus::Operational));
}

#[tokio::test]
async fn a_run_that_begins_before_the_clock_is_set_is_not_measured() {
    let home = Home::new().await;
    home.register(json!([backup(1)])).await.unwrap();
    let host = Host { built: time(1_000_000), ..Host::at(Clock::new(|| time(0))) };
    let recorder = Recorder::new(home.db.clone(), host, home.recorder.outbox.clone()).await.unwrap();
    let before = Home { recorder, ..home };
    before.call(10, Call::Start).await;
    let started: Vec<Option<i64>> = before.rows("SELECT started_at FROM checks").await;
    assert_eq!(started, [None], "by a wrong clock it would be far from its end");
    assert_eq!(before.overdue(99_000).await, 0);
}
