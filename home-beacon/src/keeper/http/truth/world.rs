//! A keeper, a prober and a beacon, on clocks that are moved by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header::AUTHORIZATION},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::{
    look::{BeaconLook, BeaconLooks, LastVerdict},
    secret::Secret,
    verdict::{UnknownCause, Verdict},
};
use tempfile::TempDir;
use tower::ServiceExt;

use super::super::*;
use crate::{
    clock::{Clock, Host},
    keeper::seed::{self, Seed},
};

const COMPONENT: &str = "8kbf7d35c070";
const SEED: &str =
    "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n\n[[components]]\nid = \"8kbf7d35c070\"\nname = \"Line\"\n";
const TOKEN: &str = "a-token-of-this-test";

/// 2026-11-28 12:00, in milliseconds.
const BEGAN: i64 = 1_795_867_200_000;

/// For how many seconds a look holds.
pub(super) const HOLDS: i64 = 300;

/// The colour of a badge that claims nothing.
const GREY: &str = "#56616e";

pub(super) const BLIND: Verdict = Verdict::Unknown(UnknownCause::Blind);

/// A keeper, the beacon beside it, and what is true.
pub(super) struct World {
    folder: TempDir,
    pub(super) state: AppState,
    /// What answers: made once, because each second asks it.
    router: Router,
    /// True milliseconds since the beginning, and by how much the clock on the wall is wrong.
    passed: Arc<AtomicI64>,
    pub(super) wrong: Arc<AtomicI64>,
    /// What the beacon remembers.
    pub(super) reported: BeaconLooks,
    last: Option<LastVerdict>,
    /// When the last look was in truth, in seconds.
    looked: Option<i64>,
    /// Whether what was seen last, and put here, is that the home is down.
    saw_down: bool,
    /// For how many seconds the page has claimed something.
    pub(super) claimed: i64,
    was_claimed: bool,
}

/// What a page says of its component, and of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) overall: (String, String),
    pub(super) component: (String, String),
    pub(super) description: String,
    pub(super) age: Option<i64>,
}

/// What is shown on pages of others.
struct Elsewhere {
    /// Whether anything is claimed: by the component's badge, by the page's, and in the widget.
    claims: [bool; 4],
    component: String,
    overall: String,
}

impl World {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (passed, wrong) = (Arc::default(), Arc::default());
        let state = open(&folder, &passed, &wrong).await;
        let (reported, router) = (BeaconLooks::default(), private(&state));
        Self {
            folder,
            state,
            router,
            passed,
            wrong,
            reported,
            last: None,
            looked: None,
            saw_down: false,
            claimed: 0,
            was_claimed: false,
        }
    }

    /// Seconds since the beginning.
    pub(super) fn second(&self) -> i64 {
        self.passed.load(Relaxed) / 1000
    }

    /// A prober puts its look here, stamped by a right clock.
    pub(super) async fn post(&mut self, verdict: Verdict, from: &str) -> StatusCode {
        let at = (BEGAN / 1000) + self.second();
        let look =
            json!({"component_id": COMPONENT, "verdict": verdict.label(), "cause": verdict.cause(), "from": from});
        let body = json!({"page_id": "gytm4qzbx9t6", "at": at, "location": "eu-central-1", "looks": [look]});
        let request = Request::post("/porchlight/v1/looks").header(AUTHORIZATION, format!("OAuth {TOKEN}"));
        let request = request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        if from == "outside" && verdict != BLIND {
            self.looked = Some(self.second());
            self.saw_down = matches!(verdict, Verdict::Down(_));
        }
        answer.status()
    }

    /// A signed request reaches the beacon.
    pub(super) fn sign(&mut self, verdict: Verdict) {
        let (at, second) = (BEGAN / 1000 + self.second(), self.second());
        let last = self.last.filter(|_| self.looked.is_some_and(|looked| second - looked <= HOLDS));
        self.reported.looks.push(BeaconLook { at, location: "eu-central-1".parse().unwrap(), last });
        (self.looked, self.saw_down) = (Some(second), false);
        self.last = match last {
            Some(last) if last.verdict == verdict => Some(last),
            _ => Some(LastVerdict { verdict, since: at }),
        };
    }

    /// The keeper asks the beacon.
    pub(super) async fn poll(&self) {
        let Some(now) = self.state.clock.now_for_looks() else { return };
        let (component, reported) = (COMPONENT.parse().unwrap(), self.reported.looks.clone());
        self.state.recorder.looks().take_signed(&self.state.db, now, &component, reported).await.unwrap();
    }

    /// It is stopped in order, or killed, and started again.
    pub(super) async fn restart(&mut self, in_order: bool) {
        if in_order {
            let now = self.state.clock.now_for_looks();
            self.state.recorder.looks().flush(&self.state.db, now).await.unwrap();
        }
        self.state.db.close().await;
        let nothing = tempfile::tempdir().unwrap();
        // The database is locked for as long as anybody has it.
        self.state = open(&nothing, &self.passed, &self.wrong).await;
        self.router = Router::new();
        self.state = open(&self.folder, &self.passed, &self.wrong).await;
        self.router = private(&self.state);
    }

    /// What badges and widget say: like the page, they claim nothing that nobody saw, and they are asked each second.
    async fn elsewhere(&self) -> Elsewhere {
        let json: Value = serde_json::from_str(&self.get(&format!("/badge/{COMPONENT}.json")).await).unwrap();
        let svg = self.get("/badge/overall.svg").await;
        let widget = self.get("/widget").await;
        let title = svg.split_once("<title>Home: ").unwrap().1.split('<').next().unwrap();
        let component = element(&widget, "<span class=\"status ");
        let overall = element(&widget, "<span class=\"overall ");
        let claims = [json["color"] != GREY, !svg.contains(GREY), component.0 != "unknown", overall.0 != "unknown"];
        let message = json["message"].as_str().unwrap().to_owned();
        assert_eq!((message.as_str(), title), (component.1.as_str(), overall.1.as_str()), "badges and widget agree");
        Elsewhere { claims, component: message, overall: overall.1 }
    }

    async fn get(&self, path: &str) -> String {
        asked(self.router.clone(), path).await
    }

    pub(super) async fn says(&self) -> Says {
        let page = self.get("/").await;
        let summary: Value = serde_json::from_str(&self.get("/api/v2/summary.json").await).unwrap();
        Says {
            overall: element(&page, "<p class=\"overall "),
            component: element(&page, "<span class=\"status "),
            description: summary["status"]["description"].as_str().unwrap().to_owned(),
            age: summary["components"][0]["porchlight"]["looked_at_age_seconds"].as_i64(),
        }
    }

    /// A second passes; nothing may be claimed that nobody saw.
    pub(super) async fn tick(&mut self) {
        self.passed.fetch_add(1000, Relaxed);
        let second = self.second();
        if second % 60 == 20 {
            self.state.recorder.record_heartbeat().await.unwrap();
        }
        let component = COMPONENT.parse().unwrap();
        let sight = self.state.recorder.looks().at(&component, self.state.clock.now_for_looks()).sight(true);
        let is_seen = self.looked.is_some_and(|looked| second - looked <= HOLDS);
        assert!(is_seen || !sight.is_current(), "nobody has looked since {:?}, and it is {second}", self.looked);
        let elsewhere = self.elsewhere().await;
        assert_eq!(elsewhere.claims, [sight.is_current(); 4], "{} {}", elsewhere.component, elsewhere.overall);
        assert!(!self.saw_down || elsewhere.component != "Operational", "it was seen down last");
        // What is drawn follows from that: it is looked at where that changes, and now and then.
        if second % 10 == 0 || sight.is_current() != self.was_claimed {
            let says = self.says().await;
            let claims = [says.overall.0 != "unknown", says.component.0 != "unknown"];
            assert_eq!(claims, [sight.is_current(); 2], "{says:?}");
            assert_eq!(says.description, says.overall.1, "page and API say the same");
            let shown = asked(public(&self.state), "/").await;
            assert_eq!(element(&shown, "<p class=\"overall "), says.overall, "and the page that is drawn once for all");
            assert_eq!((&elsewhere.component, &elsewhere.overall), (&says.component.1, &says.overall.1));
            assert_eq!(says.age.is_some_and(|age| age < HOLDS + 1), sight.is_current(), "{says:?}");
            assert_eq!(says.description.contains("looked"), !sight.is_current(), "{says:?}");
        }
        self.claimed += i64::from(sight.is_current());
        self.was_claimed = sight.is_current();
    }
}

async fn asked(router: Router, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

async fn open(folder: &TempDir, passed: &Arc<AtomicI64>, wrong: &Arc<AtomicI64>) -> AppState {
    let url = format!("sqlite:{}", folder.path().join("keeper.db").display());
    let (wall, uptime) = ((Arc::clone(passed), Arc::clone(wrong)), Arc::clone(passed));
    let wall =
        Clock::new(move || Timestamp::from_millisecond(BEGAN + wall.0.load(Relaxed) + wall.1.load(Relaxed)).unwrap());
    let uptime = Clock::new(move || Duration::from_millis(uptime.load(Relaxed).unsigned_abs()));
    let host = Host { uptime, ..Host::at(wall) };
    let db = Db::open(&url).await.unwrap();
    let outbox = Outbox::new(db.clone(), false);
    let recorder = Recorder::new(db.clone(), host, outbox.clone()).await.unwrap();
    let page = seed::apply(&db, recorder.clock().now(), &Seed::parse(SEED).unwrap()).await.unwrap();
    let token = SecretSource::Value(Secret::new(TOKEN));
    let config = KeeperConfig {
        database_url: url,
        seed: None,
        token,
        pinglow_key: None,
        joins: None,
        rate_limit: 0,
        strict_points: false,
        upstream: None,
        beacon: None,
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

/// Class and text of the first element that begins so.
fn element(page: &str, begins: &str) -> (String, String) {
    let rest = page.split_once(begins).unwrap_or_else(|| panic!("{begins} in {page}")).1;
    let (class, rest) = rest.split_once('"').unwrap();
    let text = rest.split_once('>').unwrap().1.split('<').next().unwrap();
    (class.to_owned(), text.to_owned())
}
