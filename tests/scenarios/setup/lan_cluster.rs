//! A home by the chart behind a real router: the real kubectl brings its Secrets to what it needs of an API server, and a real
//! miniupnpd opens the port for the pod that the chart has.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};
use tests::{
    lan::{HOME, OUTSIDE, ROUTER},
    process::{Ended, Process, ours, run},
};
use tokio::time::{Instant, sleep};

use super::{
    cluster::Cluster,
    lan::{Behind, PATIENCE},
    world::steps,
};

const WORDS: [&str; 7] = ["setup", "--yes", "--home", "home", "--apply", "true", "--chart"];

/// The port of the node that the chart gives to the beacon.
const NODE_PORT: &str = "30008";

/// A `helm` before the scripted one: it ends the pod, as a cluster does once the release has gone.
const HELM: &str = r#"#!/bin/sh
case " $* " in *" uninstall porchlight "*) kill -TERM "$(cat "$CLUSTER/pod")" || exit 1 ;; esac
exec "${0%/*}/helm-of-releases" "$@"
"#;

/// A cluster on the machine at home.
struct Home {
    behind: Behind,
    cluster: Cluster,
}

impl Home {
    async fn begin() -> Option<Self> {
        let behind = Behind::begin("lan-kube").await?;
        let cluster = Cluster::of(&behind.world, "a home by the chart behind a real router").await?;
        let place = behind.world.place.path();
        let helm = place.join("bin/helm");
        fs::rename(&helm, place.join("bin/helm-of-releases"))
            .and_then(|()| fs::write(&helm, HELM))
            .and_then(|()| fs::set_permissions(&helm, fs::Permissions::from_mode(0o755)))
            .and_then(|()| fs::create_dir_all(place.join("cluster/ns")))
            .and_then(|()| fs::create_dir_all(place.join("chart")))
            .expect("ours");
        Some(Self { behind, cluster })
    }

    fn command(&self, words: &[&str]) -> tokio::process::Command {
        let mut command = self.behind.command(words);
        self.cluster.leads(&mut command);
        command
    }

    fn setup_command(&self) -> tokio::process::Command {
        let (zip, chart) =
            (self.behind.world.zip(), self.behind.world.place.path().join("chart").display().to_string());
        self.command(&[&WORDS[..], &[&chart, "--function", &zip]].concat())
    }

    async fn setup(&self) -> Ended {
        run(self.setup_command(), PATIENCE).await
    }

    /// What the chart's pod runs, as its template has it, by the values that were written.
    async fn pod(&self) -> Process {
        let values = fs::read_to_string(self.behind.world.folder().join("values.yaml")).expect("values");
        let said = format!("port: {{enabled: true, router: \"{ROUTER}\", external: {NODE_PORT}}}\n");
        assert!(values.contains(&said), "{values}");
        let lan = &self.behind.lan;
        let mut port = ours("porchlight");
        port.args(["port", "open", "--every", "2s", "--close-on-stop"]).env("PORT_TO", HOME).env("ROUTER", ROUTER);
        port.env("PORT_INTERNAL", NODE_PORT).env("PORT_EXTERNAL", NODE_PORT).env("PORT_PROTOCOL", "upnp");
        port.env("STATE_DIR", lan.file("pod")).env("ADDRESS_SOURCES", "http://127.0.0.1:9");
        let mut pod = Process::start(lan.home.inside(&port));
        pod.wait_for("open", |lines| lines.iter().any(|line| line.starts_with("open ")).then_some(())).await;
        fs::write(self.behind.world.place.path().join("cluster/pod"), pod.pid().to_string()).expect("ours");
        pod
    }

    /// Whether each of the Secrets is there.
    async fn has_secrets(&self) -> [bool; 3] {
        let mut there = [false; 3];
        for (name, there) in ["beacon-key", "duckdns", "statuspage"].into_iter().zip(&mut there) {
            *there = self.cluster.secret(name).await != Value::Null;
        }
        there
    }

    /// A run that is killed while its second Secret is on the way.
    async fn killed_between_two_secrets(&self) {
        self.cluster.holds("duckdns");
        let setup = Process::start(self.setup_command());
        let end = Instant::now() + PATIENCE;
        while !self.cluster.has_held() {
            assert!(Instant::now() < end, "{:#?}", setup.lines());
            sleep(std::time::Duration::from_millis(50)).await;
        }
        setup.kill().await;
        self.cluster.goes_on();
    }
}

#[tokio::test]
async fn a_home_by_the_chart_behind_a_real_router_is_brought_into_its_cluster_looked_at_and_taken_out_again() {
    let Some(mut home) = Home::begin().await else { return };
    // The port that is usual is somebody else's.
    let taken = home.behind.lan.upnpc(&["-e", "nas", "-a", HOME, "4430", NODE_PORT, "TCP", "3600"]).await;
    assert!(taken.stdout.contains("is redirected to internal"), "{}", taken.stdout);

    home.killed_between_two_secrets().await;
    assert_eq!(home.has_secrets().await, [true, false, false]);
    let first = home.setup().await;
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("brought duckdns, statuspage into the cluster pi"), "{}", first.stdout);
    assert!(first.stdout.contains("helm has installed porchlight"), "{}", first.stdout);
    assert_eq!(home.has_secrets().await, [true; 3]);
    let said = format!("the router {ROUTER} speaks PCP, NAT-PMP, UPnP; outside it is {OUTSIDE}");
    assert!(first.stdout.contains(&said) && !home.behind.lan.listed().await.contains(":30008 "), "{}", first.stdout);

    // What the chart runs.
    home.behind.starts_beacon("0.0.0.0:30008").await;
    let mut pod = home.pod().await;
    let second = home.setup().await;
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
    assert!(second.stdout.contains("it has opened port 30009 for the beacon"), "{}", second.stdout);
    assert_eq!(home.behind.canary().await, json!("http://home.duckdns.org:30009"));
    let done = steps(&second.stdout, "done");
    assert!(done.ends_with(&["the first look", "the schedule"]), "through the router, from the world: {done:?}");
    let values = fs::read_to_string(home.behind.world.folder().join("values.yaml")).expect("values");
    assert!(values.contains("external: 30009}"), "it asks for what it has: {values}");

    let (listed, calls) = (home.behind.lan.listed().await, changes(&home.cluster.calls()));
    let third = home.setup().await;
    assert_eq!(steps(&third.stdout, "done"), ["the first look"], "{}{}", third.stdout, third.stderr);
    assert_eq!(changes(&home.cluster.calls()), calls, "nothing in the cluster is touched");
    let entries = |listed: &str| listed.lines().filter(|line| line.contains(" TCP ")).count();
    assert_eq!((entries(&listed), entries(&home.behind.lan.listed().await)), (2, 2), "{listed}");

    assert_eq!(home.behind.lan.from_the_world("http://81.2.69.142:30009/").await, "porchlight\n");
    let ended = run(home.command(&["teardown"]), PATIENCE).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(pod.ended().await.success(), "{:#?}", pod.lines());
    assert_eq!(home.has_secrets().await, [false; 3]);
    let listed = home.behind.lan.listed().await;
    assert!(listed.contains("TCP 30008->") && entries(&listed) == 1, "that of another stays: {listed}");
    assert_eq!(home.behind.lan.from_the_world("http://81.2.69.142:30009/").await, "");
    assert!(home.behind.world.things().await.is_empty() && !home.behind.world.folder().exists());
    assert!(!home.behind.world.place.path().join("cluster/release").exists());
}

/// How many calls have changed something.
fn changes(calls: &str) -> usize {
    calls.lines().filter(|call| !call.starts_with("GET ")).count()
}
