//! A router on loopback, two services that say which address they see, and the tool.

use std::{net::Ipv4Addr, time::Duration};

use serde_json::Value;
use tests::{
    address_source::{Manner as Said, Source},
    process::{Ended, Process, ours, own_address, run},
    router::{Manner, Router},
};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

/// What a command may take: everything that it asks has a deadline.
const LIMIT: Duration = Duration::from_secs(60);

/// The address outside of a router that tells the truth.
pub(crate) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(81, 2, 69, 142);

pub(crate) struct World {
    pub(crate) router: Router,
    sources: [Source; 2],
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new(manner: Manner) -> Self {
        Self {
            router: Router::at(own_address(), manner).await,
            sources: [Source::open(Said::Bare(OUTSIDE.into())).await, Source::open(Said::Line(OUTSIDE.into())).await],
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The world sees another address, or none.
    pub(crate) fn world_says(&self, said: &Said) {
        self.sources.iter().for_each(|source| source.turn(said.clone()));
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = ours("porchlight");
        command.arg("port").args(words.split_whitespace());
        command.env("ROUTER", self.router.address.to_string()).env("STATE_DIR", self.folder.path());
        command.env("ADDRESS_SOURCES", self.sources.each_ref().map(Source::url).join(","));
        command
    }

    pub(crate) async fn run(&self, words: &str) -> Ended {
        run(self.command(words), LIMIT).await
    }

    /// Runs what must end with that code; what it printed.
    pub(crate) async fn ends(&self, words: &str, code: i32) -> String {
        let ended = self.run(words).await;
        assert_eq!(ended.code, Some(code), "{words}: {}{}", ended.stdout, ended.stderr);
        ended.stdout + &ended.stderr
    }

    /// As it says to a machine.
    pub(crate) async fn json(&self, words: &str, code: i32) -> Value {
        let printed = self.ends(&format!("{words} --json"), code).await;
        let all: Value = serde_json::from_str(&printed).expect("JSON");
        all[0].clone()
    }

    /// One that stays.
    pub(crate) fn resident(&self, words: &str) -> Process {
        Process::start(self.command(words))
    }

    /// What is written down.
    pub(crate) fn record(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join("port.json")).expect("the record");
        serde_json::from_str::<Value>(&text).expect("JSON")["opened"].clone()
    }

    /// As if it had been written down before.
    pub(crate) fn note(&self, opened: &Value) {
        let record = serde_json::json!({"version": 1, "opened": [opened]}).to_string();
        std::fs::write(self.folder.path().join("port.json"), record).expect("it can be written");
    }

    /// Waits until the table is as it should be: a router says nothing by itself.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Router) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !is_so(&self.router) {
            assert!(Instant::now() < end, "{what}: {:#?} {:#?}", self.router.table(), self.router.asked());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// This moment, as the record has it.
pub(crate) fn now() -> Value {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("Linux");
    let uptime = std::fs::read_to_string("/proc/uptime").expect("Linux");
    let uptime: u64 = uptime.split('.').next().and_then(|text| text.parse().ok()).expect("seconds");
    serde_json::json!({"clock": jiff::Timestamp::now(), "boot": boot.trim(), "uptime": uptime})
}

/// How many of what a router was asked begin so.
pub(crate) fn asked(router: &Router, begins: &str) -> usize {
    router.asked().iter().filter(|asked| asked.starts_with(begins)).count()
}
