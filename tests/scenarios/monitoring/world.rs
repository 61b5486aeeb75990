//! A keeper that relays, a beacon and a Pi's sensors, with something to tell of everything that is measured.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    beacon::Beacon,
    checks::{check, ran_with, register},
    keeper::{COMPONENT, PAGE},
    node::{Node, pi},
    statuspage::Fault,
    upstream::{Relay, ping, store},
};

/// How long it may take until upstream has been copied.
const LIMIT: Duration = Duration::from_secs(30);

/// For how long the home has been down, in seconds.
pub(crate) const DOWN_FOR: i64 = 200;

/// The checks, and the state of each.
const CHECKS: [(&str, &str); 4] = [("nas", "critical"), ("router", "ok"), ("web", "warning"), ("wiki", "unknown")];

/// They run until it is dropped.
pub(crate) struct World {
    pub(crate) relay: Relay,
    pub(crate) beacon: Beacon,
    node: Node,
    _sensors: TempDir,
    http: reqwest::Client,
}

impl World {
    /// Upstream is away once it has been copied; the home is down.
    pub(crate) async fn new() -> Self {
        let mut relay = Relay::start_with([], Fault::None, |command| {
            // Nothing listens there.
            command.env("NOTIFY_URLS", "json+http://127.0.0.1:1/").env("NOTIFY_QUIET", "00:00-23:59");
            command.env("PROMISED_DOWN_MBPS", "100").env("PROMISED_UP_MBPS", "40");
        })
        .await;
        relay.says(LIMIT, |relay| relay["mirrored_at"].is_string()).await;
        relay.upstream.process.signal(Signal::KILL);
        relay.upstream.process.ended().await;
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let sensors = tempfile::tempdir().expect("a folder");
        pi(sensors.path());
        let (beacon, node) = (Beacon::start().await, Node::start(sensors.path()).await);
        let world = Self { relay, beacon, node, _sensors: sensors, http };
        register(&world.relay.home, CHECKS.map(|(name, _)| check(name)).into()).await;
        world.measures().await;
        world.remembers().await;
        world.looked(Timestamp::now().as_second() - DOWN_FOR, "down", Some("refused")).await;
        world.looked(Timestamp::now().as_second(), "down", Some("refused")).await;
        world
    }

    async fn measures(&self) {
        let now = Timestamp::now();
        let of = |metric: &str, value: f64| json!({"metric": metric, "at": now.to_string(), "value": value});
        store(&self.relay.home, &[ping(now, 12.5), of("bandwidth", 40.0), of("upload", 39.5), of("dns", 1.0)]).await;
    }

    /// What the bandwidth job leaves behind.
    async fn remembers(&self) {
        let month = Timestamp::now().strftime("%Y-%m").to_string();
        let state = json!({"month": month, "used": 1_000_000, "test": null, "budget": 60_000_000_000_u64});
        let (status, answer) = self.relay.home.own(Method::PUT, "/state/bandwidth", Some(state)).await;
        assert_eq!(status, 204, "{answer}");
    }

    pub(crate) async fn looked(&self, at: i64, verdict: &str, cause: Option<&str>) {
        let look = json!({"component_id": COMPONENT, "verdict": verdict, "cause": cause, "from": "outside"});
        let body = json!({"page_id": PAGE, "at": at, "location": "eu-central-1", "looks": [look]});
        let (status, answer) = self.relay.home.own(Method::POST, "/looks", Some(body)).await;
        assert_eq!((status, &answer["accepted"]), (202, &json!(1)), "{answer}");
    }

    /// Somebody asks the beacon.
    pub(crate) async fn asked(&self) {
        self.http.get(self.beacon.url()).send().await.expect("it answers");
    }

    /// The checks have run, each as ever.
    pub(crate) async fn checked(&self) {
        for (name, state) in CHECKS {
            let ends = json!({"certificate_ends": (Timestamp::now() + SignedDuration::from_hours(24)).to_string()});
            ran_with(&self.relay.home, name, 0, state, ends).await;
        }
    }

    /// Where each is scraped, by its name.
    pub(crate) fn places(&self) -> [(&'static str, String); 3] {
        let beacon = format!("http://{}", self.beacon.private);
        [("keeper", self.relay.home.url.clone()), ("beacon", beacon), ("node", self.node.url.clone())]
    }

    /// What is answered to a scraper that accepts this: the kind, and the text.
    pub(crate) async fn scraped(&self, place: &str, accept: Option<&str>) -> (String, String) {
        scraped(&self.http, place, accept).await
    }
}

/// The kind and the text of `/metrics`.
pub(crate) async fn scraped(http: &reqwest::Client, place: &str, accept: Option<&str>) -> (String, String) {
    let request = http.get(format!("{place}/metrics"));
    let request = accept.into_iter().fold(request, |request, accept| request.header("accept", accept));
    let answer = request.send().await.expect("it answers");
    let kind = answer.headers()["content-type"].to_str().expect("a text").to_owned();
    (kind, answer.text().await.expect("a text"))
}

/// The samples of a text: name with labels, and value.
pub(crate) fn samples(text: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        (series.to_owned(), value.parse().expect("a number"))
    };
    lines.map(sample).collect()
}

/// The value of a series, by the text before it.
pub(crate) fn value(text: &str, series: &str) -> Option<f64> {
    samples(text).into_iter().find(|(name, _)| name == series).map(|(_, value)| value)
}

/// The names of JSON fields, for whoever looks for one.
pub(crate) fn fields(line: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
}
