//! A keeper whose database is on a disk of the test's, and what a test asks of it.

use std::{collections::BTreeSet, path::Path, time::Duration};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    keeper::{Keeper, keeper_command},
    process::{Ended, run},
};
use tokio::{process::Command, time::sleep};

/// How long a keeper may take to notice that its disk is well again; it checks every 5 seconds.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(40);

/// The settings of a keeper whose database is there.
pub(crate) fn on(database: &Path) -> impl Fn(&mut Command) + use<> {
    let url = format!("sqlite:{}", database.display());
    move |command| {
        command.env("DATABASE_URL", &url);
    }
}

/// Starts a keeper on that database.
pub(crate) async fn start(database: &Path) -> Keeper {
    Keeper::start_with(on(database)).await
}

/// Starts it again after its end.
pub(crate) async fn restart(folder: TempDir, database: &Path) -> Keeper {
    Keeper::restart_with(folder, on(database)).await
}

/// Runs a keeper that is to refuse its database.
pub(crate) async fn refused(database: &Path) -> Ended {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = keeper_command(folder.path());
    on(database)(&mut command);
    run(command, Duration::from_secs(60)).await
}

/// Readings a second apart, from an hour ago on, and which of them were acknowledged.
#[derive(Debug)]
pub(crate) struct Log {
    began: i64,
    next: i64,
    acknowledged: BTreeSet<i64>,
}

impl Log {
    pub(crate) fn new() -> Self {
        let began = Timestamp::now().as_second() - 3600;
        Self { began, next: began, acknowledged: BTreeSet::new() }
    }

    /// Brings one; the status of the answer.
    pub(crate) async fn add(&mut self, keeper: &Keeper) -> u16 {
        let at = self.next;
        self.next += 1;
        let (status, answer) = keeper.own(Method::POST, "/readings", Some(reading(at, 1.5))).await;
        match status {
            201 => {
                self.acknowledged.insert(at);
            }
            503 => assert!(answer["error"].as_str().is_some_and(|said| said.contains("try again later")), "{answer}"),
            _ => panic!("{status}: {answer}"),
        }
        status
    }

    /// Brings so many, which must be taken.
    pub(crate) async fn add_many(&mut self, keeper: &Keeper, count: usize) {
        for _ in 0..count {
            assert_eq!(self.add(keeper).await, 201);
        }
    }

    /// Brings more until one is refused: a log has some room of its own.
    pub(crate) async fn add_until_refused(&mut self, keeper: &Keeper) {
        for _ in 0..1500 {
            if self.add(keeper).await == 503 {
                return;
            }
        }
        panic!("the disk does not get full");
    }

    /// Everything that was acknowledged is there.
    pub(crate) async fn is_kept(&self, keeper: &Keeper) {
        let there = self.there(keeper).await;
        let lost: Vec<_> = self.acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), self.acknowledged.len());
        assert!(!self.acknowledged.is_empty());
    }

    /// How many of those that were acknowledged are there.
    pub(crate) async fn kept(&self, keeper: &Keeper) -> usize {
        self.acknowledged.intersection(&self.there(keeper).await).count()
    }

    async fn there(&self, keeper: &Keeper) -> BTreeSet<i64> {
        let (from, to) = (self.began, self.next);
        let path = format!("/series?metric=ping&step=1s&from={from}&to={to}");
        let (status, series) = keeper.own(Method::GET, &path, None).await;
        assert_eq!(status, 200, "{series}");
        let at = |bucket: &Value| bucket["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let there = series["points"].as_array().expect("a list").iter().filter_map(at);
        there.map(Timestamp::as_second).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.acknowledged.len()
    }
}

/// The body of a call that brings one.
pub(crate) fn reading(at: i64, value: f64) -> Value {
    json!({"readings": [{"metric": "ping", "at": at_second(at), "value": value}]})
}

fn at_second(second: i64) -> String {
    Timestamp::from_second(second).expect("a time").to_string()
}

/// What `/healthz` says of the storage; it always answers 200.
pub(crate) async fn storage(keeper: &Keeper) -> String {
    let (status, text) = get(keeper, "/healthz").await;
    assert_eq!(status, 200, "{text}");
    let health: Value = serde_json::from_str(&text).expect("JSON");
    health["storage"].as_str().expect("a word on the storage").to_owned()
}

/// Whether `/metrics` says that the storage is well.
pub(crate) async fn is_well_by_metrics(keeper: &Keeper) -> bool {
    let (status, text) = get(keeper, "/metrics").await;
    assert_eq!(status, 200, "{text}");
    let said = text.lines().find_map(|line| line.strip_prefix("porchlight_keeper_storage_ok "));
    said.unwrap_or_else(|| panic!("{text}")) == "1"
}

pub(crate) async fn get(keeper: &Keeper, path: &str) -> (u16, String) {
    let answer = keeper.http.get(format!("{}{path}", keeper.url)).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

/// Everything that is read goes on.
pub(crate) async fn is_served(keeper: &Keeper) {
    for path in ["/", "/api/v2/summary.json", "/healthz", "/metrics"] {
        let (status, text) = get(keeper, path).await;
        assert_eq!(status, 200, "{path}: {text}");
    }
    assert!(keeper.page().await.contains("My home"));
}

/// Waits until the storage is well by itself, without a write of a client.
pub(crate) async fn recovers(keeper: &Keeper) {
    let recovered = async {
        while storage(keeper).await != "ok" {
            sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(tokio::time::timeout(RECOVERY_TIMEOUT, recovered).await.is_ok(), "{:#?}", keeper.process.lines());
    assert!(is_well_by_metrics(keeper).await);
}
