//! A home whose clock is moved by hand, and its October of 2026 in Berlin.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header::AUTHORIZATION},
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

use super::super::super::*;
use crate::{
    clock::{Clock, Host},
    keeper::seed::{self, Seed},
};

const SEED: &str = r#"
[page]
id = "gytm4qzbx9t6"
name = "Home"
time_zone = "Europe/Berlin"

[[components]]
id = "8kbf7d35c070"
name = "Line"

[[components]]
id = "8kbf7d35c071"
name = "=Box, at home"
looks = false
"#;
const TOKEN: &str = "a-token-of-this-test";
const MINUTE: i64 = 60_000;

pub(super) struct Home {
    _folder: TempDir,
    pub(super) state: AppState,
    now: Arc<AtomicI64>,
}

pub(super) fn millis(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

impl Home {
    pub(super) async fn open(began: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("keeper.db").display());
        let now = Arc::new(AtomicI64::new(millis(began)));
        let (wall, uptime, since) = (Arc::clone(&now), Arc::clone(&now), millis(began));
        let wall = Clock::new(move || Timestamp::from_millisecond(wall.load(Relaxed)).unwrap());
        let uptime = Clock::new(move || Duration::from_millis((uptime.load(Relaxed) - since).unsigned_abs()));
        let host = Host { uptime, ..Host::at(wall) };
        let db = Db::open(&url).await.unwrap();
        let outbox = Outbox::new(db.clone(), false);
        let recorder = Recorder::new(db.clone(), host, outbox.clone()).await.unwrap();
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
            promised: Promised { down: Some(100.0), up: None },
        };
        let state = AppState::new(config, db, outbox, recorder, page, None);
        Self { _folder: folder, state, now }
    }

    async fn call(&self, method: Method, path: &str, body: &Value) {
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("OAuth {TOKEN}"));
        let request = request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap();
        let answer = private(&self.state).oneshot(request).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = public(&self.state).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    pub(super) fn is_now(&self, time: i64) {
        self.now.store(time, Relaxed);
    }

    /// Looks every two minutes, the last one included, and what they saw; the keeper records that it runs.
    pub(super) async fn looks(&self, from: &str, to: &str, seen: impl Fn(i64) -> (&'static str, Option<&'static str>)) {
        for at in (millis(from)..=millis(to)).step_by(usize::try_from(2 * MINUTE).unwrap()) {
            self.is_now(at);
            let (verdict, cause) = seen(at);
            let look = json!({"component_id": "8kbf7d35c070", "verdict": verdict, "cause": cause, "from": "outside"});
            let posted =
                json!({"page_id": "gytm4qzbx9t6", "at": at / 1000, "location": "eu-central-1", "looks": [look]});
            let posted: PostedLooks = serde_json::from_value(posted).unwrap();
            let now = self.state.clock.now_for_looks().unwrap();
            self.state.recorder.looks().take(&self.state.db, now, &posted).await.unwrap();
            self.state.recorder.record_heartbeat().await.unwrap();
        }
    }

    pub(super) async fn lives_through_october() -> Self {
        let home = Self::open("2026-09-30T21:00:00Z").await;
        let within = |at, from, to| (millis(from)..millis(to)).contains(&at);
        home.looks("2026-09-30T21:00:00Z", "2026-10-01T00:00:00Z", |at| {
            let is_down = within(at, "2026-09-30T21:30:00Z", "2026-09-30T22:30:00Z");
            if is_down { ("down", Some("refused")) } else { ("up", None) }
        })
        .await;
        home.looks("2026-10-24T10:00:00Z", "2026-10-24T14:58:00Z", |_| ("up", None)).await;
        let status = |status: &str| json!({"component": {"status": status}});
        let path = "/v1/pages/gytm4qzbx9t6/components/8kbf7d35c071";
        let readings = json!({"readings": [
            {"metric": "bandwidth", "at": "2026-10-24T11:00:00Z", "value": 95.0},
            {"metric": "bandwidth", "at": "2026-10-24T12:00:00Z", "value": 40.5},
            {"metric": "bandwidth", "at": "2026-10-24T13:00:00Z", "value": 100.0},
            {"metric": "bandwidth", "at": "2026-10-24T14:00:00Z", "failure": "no answer"},
            {"metric": "ping", "at": "2026-10-24T13:01:00Z", "value": 10.0, "loss": 0.0},
            {"metric": "ping", "at": "2026-10-24T14:01:00Z", "value": 30.0, "loss": 1.0},
        ]});
        home.call(Method::POST, "/porchlight/v1/readings", &readings).await;
        home.is_now(millis("2026-10-24T14:59:00Z"));
        home.call(Method::PATCH, path, &status("major_outage")).await;
        home.looks("2026-10-24T15:00:00Z", "2026-10-24T15:18:00Z", |_| ("up", None)).await;
        home.is_now(millis("2026-10-24T15:19:00Z"));
        home.call(Method::PATCH, path, &status("operational")).await;
        home.looks("2026-10-24T15:20:00Z", "2026-10-25T10:30:00Z", |at| {
            if within(at, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z") {
                ("down", Some("unreachable"))
            } else if at >= millis("2026-10-25T10:00:00Z") {
                ("down", Some("name"))
            } else {
                ("up", None)
            }
        })
        .await;
        home.is_now(millis("2026-11-02T12:00:00Z"));
        home.state.recorder.record_heartbeat().await.unwrap();
        home
    }

    pub(super) async fn json(&self, month: &str) -> Value {
        serde_json::from_str(&self.get(&format!("/report/{month}.json")).await.1).unwrap()
    }
}
