//! A home at [`HOME`] with everything in health: DuckDNS sees it there, three sources say so, and three name servers serve
//! what DuckDNS holds.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    address_source::{self, Source},
    duckdns::{Duckdns, Held, TOKEN},
    name_server::{self, NameServer},
    process::{ours, run},
};
use tokio::process::Command;

/// Where the home is at first, and where it moves. (They belong to a test network of an address database.)
pub(crate) const HOME: Ipv4Addr = Ipv4Addr::new(81, 2, 69, 142);
pub(crate) const MOVED: Ipv4Addr = Ipv4Addr::new(81, 2, 69, 160);
pub(crate) const HOME_V6: Ipv6Addr = Ipv6Addr::new(0x2a02, 0x8109, 0, 0, 0, 0, 0, 1);
pub(crate) const MOVED_V6: Ipv6Addr = Ipv6Addr::new(0x2a02, 0x8109, 0, 0, 0, 0, 0, 2);

pub(crate) struct World {
    pub(crate) duckdns: Duckdns,
    pub(crate) sources: [Source; 3],
    pub(crate) sources_v6: [Source; 3],
    pub(crate) servers: [NameServer; 3],
    folder: TempDir,
}

/// How a run went.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) output: Value,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let duckdns = Duckdns::open(Some(HOME)).await;
        let (four, six) = (IpAddr::from(HOME), IpAddr::from(HOME_V6));
        let server = || NameServer::open(&duckdns.zone, name_server::Manner::Live);
        let servers = [server().await, server().await, server().await];
        Self {
            sources: [
                Source::open(address_source::Manner::Bare(four)).await,
                Source::open(address_source::Manner::Line(four)).await,
                Source::open(address_source::Manner::Trace(four)).await,
            ],
            sources_v6: [
                Source::open_v6(address_source::Manner::Bare(six)).await,
                Source::open_v6(address_source::Manner::Line(six)).await,
                Source::open_v6(address_source::Manner::Trace(six)).await,
            ],
            servers,
            duckdns,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// `dns`, without jitter, with a short deadline: DuckDNS gets up to 5 s, public DNS up to 10 s.
    pub(crate) fn command(&self) -> Command {
        let mut command = ours("dns");
        command
            .env("DOMAIN", "home")
            .env("TOKEN", TOKEN)
            .env("DUCKDNS_URL", self.duckdns.url())
            .env("ADDRESS_SOURCES", list(self.sources.iter().map(Source::url)))
            .env("ADDRESS_SOURCES_V6", list(self.sources_v6.iter().map(Source::url)))
            .env("PUBLIC_DNS", list(self.servers.iter().map(|server| server.address.to_string())))
            .env("STATE_DIR", self.folder.path())
            .env("JITTER", "0s")
            .env("DEADLINE", "20s")
            .arg("--json");
        command
    }

    pub(crate) async fn run(&self) -> Run {
        self.run_with(|command| command).await
    }

    pub(crate) async fn run_with(&self, change: impl FnOnce(&mut Command) -> &mut Command) -> Run {
        let mut command = self.command();
        change(&mut command);
        let ended = run(command, Duration::from_secs(45)).await;
        let output = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr));
        Run { code: ended.code, output, stderr: ended.stderr }
    }

    /// The first run of a home that has just been set up.
    pub(crate) async fn settled() -> Self {
        let world = Self::new().await;
        world.run().await.ends(0);
        world
    }

    /// The home gets another address, and every source sees it.
    pub(crate) fn moves(&self) {
        self.duckdns.sees(MOVED);
        for source in &self.sources {
            source.turn(address_source::Manner::Line(MOVED.into()));
        }
    }

    pub(crate) fn sources_turn(&self, manners: [address_source::Manner; 3]) {
        for (source, manner) in self.sources.iter().zip(manners) {
            source.turn(manner);
        }
    }

    pub(crate) fn servers_turn(&self, manners: [name_server::Manner; 3]) {
        for (server, manner) in self.servers.iter().zip(manners) {
            server.turn(manner);
        }
    }

    pub(crate) fn holds(&self) -> Held {
        self.duckdns.zone.get("home").expect("the name is there")
    }

    /// The parameters of each call so far, without those that every call has.
    pub(crate) fn calls(&self) -> Vec<String> {
        let every = "/update?domains=home&token=TOKEN&verbose=true";
        let rest = |call: String| call.strip_prefix(every).unwrap_or_else(|| panic!("{call}")).to_owned();
        self.duckdns.calls().into_iter().map(rest).collect()
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.folder.path().join("dns.json")
    }

    /// What is remembered; `null` where nothing is.
    pub(crate) fn remembered(&self) -> Value {
        std::fs::read(self.record()).map_or(Value::Null, |text| serde_json::from_slice(&text).expect("JSON"))
    }

    /// Remembers that DuckDNS took [`HOME`] at another time.
    pub(crate) fn remember_at(&self, at: &str) {
        let record = json!({ "names": ["home"], "ipv4": { "address": HOME, "at": at } });
        std::fs::write(self.record(), record.to_string()).expect("the folder can be written");
    }
}

pub(crate) fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

impl Run {
    /// What was said to a person.
    pub(crate) fn said(&self) -> String {
        let lines = self.output["said"].as_array().expect("lines").iter();
        lines.map(|line| line.as_str().expect("a text")).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.said(), self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, sentence: &str) -> &Self {
        assert!(self.said().contains(sentence), "`{sentence}` is not in:\n{}", self.said());
        self
    }

    /// The one reading.
    #[track_caller]
    pub(crate) fn reading(&self) -> &Value {
        let readings = self.output["readings"].as_array().expect("readings");
        assert_eq!(readings.len(), 1, "{:#}", self.output);
        assert_eq!(readings[0]["metric"], "dns");
        &readings[0]
    }

    #[track_caller]
    pub(crate) fn hands_nothing_over(&self) -> &Self {
        assert_eq!(self.output["readings"], json!([]), "{:#}", self.output);
        self
    }
}
