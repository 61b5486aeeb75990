//! The image's programs, each as confined as in a pod: an unprivileged user, no capability, no new privileges, a root that cannot
//! be written, and the one sysctl that lets them ping. What they talk to is played as for the programs themselves.

use std::{fs, net::IpAddr, os::unix::fs::MetadataExt, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use shared::proof::Key;
use tests::{
    address_source::{self, Source},
    duckdns::{self, Duckdns},
    fast::Fast,
    image::{Container, Image, Place, USER},
    keeper::{Keeper, TOKEN},
    name_server::{self, NameServer},
    namespace::Namespace,
    prober::{probe_with, prober_command},
    process::{Ended, Process, file, ours, run},
    skip::skip,
};
use tokio::process::Command;

#[path = "image/operator.rs"]
mod operator;

/// Where a container finds secrets, and where the keeper's volume is.
const SECRETS: &str = "/run/secrets";
const DATA: &str = "/var/lib/porchlight";

/// One platform's image and a network for its containers, in which the test is too.
struct Pod {
    namespace: Namespace,
    image: Image,
}

impl Pod {
    async fn of(test: &str, image: Option<Image>) -> Option<Self> {
        let image = image?;
        let Some(namespace) = Namespace::new(test).await else {
            skip(test, "a network namespace takes root, ip and nft");
            return None;
        };
        namespace.enter();
        Some(Self { namespace, image })
    }

    async fn native(test: &str) -> Option<Self> {
        Self::of(test, Image::native(test)).await
    }

    async fn arm64(test: &str) -> Option<Self> {
        Self::of(test, Image::arm64(test)).await
    }

    fn start(&self, command: &Command, place: &Place) -> (Process, Container) {
        let (command, container) = self.image.inside(&self.namespace, command, place);
        (Process::start(command), container)
    }

    async fn run(&self, command: &Command, place: &Place) -> Ended {
        let (command, _container) = self.image.inside(&self.namespace, command, place);
        run(command, Duration::from_secs(60)).await
    }

    /// A job's run that must succeed: its output.
    async fn output(&self, job: &mut Command, place: &Place) -> Value {
        let ended = self.run(job.arg("--json"), place).await;
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:#?}"))
    }

    /// A keeper whose data is in `folder`.
    async fn keeper(&self, folder: tempfile::TempDir) -> (Keeper, Container) {
        let mut started = None;
        let place = Place::default().owns(folder.path(), DATA);
        let keeper = Keeper::restart_with(folder, |command| {
            command
                .env("DATABASE_URL", format!("sqlite:{DATA}/keeper.db"))
                .env("KEEPER_SEED", format!("{DATA}/seed.toml"));
            let (inside, container) = self.image.inside(&self.namespace, command, &place);
            (*command, started) = (inside, Some(container));
        });
        (keeper.await, started.expect("it was started"))
    }

    /// A beacon with a key in a file, at its usual ports.
    async fn beacon(&self, key: &str, folder: &tempfile::TempDir) -> (Process, Container) {
        file(folder.path(), "beacon-key", key);
        let mut beacon = ours("beacon");
        beacon.env("BEACON_KEY_FILE", format!("{SECRETS}/beacon-key"));
        let (mut process, container) = self.start(&beacon, &Place::default().reads(readable(folder), SECRETS));
        process.wait_for_message("listening").await;
        (process, container)
    }

    /// The beacon proves itself to a prober, and only with the right key.
    async fn proves(&self) {
        let (folder, key) = (folder(), Key::new([1; 32]).expose());
        let (mut beacon, container) = self.beacon(&key, &folder).await;
        let keeper = Keeper::start().await;
        for (key, identity) in [(key, "proven"), (Key::new([2; 32]).expose(), "foreign")] {
            let mut prober = prober_command("http://127.0.0.1:8080", &keeper.api());
            prober.env("BEACON_KEY", key).env("ATTEMPTS", "2");
            let run = probe_with(prober).await;
            assert_eq!(run.target["attempts"][0]["exchanges"][0]["identity"], identity, "{:#}", run.report);
        }
        beacon.signal(rustix::process::Signal::TERM);
        assert_eq!(beacon.ended().await.code(), Some(0), "PID 1 ends when it is asked to: {:#?}", beacon.lines());
        drop(container);
    }

    /// What the keeper has acknowledged is there when it comes up again.
    async fn keeps(&self) {
        let (keeper, container) = self.keeper(folder()).await;
        let reading = json!({"metric": "ping", "at": jiff::Timestamp::now().to_string(), "value": 12.5});
        let (status, answer) = keeper.own(Method::POST, "/readings", Some(json!({"readings": [reading]}))).await;
        assert_eq!(status, 201, "{answer:#}");
        let Keeper { process, folder, .. } = keeper;
        assert_eq!(process.terminate().await.code(), Some(0));
        drop(container);
        let database = fs::metadata(folder.path().join("keeper.db")).expect("it is on the volume");
        assert_eq!((database.uid(), database.gid()), (USER, USER));
        let (keeper, _container) = self.keeper(folder).await;
        let (_, series) = keeper.own(Method::GET, "/series?metric=ping&step=1h", None).await;
        assert!(series.to_string().contains("12.5"), "{series:#}");
    }

    /// Echoes, without any privilege.
    async fn pings(&self) {
        let mut ping = ours("ping");
        ping.args(["--dry-run", "--interval", "10ms", "--target-host", "127.0.0.1"]);
        let output = self.output(&mut ping, &Place::default()).await;
        let reading = &output["readings"][0];
        assert_eq!((&reading["method"], &reading["loss"]), (&json!("icmp"), &json!(0.0)), "{output:#}");
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A folder that the image's user may read.
fn readable(folder: &tempfile::TempDir) -> &std::path::Path {
    std::os::unix::fs::chown(folder.path(), Some(USER), Some(USER)).expect("root may give it away");
    folder.path()
}

#[tokio::test]
async fn a_program_has_no_privilege_at_all() {
    let Some(pod) = Pod::native("image-privileges").await else { return };
    let (_process, container) = pod.beacon(&Key::new([1; 32]).expose(), &folder()).await;
    let word = container.kernels_word().await;
    let of = |field: &str| {
        let line = word.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_else(|| panic!("{field}: {word}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (field, expected) in [
        ("Uid:", format!("{USER} {USER} {USER} {USER}")),
        ("Gid:", format!("{USER} {USER} {USER} {USER}")),
        ("CapBnd:", "0".repeat(16)),
        ("CapEff:", "0".repeat(16)),
        ("NoNewPrivs:", "1".into()),
        // Filtered: the runtime's default.
        ("Seccomp:", "2".into()),
    ] {
        assert_eq!(of(field), expected, "{field}");
    }
}

#[tokio::test]
async fn the_beacon_proves_itself_with_a_key_from_a_file() {
    let Some(pod) = Pod::native("image-beacon").await else { return };
    pod.proves().await;
}

#[tokio::test]
async fn the_keeper_keeps_its_readings_on_a_volume() {
    let Some(pod) = Pod::native("image-keeper").await else { return };
    pod.keeps().await;
}

/// A pod without the volume gets an error, and does not lose its readings silently.
#[tokio::test]
async fn the_keeper_says_where_it_cannot_write() {
    let Some(pod) = Pod::native("image-no-volume").await else { return };
    let mut keeper = ours("keeper");
    keeper.env("KEEPER_TOKEN", TOKEN).env("DATABASE_URL", "sqlite:/data/keeper.db");
    let ended = pod.run(&keeper, &Place::default()).await;
    assert_ne!(ended.code, Some(0));
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains("/data"), "{ended:#?}");
}

#[tokio::test]
async fn ping_needs_nothing_but_the_sysctl() {
    let Some(pod) = Pod::native("image-ping").await else { return };
    pod.pings().await;
    let mut ping = ours("ping");
    ping.args(["--dry-run", "--method", "icmp", "--interval", "10ms", "--target-host", "127.0.0.1"]);
    let output = pod.output(&mut ping, &Place::default().that_may_not_ping()).await;
    assert!(output["readings"][0]["failure"].to_string().contains("net.ipv4.ping_group_range"), "{output:#}");
}

#[tokio::test]
async fn names_are_resolved_where_the_pod_says() {
    let Some(pod) = Pod::native("image-names").await else { return };
    let _names = pod.namespace.name_server().await;
    let folder = folder();
    let resolv = file(folder.path(), "resolv.conf", "nameserver 127.0.0.53\n");
    let place = Place::default().reads(resolv, "/etc/resolv.conf");
    for (name, failure) in [("home.example", None), ("nx.example", Some("nx.example"))] {
        let mut ping = ours("ping");
        ping.args(["--dry-run", "--interval", "10ms", "--target-host", name]);
        let output = pod.output(&mut ping, &place).await;
        let reading = &output["readings"][0];
        match failure {
            None => assert_eq!(reading["method"], "icmp", "{output:#}"),
            Some(word) => assert!(reading["failure"].to_string().contains(word), "{output:#}"),
        }
    }
}

/// A reading that took TLS, and so a list of authorities, which is in the image where programs search for it.
#[tokio::test]
async fn bandwidth_trusts_the_authorities_in_the_bundle() {
    let Some(pod) = Pod::native("image-bandwidth").await else { return };
    let (fast, (keeper, _container)) = (Fast::with_tls(&[]).await, pod.keeper(folder()).await);
    let folder = folder();
    let bundle = file(folder.path(), "ca.pem", fast.web.certificate.as_ref().expect("it speaks TLS"));
    let trusting = Place::default().reads(bundle, "/etc/ssl/certs/ca-certificates.crt");
    for (place, trusts) in [(trusting, true), (Place::default(), false)] {
        let mut bandwidth = ours("bandwidth");
        bandwidth.args(["--source", "fast", "--max-seconds", "3s"]).env("FAST_URL", fast.url());
        bandwidth.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
        let output = pod.output(&mut bandwidth, &place).await;
        let readings = output["readings"].as_array().expect("readings");
        let measured = readings.iter().find(|reading| reading["metric"] == "bandwidth").expect("a reading");
        assert_eq!(measured["value"].as_f64().is_some_and(|value| value > 0.0), trusts, "{output:#}");
        // Without any list at all it would be another failure.
        assert_eq!(output.to_string().contains("certificate"), !trusts, "{output:#}");
    }
}

#[tokio::test]
async fn dns_sends_duckdns_the_address() {
    let Some(pod) = Pod::native("image-dns").await else { return };
    let home = [81, 2, 69, 142];
    let duckdns = Duckdns::open(Some(home.into())).await;
    let server = || NameServer::open(&duckdns.zone, name_server::Manner::Live);
    let servers = [server().await, server().await];
    let source = || Source::open(address_source::Manner::Bare(IpAddr::from(home)));
    let sources = [source().await, source().await];
    let (keeper, _container) = pod.keeper(folder()).await;
    let folder = folder();
    file(folder.path(), "token", duckdns::TOKEN);
    let mut dns = ours("dns");
    dns.env("DOMAIN", "home").env("TOKEN_FILE", format!("{SECRETS}/token")).env("DUCKDNS_URL", duckdns.url());
    dns.env("ADDRESS_SOURCES", sources.each_ref().map(Source::url).join(","));
    dns.env("PUBLIC_DNS", servers.each_ref().map(|server| server.address.to_string()).join(","));
    dns.env("JITTER", "0s").env("DEADLINE", "20s").env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    let output = pod.output(&mut dns, &Place::default().reads(readable(&folder), SECRETS)).await;
    assert_eq!(output["readings"][0]["metric"], "dns", "{output:#}");
    assert!(output["readings"][0]["failure"].is_null(), "{output:#}");
    assert_eq!(duckdns.zone.get("home").expect("the name is there").ipv4, Some(home.into()));
}

#[tokio::test]
async fn the_tool_makes_keys_for_who_has_no_other() {
    let Some(pod) = Pod::native("image-tool").await else { return };
    let mut keygen = ours("porchlight");
    keygen.arg("keygen");
    let ended = pod.run(&keygen, &Place::default()).await;
    assert_eq!((ended.code, ended.stdout.trim().len()), (Some(0), 43), "{ended:#?}");
}

/// What a Raspberry Pi gets.
#[tokio::test]
async fn on_arm64_each_program_does_its_work() {
    let Some(pod) = Pod::arm64("image-arm64").await else { return };
    for program in ["beacon", "keeper", "ping", "bandwidth", "dns", "checks", "heartbeat", "node-metrics", "porchlight"]
    {
        let mut version = ours(program);
        version.arg("--version");
        let ended = pod.run(&version, &Place::default()).await;
        let expected = format!("{program} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!((ended.code, ended.stdout), (Some(0), expected), "{}", ended.stderr);
    }
    pod.proves().await;
    pod.keeps().await;
    pod.pings().await;
}
