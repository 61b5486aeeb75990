//! A keeper that relays, and a stand-in for statuspage.io upstream: a keeper of its own, strict, behind a proxy that can
//! misbehave.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{process::Command, time::sleep};

use crate::{
    keeper::{Keeper, TOKEN},
    process::file,
    statuspage::{Fault, Statuspage},
};

/// The metrics of both keepers, and what feeds them at home.
pub const LATENCY: &str = "aaaaaaaaaaa1";
pub const LOSS: &str = "aaaaaaaaaaa2";
pub const BANDWIDTH: &str = "aaaaaaaaaaa3";

/// What another client sends to the page upstream.
pub const OTHERS: &str = "aaaaaaaaaaa4";

/// A component of the home's own, which the keeper sends.
pub const OWN: &str = "7lcg8e46d180";

/// A page with the home's component, one of the keeper's own and three metrics, all relayed or none.
pub fn seed(relay: bool) -> String {
    let metric = |id, name, suffix, reading, field| {
        format!(
            "[[metrics]]\nid = \"{id}\"\nname = \"{name}\"\nsuffix = \"{suffix}\"\nreading = \"{reading}\"\n\
             field = \"{field}\"\nrelay = {relay}\n\n"
        )
    };
    [
        "[page]\nid = \"gytm4qzbx9t6\"\nname = \"My home\"\ntime_zone = \"Europe/Berlin\"\n\n".to_owned(),
        "[[components]]\nid = \"8kbf7d35c070\"\nname = \"Home internet\"\n\n".to_owned(),
        format!("[[components]]\nid = \"{OWN}\"\nname = \"Storage\"\nrelay = {relay}\n\n"),
        metric(LATENCY, "Latency", "ms", "ping", "value"),
        metric(LOSS, "Loss", "%", "ping", "loss"),
        metric(BANDWIDTH, "Bandwidth", "Mbit/s", "bandwidth", "value"),
        metric(OTHERS, "Others", "ms", "others", "value"),
    ]
    .concat()
}

/// A keeper in the place of statuspage.io, as strict as that, which takes so many calls a minute; 0 sets no limit, for a test
/// whose minutes pass faster.
///
/// # Panics
/// When it does not start.
pub async fn statuspage_io(calls: u16) -> Keeper {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().to_owned();
    Keeper::restart_with(folder, |command| public(command, &place, calls)).await
}

/// Makes a keeper's command that of one in the place of statuspage.io.
pub fn public(command: &mut Command, folder: &Path, calls: u16) {
    command.env("KEEPER_SEED", file(folder, "public.toml", &seed(false)));
    command.env("KEEPER_RATE_LIMIT", calls.to_string()).env("KEEPER_STRICT_POINTS", "true");
}

/// Makes a keeper's command that of one which relays to `api`.
pub fn relaying(command: &mut Command, folder: &Path, api: &str) {
    command.env("KEEPER_SEED", file(folder, "relayed.toml", &seed(true)));
    command.env("UPSTREAM_URL", api).env("UPSTREAM_TOKEN_FILE", file(folder, "upstream-token", TOKEN));
}

/// A keeper at home, and the way upstream.
#[derive(Debug)]
pub struct Relay {
    pub home: Keeper,
    pub upstream: Keeper,
    /// What lies between them.
    pub way: Statuspage,
}

impl Relay {
    /// # Panics
    /// When something does not start.
    pub async fn start(faults: impl IntoIterator<Item = Fault>, then: Fault) -> Self {
        Self::start_with(faults, then, |_| ()).await
    }

    /// # Panics
    /// When something does not start.
    pub async fn start_with(
        faults: impl IntoIterator<Item = Fault>,
        then: Fault,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        Self::before(statuspage_io(60).await, faults, then, change).await
    }

    /// As [`Relay::start_with`], before an upstream that is there already.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn before(
        upstream: Keeper,
        faults: impl IntoIterator<Item = Fault>,
        then: Fault,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let way = Statuspage::open(&upstream, faults, then).await;
        let home = Self::home(tempfile::tempdir().expect("a temporary folder"), &way.api, change).await;
        Self { home, upstream, way }
    }

    async fn home(folder: TempDir, api: &str, change: impl FnOnce(&mut Command)) -> Keeper {
        let place = folder.path().to_owned();
        Keeper::restart_with(folder, |command| {
            relaying(command, &place, api);
            change(command);
        })
        .await
    }

    /// Waits until the keeper at home says that nothing waits; how it says that the relay is.
    ///
    /// # Panics
    /// When that takes longer than `limit`.
    pub async fn drained(&self, limit: Duration) -> Value {
        self.says(limit, |relay| relay["waiting"] == 0).await
    }

    /// Waits until what the keeper at home says of the relay is so; returns it.
    ///
    /// # Panics
    /// When that takes longer than `limit`.
    pub async fn says(&self, limit: Duration, so: impl Fn(&Value) -> bool) -> Value {
        let start = tokio::time::Instant::now();
        loop {
            let (status, body) = self.home.own(Method::GET, "/relay", None).await;
            assert_eq!(status, 200, "{body}");
            if so(&body["relay"]) {
                return body["relay"].clone();
            }
            assert!(start.elapsed() < limit, "{body:#}\n{:#?}", self.home.process.lines());
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Hands readings over; they must be taken.
///
/// # Panics
/// When they are not.
pub async fn store(keeper: &Keeper, readings: &[Value]) {
    let (status, body) = keeper.own(Method::POST, "/readings", Some(json!({"readings": readings}))).await;
    assert_eq!(status, 201, "{body}");
}

/// A ping with that round-trip time in ms.
pub fn ping(at: Timestamp, value: f64) -> Value {
    json!({"metric": "ping", "at": at.to_string(), "value": value, "loss": 0.0})
}

/// The slot of a time, in seconds since 1970.
pub fn slot(at: Timestamp) -> i64 {
    (at.as_second() + 15).div_euclid(30) * 30
}

/// All points of a metric since then, by slot.
///
/// # Panics
/// When the keeper refuses to list them.
pub async fn points(keeper: &Keeper, metric: &str, since: Timestamp) -> BTreeMap<i64, f64> {
    const STRETCH: i64 = 4900 * 30;
    let mut points = BTreeMap::new();
    let mut from = since.as_second().div_euclid(30) * 30;
    while from <= Timestamp::now().as_second() {
        let path = format!("/series?metric=@{metric}&from={from}&to={}&step=30", from + STRETCH);
        let (status, body) = keeper.own(Method::GET, &path, None).await;
        if status == 404 {
            return points;
        }
        assert_eq!(status, 200, "{body}");
        for bucket in body["points"].as_array().expect("buckets") {
            let at: Timestamp = bucket["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
            if let Some(value) = bucket["value"].as_f64() {
                points.insert(at.as_second(), value);
            }
        }
        from += STRETCH;
    }
    points
}
