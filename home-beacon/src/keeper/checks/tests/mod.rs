//! Checks over a real database, with clocks that are moved by hand.
//!
//! - `registered`: registrations; `ran`: results; `paced`: another interval; `noticed`: notices; `called`: checks that call us;
//!   `muted`: those of which nobody is written to for a while

mod called;
mod muted;
mod noticed;
mod paced;
mod ran;
mod registered;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use checks::outcome::State;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::{
    id::ComponentId,
    secret::{Secret, SecretSource},
    statuspage::ComponentStatus,
};

use super::{
    definition::Registration,
    listed,
    register::{Placed, Registrar},
    watched,
};
use crate::{
    clock::{BootClock, Clock, Host},
    keeper::{
        KeeperError,
        db::{Db, FromRow, query},
        measured::Recorder,
        notices::{NoticeConfig, Notices},
        outbox::Outbox,
        seed::{self, Seed},
        status::components,
    },
    reading::Reading,
};

pub(in crate::keeper) const SEED: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n\n\
                    [[components]]\nid = \"8kbf7d35c070\"\nname = \"Home internet\"\n\n\
                    [[components]]\nid = \"8kbf7d35c071\"\nname = \"Sky\"\nrelay = true\n";

/// 2026-11-29T12:00:00Z
pub(in crate::keeper) const NOON: i64 = 1_795_953_600;

/// A keeper without its listeners.
pub(in crate::keeper) struct Home {
    _folder: tempfile::TempDir,
    pub(in crate::keeper) db: Db,
    pub(in crate::keeper) recorder: Recorder,
    /// In seconds after noon.
    pub(in crate::keeper) now: Arc<AtomicI64>,
    silences: Mutex<watched::Silences>,
}

impl Home {
    async fn new() -> Self {
        Self::of(SEED, 0).await
    }

    /// With that seed, at that second.
    pub(in crate::keeper) async fn of(seed: &str, second: i64) -> Self {
        Self::writing_to(seed, second, "ntfy://ntfy.sh/home").await
    }

    async fn writing_to(seed: &str, second: i64, urls: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("k.db").display())).await.unwrap();
        let now = Arc::new(AtomicI64::new(second));
        let recorder = recorder(&db, &now, urls).await;
        seed::apply(&db, recorder.clock().now(), &Seed::parse(seed).unwrap()).await.unwrap();
        Self { _folder: folder, db, recorder, now, silences: Mutex::default() }
    }

    /// As after a start.
    async fn restarted(self) -> Self {
        let recorder = recorder(&self.db, &self.now, "ntfy://ntfy.sh/home").await;
        seed::apply(&self.db, recorder.clock().now(), &Seed::parse(SEED).unwrap()).await.unwrap();
        Self { recorder, ..self }
    }

    pub(in crate::keeper) async fn register(&self, checks: Value) -> Result<Vec<Option<ComponentId>>, KeeperError> {
        self.register_for("checks", checks).await
    }

    async fn register_for(&self, source: &str, checks: Value) -> Result<Vec<Option<ComponentId>>, KeeperError> {
        let placed = self.placed(json!({"source": source, "checks": checks})).await?;
        let wrong: Vec<_> = placed.iter().filter_map(|placed| placed.wrong.as_ref()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        Ok(placed.into_iter().map(|placed| placed.component).collect())
    }

    async fn placed(&self, body: Value) -> Result<Vec<Placed>, KeeperError> {
        let Value::Object(body) = body else { unreachable!() };
        let registration = Registration::read(body).unwrap();
        let (page, home) = ("gytm4qzbx9t6".parse().unwrap(), "8kbf7d35c070".parse().unwrap());
        let registrar = Registrar {
            db: &self.db,
            looks: self.recorder.looks(),
            notices: self.recorder.notices(),
            page: &page,
            home: Some(&home),
            now: self.recorder.clock().now(),
            now_for_looks: self.recorder.clock().now_for_looks(),
        };
        registrar.replace(&registration).await
    }

    /// A run of a check, that many seconds after noon, at which it is now.
    pub(in crate::keeper) async fn ran(&self, name: &str, second: i64, state: State) {
        self.ran_as(name, second, state, json!({})).await;
    }

    pub(in crate::keeper) async fn ran_as(&self, name: &str, second: i64, state: State, more: Value) {
        self.now.store(second, Relaxed);
        self.recorder.add_readings(&[run(name, second, state, more)]).await.unwrap();
    }

    pub(in crate::keeper) async fn status(&self, component: &ComponentId) -> Option<ComponentStatus> {
        components::get(&self.db, &"gytm4qzbx9t6".parse().unwrap(), component).await.unwrap().status
    }

    pub(in crate::keeper) async fn set_status(&self, component: &ComponentId, status: ComponentStatus) {
        let patch = components::ComponentPatch { status: Some(Some(status)), ..Default::default() };
        let (page, now) = ("gytm4qzbx9t6".parse().unwrap(), self.recorder.clock().now());
        components::update(&self.db, &self.recorder.outbox, now, &page, component, patch).await.unwrap();
    }

    pub(in crate::keeper) async fn rows<T: FromRow>(&self, text: &'static str) -> Vec<T> {
        query(text).all(&mut self.db.read().await.unwrap()).await.unwrap()
    }

    async fn listed(&self) -> Vec<Value> {
        let now = time(self.now.load(Relaxed));
        let mutes = self.recorder.notices().mutes(&self.db, now).await.unwrap();
        listed::all(&self.db, &mutes, now, time(-9999)).await.unwrap()
    }

    /// Looks for what is worth a notice, at that second; the keeper has run since `began`.
    async fn watch(&self, second: i64, began: i64) {
        self.now.store(second, Relaxed);
        let mut silences = self.silences.lock().unwrap().clone();
        let found = watched::found(&self.db, time(second), time(began), &mut silences).await.unwrap();
        *self.silences.lock().unwrap() = silences;
        self.recorder.notices().observe(&self.db, &found, time(second)).await.unwrap();
    }

    async fn notices(&self) -> Vec<(String, String)> {
        self.rows("SELECT stage, title FROM notices ORDER BY id").await
    }

    pub(in crate::keeper) fn is_looked_at(&self, component: &ComponentId) -> bool {
        self.recorder.looks().at(component, self.recorder.clock().now_for_looks()).is_recent()
    }
}

async fn recorder(db: &Db, now: &Arc<AtomicI64>, urls: &str) -> Recorder {
    let (shown, up) = (Arc::clone(now), Arc::clone(now));
    let wall = Clock::new(move || time(shown.load(Relaxed)));
    let uptime = BootClock::new(move || Duration::from_secs(u64::try_from(100_000 + up.load(Relaxed)).unwrap()));
    let host = Host { uptime, ..Host::at(wall) };
    let recorder = Recorder::new(db.clone(), host, Outbox::new(db.clone(), false)).await.unwrap();
    let urls = Some(SecretSource::Value(Secret::new(urls)));
    let config = NoticeConfig {
        urls,
        operator_urls: None,
        every: None,
        quiet: None,
        serious_anytime: false,
        limit: Some(20),
        loss: 20.0,
    };
    recorder.with_notices(Notices::new(Some(&config), (None, None), db, time(0)).await.unwrap())
}

pub(in crate::keeper) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(NOON + second).unwrap()
}

pub(in crate::keeper) fn check(name: &str) -> Value {
    json!({"name": name, "title": name.to_uppercase(), "kind": "http", "target": format!("http://{name}.lan/"),
        "every_seconds": 60, "component": "own"})
}

pub(in crate::keeper) fn with(mut check: Value, more: Value) -> Value {
    let Value::Object(more) = more else { unreachable!() };
    check.as_object_mut().unwrap().extend(more);
    check
}

/// A run whose state counts.
fn run(name: &str, second: i64, state: State, more: Value) -> Reading {
    let outcome = match state {
        State::Ok | State::Warning => ("value", json!(12.5)),
        State::Critical => ("failure", json!("connection refused")),
        State::Unknown => ("skipped", json!("not known")),
    };
    let counts = if state == State::Unknown { Value::Null } else { json!(state) };
    let check = with(json!({"state": state, "counts": counts, "text": "As said."}), more);
    let mut reading = json!({"metric": format!("check:{name}"), "at": time(second), "method": "http", "check": check});
    reading[outcome.0] = outcome.1;
    serde_json::from_value(reading).unwrap()
}
