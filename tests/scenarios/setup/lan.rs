//! A home behind a real router, Debian's miniupnpd: the setup finds the way in, `porchlight port` opens it, the prober looks from the
//! world, doctor tells when it is gone, and the teardown closes it. upnpc and natpmpc are the witnesses.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use serde_json::{Value, json};
use tests::{
    address_source::{Manner as Said, Source},
    beacon::Beacon,
    binaries::binary,
    lan::{HOME, Lan, OUTSIDE, ROUTER},
    name_server::{Manner as Answers, NameServer},
    process::{Ended, Process, command, ours, run},
    skip::program,
};
use tokio::{
    io::copy_bidirectional,
    net::TcpStream,
    process::Command,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::world::{World, steps};

pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// The words of each setup here, but for the function's archive.
const WORDS: [&str; 6] = ["setup", "--yes", "--home", "home", "--runs-on", "systemd"];

/// A home, its router, and the world.
pub(super) struct Behind {
    pub(super) world: World,
    sources: [Source; 2],
    public: [NameServer; 2],
    beacon: Option<Beacon>,
    /// Has the world get to the page, which is on the home's loopback.
    bridge: JoinHandle<()>,
    _processes: [Process; 2],
    // The last to go: all of the others are in it.
    pub(super) lan: Lan,
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.bridge.abort();
    }
}

impl Behind {
    pub(super) async fn begin(test: &str) -> Option<Self> {
        let lan = Lan::new(test, OUTSIDE).await?;
        let router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
        lan.world.host("home.duckdns.org", OUTSIDE);
        let names = lan.home.name_server().await;
        let world = World::behind(&lan, test).await?;
        let outside = OUTSIDE.parse().expect("an address");
        let sources = [Source::open(Said::Bare(outside)).await, Source::open(Said::Line(outside)).await];
        let zone = &world.duckdns.zone;
        let public = [NameServer::open(zone, Answers::Live).await, NameServer::open(zone, Answers::Live).await];
        let bridge = bridge(&lan, &world.keeper.url);
        let looks = world.place.path().join("prober");
        let ip = program("ip").expect("it was there").display().to_string();
        let script = format!(
            "#!/bin/sh\nexec {ip} netns exec {} {} \"$@\"\n",
            lan.world.name(),
            binary("lambda-prober").display()
        );
        fs::write(&looks, script)
            .and_then(|()| fs::set_permissions(&looks, fs::Permissions::from_mode(0o755)))
            .expect("ours");
        Some(Self { world, sources, public, beacon: None, bridge, _processes: [router, names], lan })
    }

    /// The tool at home, with what its network needs. The prober looks from the world, where the function is set to.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.world.command(words);
        command.env("BEACON", "").env("PROBER", self.world.place.path().join("prober"));
        command.env("STATE_DIR", self.lan.file("state"));
        command
    }

    async fn run(&self, words: &[&str]) -> Ended {
        run(self.command(words), PATIENCE).await
    }

    async fn setup(&self) -> Ended {
        let zip = self.world.zip();
        self.run(&[&WORDS[..], &["--function", &zip]].concat()).await
    }

    /// `porchlight port`, as the unit has it: by the settings that the setup has printed.
    fn port(&self, words: &str, canary: &str) -> Command {
        let mut port = ours("porchlight");
        port.arg("port").args(words.split_whitespace()).env("STATE_DIR", self.lan.file("state"));
        port.env("CANARY_URL", canary).env("ADDRESS_SOURCES", "http://127.0.0.1:9");
        self.lan.home.inside(&port)
    }

    async fn opens(&self, words: &str, canary: &str) -> Process {
        let mut kept = Process::start(self.port(words, canary));
        kept.wait_for("open", |lines| lines.iter().any(|line| line.starts_with("open ")).then_some(())).await;
        kept
    }

    /// What doctor finds at home, with the function left out or not.
    async fn doctor(&self, words: &[&str]) -> Value {
        let words = [&["doctor", "--no-kubectl", "--json"], words].concat();
        let mut doctor = self.command(&words);
        let public = self.public.each_ref().map(|server| server.address.to_string()).join(",");
        doctor.env("ADDRESS_SOURCES", self.sources.each_ref().map(Source::url).join(",")).env("PUBLIC_DNS", public);
        doctor.env("PUBLIC_ADDR", "0.0.0.0:8080").env("HOME", self.world.place.path());
        let mut doctor = self.lan.home.inside(&doctor);
        doctor.current_dir(self.world.place.path());
        let ended = run(doctor, PATIENCE).await;
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr))
    }

    /// The home side as it is started by hand.
    pub(super) async fn starts_beacon(&mut self, address: &str) {
        let key = fs::read_to_string(self.world.folder().join("beacon.key")).expect("a key");
        self.beacon = Some(Beacon::with_key(address, key.trim()).await);
    }

    /// Where the function looks.
    pub(super) async fn canary(&self) -> Value {
        let words = ["lambda", "get-function-configuration", "--function-name", "lambda-prober"];
        self.world.moto().ok(&words).await["Environment"]["Variables"]["CANARY_URL"].clone()
    }

    /// What natpmpc is given where it asks for a port of the world.
    async fn natpmpc(&self, port: &str, seconds: &str) -> String {
        let mut witness = command(program("natpmpc").expect("tests/run installs it"));
        witness.args(["-g", ROUTER, "-a", port, "8099", "tcp", seconds]);
        self.lan.at_home(&witness).await.stdout
    }
}

/// The page is on the home's loopback; at the same address in the world it is the same.
fn bridge(lan: &Lan, url: &str) -> JoinHandle<()> {
    let address = url.trim_start_matches("http://").parse().expect("an address");
    let listener = lan.world.listen(address);
    tokio::spawn(async move {
        while let Ok((mut there, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut here) = TcpStream::connect(address).await else { return };
                let _ = copy_bidirectional(&mut there, &mut here).await;
            });
        }
    })
}

/// What a link of doctor's is, in a word, and what was seen of it.
fn link<'a>(all: &'a Value, name: &str) -> (&'a str, &'a str) {
    let links = all["links"].as_array().expect("links");
    let link = links.iter().find(|it| it["link"] == name).unwrap_or_else(|| panic!("{name}: {all:#}"));
    (link["outcome"].as_str().expect("an outcome"), link["saw"].as_str().unwrap_or_default())
}

/// The setting of the unit that the commands of a setup write.
fn canary_of(printed: &str) -> String {
    let line = printed.lines().find(|line| line.contains("CANARY_URL=")).unwrap_or_else(|| panic!("none: {printed}"));
    let (_, rest) = line.split_once("CANARY_URL=").expect("it has one");
    rest.split(' ').next().expect("an address").to_owned()
}

#[tokio::test]
async fn a_home_behind_a_real_router_is_set_up_found_missing_and_closed_again() {
    let Some(mut behind) = Behind::begin("lan-setup").await else { return };
    // The port that is usual is somebody else's.
    let taken = behind.lan.upnpc(&["-e", "nas", "-a", HOME, "4430", "30008", "TCP", "3600"]).await;
    assert!(taken.stdout.contains("is redirected to internal"), "{}", taken.stdout);

    killed_after_the_router(&behind).await;
    let first = behind.setup().await;
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains(" porchlight-port\n"), "{}", first.stdout);
    assert!(!behind.lan.listed().await.contains(":8080"), "a setup opens nothing by itself");

    // What the commands start.
    behind.starts_beacon("0.0.0.0:8080").await;
    let unit = "open --every 2s --protocol upnp";
    let kept = behind.opens(unit, &canary_of(&first.stdout)).await;
    let second = behind.setup().await;
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
    assert!(second.stdout.contains("it has opened port 30009 for the beacon"), "{}", second.stdout);
    assert_eq!(canary_of(&second.stdout), "http://home.duckdns.org:30009");
    assert_eq!(behind.canary().await, json!("http://home.duckdns.org:30009"));
    let done = steps(&second.stdout, "done");
    assert!(done.ends_with(&["the first look", "the schedule"]), "through the router, from the world: {done:?}");

    let listed = behind.lan.listed().await;
    let third = behind.setup().await;
    assert_eq!(steps(&third.stdout, "done"), ["the first look"], "{}{}", third.stdout, third.stderr);
    let entries = |listed: &str| listed.lines().filter(|line| line.contains(" TCP ")).count();
    assert!(listed.contains(&format!("TCP 30009->{HOME}:8080  'Porchlight'")) && entries(&listed) == 2, "{listed}");
    assert_eq!(entries(&behind.lan.listed().await), 2);
    assert!(behind.natpmpc("30009", "120").await.contains("Mapped public port 30010"), "it is another's");

    let refused = behind.run(&["teardown"]).await;
    assert!(
        refused.code == Some(1) && refused.stdout.contains("failed   the router's port: process "),
        "{}",
        refused.stdout
    );
    assert!(refused.stdout.contains("stop that process first"), "{}{}", refused.stdout, refused.stderr);
    assert_eq!(behind.lan.from_the_world("http://81.2.69.142:30009/").await, "porchlight\n");
    assert!(kept.terminate().await.success());
    leads_back(&behind).await;
}

/// The run that was begun is ended where nothing but the router was asked; what it has found is noted.
async fn killed_after_the_router(behind: &Behind) {
    let zip = behind.world.zip();
    let mut command = behind.command(&[&WORDS[..], &["--function", &zip]].concat());
    command.env("HOLD", "1");
    let mut setup = Process::start(command);
    let said = setup
        .wait_for_within("the way in", PATIENCE, |lines| {
            lines.iter().find(|line| line.contains("the way in: ")).cloned()
        })
        .await;
    let words = format!("the router {ROUTER} speaks PCP, NAT-PMP, UPnP; outside it is {OUTSIDE}");
    assert!(said.contains(&words), "{said}");
    let end = Instant::now() + PATIENCE;
    while !behind.world.calls().contains("get-function-configuration") {
        assert!(Instant::now() < end, "{:#?}", setup.lines());
        sleep(Duration::from_millis(50)).await;
    }
    setup.kill().await;
    let record = fs::read_to_string(behind.world.folder().join("setup.toml")).expect("a record");
    assert!(record.contains(&format!("router = \"{ROUTER}\"")) && !record.contains("[[made]]\nfunction"), "{record}");
}

async fn leads_back(behind: &Behind) {
    let listed = behind.lan.listed().await;
    assert!(listed.contains("TCP 30009->"), "who is ended leaves it open: {listed}");
    let dry = behind.run(&["teardown", "--dry-run"]).await;
    assert!(dry.stdout.contains(&format!("would close  port 30009 of {ROUTER}")), "{}{}", dry.stdout, dry.stderr);
    assert_eq!(behind.lan.listed().await.matches(" TCP ").count(), listed.matches(" TCP ").count());
    let ended = behind.run(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains(&format!("closed  port 30009 of {ROUTER}")), "{}", ended.stdout);
    assert_eq!(behind.lan.from_the_world("http://81.2.69.142:30009/").await, "");
    let listed = behind.lan.listed().await;
    assert!(listed.contains("TCP 30008->") && !listed.contains(":8080"), "that of another stays: {listed}");
    assert!(behind.natpmpc("30009", "120").await.contains("Mapped public port 30009"), "it is free");
    assert!(behind.world.things().await.is_empty() && !behind.world.folder().exists());
}

#[tokio::test]
async fn a_port_that_the_router_has_no_more_is_what_doctor_names_first() {
    let Some(mut behind) = Behind::begin("lan-doct").await else { return };
    let first = behind.setup().await;
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}{}", first.stdout, first.stderr);
    behind.starts_beacon("0.0.0.0:8080").await;
    let canary = canary_of(&first.stdout);
    let opened = run(behind.port("open --protocol upnp", &canary), PATIENCE).await;
    assert_eq!(opened.code, Some(0), "{}{}", opened.stdout, opened.stderr);
    let well = behind.doctor(&["--no-aws"]).await;
    assert_eq!(well["failed"], 0, "{well:#}");
    for name in ["cgnat", "beacon", "router", "public_dns", "proof"] {
        assert_eq!(link(&well, name).0, "ok", "{name}: {well:#}");
    }
    assert!(link(&well, "router").1.contains(&format!("the router has port 30008 of {ROUTER}")), "{well:#}");

    let removed = behind.lan.upnpc(&["-d", "30008", "TCP"]).await;
    assert!(removed.code == Some(0) && !behind.lan.listed().await.contains(" TCP "), "{}", removed.stdout);
    let gone = behind.doctor(&["--no-aws"]).await;
    assert_eq!((&gone["first"], &gone["failed"]), (&json!("router"), &json!(1)), "{gone:#}");
    assert!(link(&gone, "router").1.contains("is gone from the router's list"), "{gone:#}");

    // By PCP it may be in another list than UPnP's: that it is not in this one says nothing by itself.
    let opened = run(behind.port("open --protocol pcp", &canary), PATIENCE).await;
    assert_eq!(opened.code, Some(0), "{}{}", opened.stdout, opened.stderr);
    let well = behind.doctor(&["--no-aws"]).await;
    assert!(link(&well, "router").1.contains("the router has port 30008"), "{well:#}");
    assert!(behind.lan.upnpc(&["-d", "30008", "TCP"]).await.code == Some(0), "it is in the list of UPnP here");
    let unlisted = behind.doctor(&["--no-aws"]).await;
    assert_eq!((link(&unlisted, "router").0, &unlisted["failed"]), ("not_conclusive", &json!(0)), "{unlisted:#}");
}
