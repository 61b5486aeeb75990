//! What a keeper concludes that reads a page upstream, on a clock moved by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::{
    look::PostedLooks,
    secret::{Secret, SecretSource},
};
use tempfile::TempDir;
use tower::ServiceExt;

use super::super::*;
use crate::{
    clock::{Clock, Host},
    keeper::seed::{self, Seed},
    reading::{MetricName, Outcome, Reading},
};

const SEED: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n\n\
                    [[components]]\nid = \"8kbf7d35c070\"\nname = \"Line\"\n";
const TOKEN: &str = "a-token-of-this-test";
/// In milliseconds since 1970.
const BEGAN: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

struct Home {
    folder: TempDir,
    now: Arc<AtomicI64>,
    state: AppState,
}

async fn open(folder: &TempDir, now: &Arc<AtomicI64>) -> AppState {
    let url = format!("sqlite:{}", folder.path().join("keeper.db").display());
    let (wall, uptime) = (Arc::clone(now), Arc::clone(now));
    let wall = Clock::new(move || Timestamp::from_millisecond(wall.load(Relaxed)).unwrap());
    let uptime = Clock::new(move || Duration::from_millis((uptime.load(Relaxed) - BEGAN).unsigned_abs()));
    let db = Db::open(&url).await.unwrap();
    let outbox = Outbox::new(db.clone(), true);
    let recorder = Recorder::new(db.clone(), Host { uptime, ..Host::at(wall) }, outbox.clone()).await.unwrap();
    let page = seed::apply(&db, recorder.clock().now(), &Seed::parse(SEED).unwrap()).await.unwrap();
    let config = KeeperConfig {
        database_url: url,
        seed: None,
        token: SecretSource::Value(Secret::new(TOKEN)),
        pinglow_key: None,
        joins: None,
        rate_limit: 0,
        strict_points: false,
        upstream: None,
        beacon: Some("http://127.0.0.1:9090".parse().unwrap()),
        heartbeat: None,
        at_home: false,
        front: Front::default(),
        notice: None,
        without_looks: None,
        notices: None,
        promised: Promised::default(),
    };
    AppState::new(config, db, outbox, recorder, page, None)
}

impl Home {
    /// Minutes in which the home measures; somebody looks, and upstream is read, where that is said.
    async fn lives(&self, minutes: std::ops::Range<i64>, is_looked_at: bool, is_read: bool) {
        for minute in minutes {
            let at = BEGAN + minute * MINUTE;
            self.now.store(at, Relaxed);
            if is_looked_at {
                let look = json!({"component_id": "8kbf7d35c070", "verdict": "up", "cause": null, "from": "outside"});
                let posted =
                    json!({"page_id": "gytm4qzbx9t6", "at": at / 1000, "location": "eu-central-1", "looks": [look]});
                let posted: PostedLooks = serde_json::from_value(posted).unwrap();
                self.state.recorder.add_looks(&posted).await.unwrap().unwrap();
            }
            if is_read {
                self.state.outbox.note_read(self.state.clock.wall());
            }
            let mut reading = Reading::new(MetricName::ours("ping"), self.state.clock.wall(), Outcome::Value(12.0));
            reading.target = Some("1.1.1.1".into());
            self.state.recorder.add_readings(&[reading]).await.unwrap();
        }
    }

    async fn outages(&self) -> Vec<Value> {
        let request = Request::get("/porchlight/v1/outages").header(AUTHORIZATION, format!("OAuth {TOKEN}"));
        let answer = private(&self.state).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        answer["outages"].as_array().unwrap_or_else(|| panic!("{answer:#}")).clone()
    }

    /// The keeper is killed, and starts again.
    async fn restarts(&mut self) {
        self.state.db.close().await;
        let elsewhere = tempfile::tempdir().unwrap();
        // The database is locked for as long as anybody has it.
        self.state = open(&elsewhere, &self.now).await;
        self.state = open(&self.folder, &self.now).await;
    }
}

#[tokio::test]
async fn that_nobody_looks_is_sure_where_the_page_upstream_could_be_read_meanwhile() {
    for (is_read, confidence, last) in
        [(true, "high", "the page upstream had it up"), (false, "low", "hosts far away answered ")]
    {
        let (folder, now) = (tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(BEGAN)));
        let state = open(&folder, &now).await;
        let mut home = Home { folder, now, state };
        home.lives(0..20, true, is_read).await;
        home.lives(20..55, false, is_read).await;
        home.lives(55..80, true, is_read).await;
        for restarts in [false, true] {
            if restarts {
                home.restarts().await;
            }
            let outages = home.outages().await;
            assert_eq!(outages.len(), 1, "{outages:#?}");
            let shown = (&outages[0]["kind"], &outages[0]["confidence"], outages[0]["evidence"].as_array().unwrap());
            assert_eq!((shown.0, shown.1), (&json!("prober_silent"), &json!(confidence)), "{restarts} {outages:#?}");
            let newest = shown.2.last().and_then(Value::as_str);
            assert!(newest.is_some_and(|by| by.starts_with(last)), "{restarts} {outages:#?}");
        }
    }
}
