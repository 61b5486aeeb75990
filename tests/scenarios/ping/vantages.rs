//! Both vantages at once: `ping`, keeper and beacon at home, the prober in the world, real packets between them, and each link cut
//! in turn. All of it goes by one clock, which is put forward so that minutes pass in seconds.

use std::{fs, path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::Value;
use tests::{
    beacon::Beacon,
    keeper::{Keeper, TOKEN},
    noting_home::KEY,
    prober::prober_command,
    process::{Process, ours},
    skip::{libfaketime, long, skip, skip_allowed},
};
use tokio::{process::Command, time::sleep};

use crate::{
    way::{WORLD, Way},
    world::{ping, run_job},
};

const HOME: &str = "192.168.7.2";

/// How long a minute takes, and by how much the clock is put forward in it: the prober runs each 15 s.
const STEP: Duration = Duration::from_secs(15);
const FORWARD: i64 = 45;

/// The keeper reads what the beacon noted once a minute of everybody's.
const LOOKS_ARE_READ: Duration = Duration::from_secs(75);

struct Vantages {
    way: Way,
    files: tempfile::TempDir,
    ahead: i64,
    keeper: Keeper,
    _programs: (Beacon, Keeper, Process, [Process; 2]),
}

impl Vantages {
    /// `None`, and a skip, where there are no namespaces or no clock can be set.
    async fn new(test: &str) -> Option<Self> {
        let (Some(way), Some(library)) = (Way::new(test).await, libfaketime()) else {
            skip(test, "it takes root, ip, nft and libfaketime; tests/run installs these");
            return None;
        };
        let names = [way.world.scripted_names(WORLD).await, way.world.scripted_names("198.51.100.2").await];
        way.world.resolv_conf(&format!("nameserver {WORLD}\n"));
        let files = tempfile::tempdir().expect("a folder");
        let clock = files.path().join("clock");
        put(&clock, 0);
        let by_clock = |command: &mut Command| {
            command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock);
            command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
        };
        // From here on this test is in the world, and then at home.
        way.world.enter();
        let witness = way.world.listen("0.0.0.0:443".parse().expect("an address"));
        tokio::spawn(async move { while witness.accept().await.is_ok() {} });
        let page = Keeper::start_with(by_clock).await;
        let mut prober = prober_command(&format!("http://{HOME}:8080/"), &page.api());
        by_clock(&mut prober);
        prober.env("BEACON_KEY", KEY.expose()).env("STATE_FILE", files.path().join("state.json"));
        prober.env("WITNESSES", format!("{WORLD}:443,witness.example.test:443")).env("LOCATION", "world");
        prober.args(["--every", "15s", "--json"]);
        way.home.enter();
        let mut beacon = ours("beacon");
        by_clock(&mut beacon);
        beacon.env("BEACON_KEY", KEY.expose());
        let beacon = Beacon::run(beacon, &format!("{HOME}:8080")).await;
        let private = format!("http://{}", beacon.private);
        let keeper = Keeper::start_with(|command| {
            by_clock(command);
            command.env("BEACON_PRIVATE_URL", private);
        });
        let keeper = keeper.await;
        let prober = Process::start(way.world.inside(&prober));
        Some(Self { way, files, ahead: 0, keeper, _programs: (beacon, page, prober, names) })
    }

    /// So many minutes, in each of which `ping` measures.
    async fn minutes(&mut self, minutes: usize) {
        for _ in 0..minutes {
            let next = tokio::time::Instant::now() + STEP;
            self.ahead += FORWARD;
            put(&self.clock(), self.ahead);
            let mut measured = ping(WORLD);
            measured.args(["--count", "2", "--router-host", "gateway", "--other-name-server", "198.51.100.2"]);
            measured.args(["--checked-name", "home.example.test"]).arg("--state-dir").arg(self.files.path());
            measured.env("KEEPER_URL", &self.keeper.url).env("KEEPER_TOKEN", TOKEN);
            measured.env("LD_PRELOAD", libfaketime().expect("it was there"));
            measured.env("FAKETIME_TIMESTAMP_FILE", self.clock()).env("FAKETIME_NO_CACHE", "1");
            measured.env("DONT_FAKE_MONOTONIC", "1");
            let (ended, _) = run_job(self.way.home.inside(&measured)).await;
            assert_eq!(ended.code, Some(0), "{ended:?}");
            tokio::time::sleep_until(next).await;
        }
    }

    fn clock(&self) -> std::path::PathBuf {
        self.files.path().join("clock")
    }

    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.ahead)
    }

    /// The one outage that is found once the home was well again for a while, and when it was cut and mended.
    async fn outage(&mut self, cut: &[&[&str]], mend: &[&[&str]], place: Place) -> (Value, [Timestamp; 2]) {
        self.minutes(3).await;
        let cut_at = self.now();
        self.run(place, cut).await;
        self.minutes(4).await;
        let mended_at = self.now();
        self.run(place, mend).await;
        self.minutes(3).await;
        let read_by = tokio::time::Instant::now() + LOOKS_ARE_READ;
        loop {
            let (status, found) = self.keeper.own(Method::GET, "/outages", None).await;
            assert_eq!(status, 200, "{found}");
            let outages = found["outages"].as_array().expect("a list");
            if let [outage] = &outages[..]
                && is_by_both(outage)
            {
                return (outage.clone(), [cut_at, mended_at]);
            }
            assert!(tokio::time::Instant::now() < read_by, "{found:#}");
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn run(&self, place: Place, all: &[&[&str]]) {
        let place = match place {
            Place::Router => &self.way.router,
            Place::Provider => &self.way.provider,
            Place::World => &self.way.world,
        };
        for words in all {
            place.run(words).await;
        }
    }
}

/// Whether an outage is over, and concluded from what was seen at home and from the world. Without names, the world saw nothing.
fn is_by_both(outage: &Value) -> bool {
    outage["ended"].is_object() && (outage["confidence"] == "high" || outage["kind"] == "names")
}

/// Where a link is cut.
#[derive(Clone, Copy)]
enum Place {
    Router,
    Provider,
    World,
}

fn put(clock: &Path, ahead: i64) {
    let new = clock.with_extension("new");
    fs::write(&new, format!("{ahead:+}\n")).expect("it can be written");
    fs::rename(new, clock).expect("it can be written");
}

/// The outage has that kind, both sides say so, and it began and ended when the link was cut and mended, to within one measurement.
fn is(kind: &str, (outage, [cut, mended]): &(Value, [Timestamp; 2])) {
    assert_eq!(outage["kind"], kind, "{outage:#}");
    let slack = SignedDuration::from_secs(90);
    for (end, at) in [("began", cut), ("ended", mended)] {
        let time = |side: &str| {
            outage[end][side]
                .as_str()
                .and_then(|text| text.parse::<Timestamp>().ok())
                .unwrap_or_else(|| panic!("{outage:#}"))
        };
        let (earliest, latest) = (time("earliest"), time("latest"));
        assert!(earliest - slack <= *at && *at <= latest + slack, "{end}: {at} in {outage:#}");
        assert!(
            latest.duration_since(earliest) <= SignedDuration::from_mins(4),
            "{end} is known to a few minutes: {outage:#}"
        );
    }
}

#[tokio::test]
async fn a_line_that_is_cut_is_the_line() {
    let Some(mut vantages) = Vantages::new("line").await else { return };
    let cut: &[&[&str]] = &[&["ip", "link", "set", "in", "down"]];
    let mend: &[&[&str]] =
        &[&["ip", "link", "set", "in", "up"], &["ip", "route", "add", "192.168.7.0/24", "via", "100.64.0.2"]];
    let found = vantages.outage(cut, mend, Place::Provider).await;
    is("line", &found);
    assert_eq!(found.0["confidence"], "high", "{:#}", found.0);
}

/// Rules by which the router lets something no longer through.
fn dropping<'a>(rule: &'a [&'a str]) -> [Vec<&'a str>; 3] {
    let chain = ["nft", "add", "chain", "inet", "cut", "through", "{ type filter hook forward priority 0; }"];
    let rule = [&["nft", "add", "rule", "inet", "cut", "through"], rule, &["drop"]].concat();
    [vec!["nft", "add", "table", "inet", "cut"], chain.to_vec(), rule]
}

async fn dropped(vantages: &mut Vantages, rule: &[&str]) -> (Value, [Timestamp; 2]) {
    let cut = dropping(rule);
    let cut: Vec<&[&str]> = cut.iter().map(Vec::as_slice).collect();
    vantages.outage(&cut, &[&["nft", "delete", "table", "inet", "cut"]], Place::Router).await
}

#[tokio::test]
async fn a_forwarding_that_is_lost_is_the_way_in() {
    let Some(mut vantages) = Vantages::new("inbound").await else { return };
    let found = dropped(&mut vantages, &["tcp", "dport", "8080"]).await;
    is("inbound", &found);
}

#[tokio::test]
async fn a_provider_whose_own_line_is_cut_is_the_provider() {
    if !long() {
        return skip_allowed("a provider whose own line is cut", "it takes minutes: LONG=1 plays it");
    }
    let Some(mut vantages) = Vantages::new("provider").await else { return };
    let cut: &[&[&str]] = &[&["ip", "link", "set", "in", "down"]];
    let mend: &[&[&str]] = &[
        &["ip", "link", "set", "in", "up"],
        &["ip", "route", "add", "192.168.7.0/24", "via", "198.51.100.1"],
        &["ip", "route", "add", "100.64.0.0/24", "via", "198.51.100.1"],
    ];
    is("provider", &vantages.outage(cut, mend, Place::World).await);
}

#[tokio::test]
async fn a_router_that_says_nothing_is_the_router() {
    if !long() {
        return skip_allowed("a router that says nothing", "it takes minutes: LONG=1 plays it");
    }
    let Some(mut vantages) = Vantages::new("router").await else { return };
    let cut: &[&[&str]] = &[&["ip", "link", "set", "in", "down"]];
    is("router", &vantages.outage(cut, &[&["ip", "link", "set", "in", "up"]], Place::Router).await);
}

#[tokio::test]
async fn name_servers_that_cannot_be_reached_are_the_names() {
    if !long() {
        return skip_allowed("name servers that cannot be reached", "it takes minutes: LONG=1 plays it");
    }
    let Some(mut vantages) = Vantages::new("names").await else { return };
    let found = dropped(&mut vantages, &["udp", "dport", "53"]).await;
    is("names", &found);
}
