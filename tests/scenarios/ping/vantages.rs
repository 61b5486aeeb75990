//! Both vantages at once: a prober in the world, and at home a keeper with its beacon and pings. Each link between them is cut in
//! turn; the kind is right, and so is when it began.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use tests::{
    keeper::{TOKEN, keeper_command},
    namespace::Namespace,
    noting_home::KEY,
    prober::{probe_with, prober_command},
    process::{Process, command, ours, run},
    skip::{program, skip},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    way::{WORLD, Way},
    world::{ping, run_job},
};

/// How long it is well before, cut, and well again.
const WELL: Duration = Duration::from_secs(25);
const CUT: Duration = Duration::from_secs(50);

/// The longest from one measurement to the next: one over a line that is cut waits for everything.
const MEASUREMENT: SignedDuration = SignedDuration::from_secs(30);

/// The beacon is asked for looks once a minute.
const TOLD: Duration = Duration::from_secs(150);

struct Home {
    way: Way,
    files: TempDir,
    _processes: [Process; 5],
}

impl Home {
    async fn new(purpose: &str) -> Option<Self> {
        let way = Way::new(purpose).await?;
        let files = tempfile::tempdir().expect("a folder");
        let started = async |place: &Namespace, outside: tokio::process::Command| {
            let mut process = Process::start(place.inside(&outside));
            process.wait_for_message("listening").await;
            process
        };
        let folder = |name: &str| {
            let folder = files.path().join(name);
            std::fs::create_dir(&folder).expect("a folder");
            folder
        };
        let mut beacon = ours("beacon");
        beacon.env("BEACON_KEY", KEY.expose());
        beacon.env("PUBLIC_ADDR", "192.168.7.2:8080").env("PRIVATE_ADDR", "127.0.0.1:9090");
        let beacon = started(&way.home, beacon).await;
        let mut keeper = keeper_command(&folder("home"));
        keeper.env("KEEPER_ADDR", "127.0.0.1:8030").env("BEACON_PRIVATE_URL", "http://127.0.0.1:9090");
        let keeper = started(&way.home, keeper).await;
        let mut page = keeper_command(&folder("page"));
        page.env("KEEPER_ADDR", "127.0.0.1:8031");
        let page = started(&way.world, page).await;
        let names = way.world.scripted_names(WORLD).await;
        let others = way.world.scripted_names("198.51.100.2").await;
        Some(Self { way, files, _processes: [beacon, keeper, page, names, others] })
    }

    /// Measures at home, and looks from the world, again and again.
    async fn lives(&self) {
        let measures = async {
            loop {
                let mut ping = ping(WORLD);
                ping.args(["--count", "1", "--router-host", "gateway", "--other-name-server", "198.51.100.2"]);
                ping.args(["--checked-name", "home.example.test"]);
                ping.env("KEEPER_URL", "http://127.0.0.1:8030").env("KEEPER_TOKEN", TOKEN);
                let (ended, _) = run_job(self.way.home.inside(&ping)).await;
                assert_eq!(ended.code, Some(0), "{ended:?}");
                sleep(Duration::from_secs(2)).await;
            }
        };
        let looks = async {
            loop {
                let mut prober = prober_command("http://192.168.7.2:8080/", "http://127.0.0.1:8031/v1");
                prober.env("BEACON_KEY", KEY.expose()).env("ATTEMPTS", "2").env("LOCATION", "eu-central-1");
                prober.env("STATE_FILE", self.files.path().join("state.json"));
                probe_with(self.way.world.inside(&prober)).await;
                sleep(Duration::from_secs(2)).await;
            }
        };
        tokio::join!(measures, looks);
    }

    async fn outages(&self) -> Vec<Value> {
        let mut curl = command(program("curl").expect("it was there"));
        curl.args([
            "-s",
            "-H",
            &format!("Authorization: OAuth {TOKEN}"),
            "http://127.0.0.1:8030/porchlight/v1/outages",
        ]);
        let ended = run(self.way.home.inside(&curl), Duration::from_secs(20)).await;
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap_or_default();
        answer["outages"].as_array().cloned().unwrap_or_default()
    }

    /// What is concluded of a cut of that place by those rules.
    async fn cut(&self, place: &Namespace, hooks: &[(&str, &[&str])], kind: &str) {
        let _ = timeout(WELL, self.lives()).await;
        place.run(&["nft", "add", "table", "inet", "cut"]).await;
        for (hook, matching) in hooks {
            let chain = format!("{{ type filter hook {hook} priority 0; }}");
            place.run(&["nft", "add", "chain", "inet", "cut", hook, &chain]).await;
            place.run(&[&["nft", "add", "rule", "inet", "cut", hook], *matching, &["drop"]].concat()).await;
        }
        let cut = Timestamp::now();
        let _ = timeout(CUT, self.lives()).await;
        place.run(&["nft", "delete", "table", "inet", "cut"]).await;
        let mended = Instant::now();
        loop {
            let _ = timeout(WELL, self.lives()).await;
            let outages = self.outages().await;
            let told = outages.iter().find(|it| {
                let is_seen = it["evidence"].to_string().contains("down as seen from outside");
                it["kind"] == kind && is_seen && !it["ended"].is_null()
            });
            if let Some(told) = told {
                let time = |of: &Value| of.as_str().and_then(|at| at.parse::<Timestamp>().ok()).expect("a time");
                let (earliest, latest) = (time(&told["began"]["earliest"]), time(&told["began"]["latest"]));
                let is_near = earliest - MEASUREMENT <= cut && cut <= latest + MEASUREMENT;
                assert!(is_near, "cut at {cut}: {told:#}");
                assert_eq!(outages.len(), 1, "{kind} and nothing else: {outages:#?}");
                return;
            }
            assert!(mended.elapsed() < TOLD, "{kind}: {outages:#?}");
        }
    }
}

#[tokio::test]
async fn each_link_that_is_cut_is_named_from_both_sides() {
    let test = "each link that is cut";
    if program("curl").is_none() {
        return skip(test, "curl is missing");
    }
    let all = async {
        Some([Home::new("vr").await?, Home::new("vl").await?, Home::new("vp").await?, Home::new("vi").await?])
    };
    let Some([router, line, provider, inbound]) = all.await else { return skip(test, "it takes root, ip and nft") };
    tokio::join!(
        router.cut(&router.way.router, &[("input", &[]), ("forward", &[])], "router"),
        line.cut(&line.way.provider, &[("input", &["iif", "in"]), ("forward", &[])], "line"),
        provider.cut(&provider.way.provider, &[("forward", &[])], "provider"),
        inbound.cut(&inbound.way.router, &[("forward", &["tcp", "dport", "8080"])], "inbound"),
    );
}
