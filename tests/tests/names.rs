//! Names and packets, in a network namespace with a scripted name server and packet filter: a name that does not exist
//! is told from a name service in trouble, and a dropped packet from a refused one.

use std::time::{Duration, Instant};

use tests::{
    keeper::Keeper,
    namespace::Namespace,
    prober::{Run, probe_with, prober_command},
    process::Process,
    skip::skip,
};

/// A keeper and a beacon inside a namespace. The page can only be looked at from inside, by a prober.
struct Inside {
    namespace: Namespace,
    keeper: Process,
    beacon: Process,
    _names: Process,
    folder: tempfile::TempDir,
}

impl Inside {
    async fn new(test: &str) -> Option<Self> {
        let Some(namespace) = Namespace::new(test).await else {
            skip(test, "a network namespace takes root, ip and nft");
            return None;
        };
        let names = namespace.name_server().await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut keeper = tests::keeper::keeper_command(folder.path());
        keeper.env("KEEPER_ADDR", "127.0.0.1:8030");
        let mut beacon = tests::process::ours("beacon");
        beacon.env("PUBLIC_ADDR", "127.0.0.1:8080").env("PRIVATE_ADDR", "127.0.0.1:9090");
        let mut keeper = Process::start(namespace.inside(&keeper));
        let mut beacon = Process::start(namespace.inside(&beacon));
        keeper.told("listening").await;
        beacon.told("listening").await;
        Some(Self { namespace, keeper, beacon, _names: names, folder })
    }

    async fn probe(&self, host: &str) -> Run {
        let command = prober_command(&format!("http://{host}:8080/"), "http://127.0.0.1:8030/v1");
        probe_with(self.namespace.inside(&command)).await
    }

    /// Probes a name and sees what is concluded, and what the page says before and should say afterwards.
    async fn comes_to(&self, host: &str, verdict: &str, cause: &str, outcome: &str) {
        let run = self.probe(host).await;
        let target = &run.target;
        let seen = [&target["verdict"], &target["cause"], &target["outcome"]].map(|value| value.as_str());
        assert_eq!(seen, [Some(verdict), Some(cause), Some(outcome)], "{:#}", run.report);
        assert_eq!(run.code, Some(0));
    }

    /// What is left on the page, seen by whoever opens the keeper's files afterwards.
    async fn page_says(self) -> String {
        let Self { namespace, keeper, beacon, _names, folder } = self;
        keeper.terminate().await;
        beacon.terminate().await;
        drop(namespace);
        Keeper::restart(folder).await.status().await
    }
}

#[tokio::test]
async fn a_name_that_resolves_is_probed() {
    let Some(inside) = Inside::new("resolves").await else { return };
    let run = inside.probe("home.example.test").await;
    assert_eq!(run.target["verdict"], "up", "{:#}", run.report);
    assert!(run.target["attempts"][0]["resolve_ms"].is_number());
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_down() {
    let Some(inside) = Inside::new("nx").await else { return };
    inside.comes_to("nx.example.test", "down", "name", "changed").await;
    assert_eq!(inside.page_says().await, "major_outage");
}

#[tokio::test]
async fn trouble_of_the_name_service_changes_nothing() {
    let Some(inside) = Inside::new("trouble").await else { return };
    for host in ["servfail.example.test", "silent.example.test", "empty.example.test"] {
        inside.comes_to(host, "unknown", "name_service", "unknown").await;
    }
    assert_eq!(inside.page_says().await, "operational");
}

#[tokio::test]
async fn trouble_with_one_family_does_not_hide_a_home_that_answers_over_the_other() {
    let Some(inside) = Inside::new("half").await else { return };
    let run = inside.probe("half.example.test").await;
    assert_eq!(run.target["verdict"], "up", "{:#}", run.report);
}

#[tokio::test]
async fn a_name_service_that_is_gone_changes_nothing() {
    let Some(inside) = Inside::new("gone").await else { return };
    inside.namespace.run(&["nft", "add", "table", "inet", "t"]).await;
    inside.namespace.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
    inside.namespace.run(&["nft", "add", "rule", "inet", "t", "in", "udp", "dport", "53", "reject"]).await;
    inside.comes_to("home.example.test", "unknown", "name_service", "unknown").await;
    assert_eq!(inside.page_says().await, "operational");
}

#[tokio::test]
async fn a_machine_without_a_network_is_blind_and_changes_nothing() {
    let Some(inside) = Inside::new("noroute").await else { return };
    // There is nothing but loopback in here, so there is no route to anybody.
    for host in ["192.0.2.1", "[2001:db8::1]"] {
        inside.comes_to(host, "unknown", "blind", "unknown").await;
    }
    assert_eq!(inside.page_says().await, "operational");
}

#[tokio::test]
async fn a_run_ends_in_time_although_nobody_can_name_the_statuspage() {
    let Some(inside) = Inside::new("nopage").await else { return };
    let command = prober_command("http://home.example.test:8080/", "http://silent.example.test:8030/v1");
    let start = Instant::now();
    let run = probe_with(inside.namespace.inside(&command)).await;
    assert_eq!((run.code, run.report["published"].as_bool()), (Some(1), Some(false)), "{:#}", run.report);
    assert!(start.elapsed() < Duration::from_secs(52), "{:?}", start.elapsed());
}

/// Adds a rule for packets to the beacon's port and probes.
async fn filtered(test: &str, rule: &[&str], cause: &str) {
    let Some(inside) = Inside::new(test).await else { return };
    inside.namespace.run(&["nft", "add", "table", "inet", "t"]).await;
    inside.namespace.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
    let words = [&["nft", "add", "rule", "inet", "t", "in", "tcp", "dport", "8080"], rule].concat();
    inside.namespace.run(&words).await;
    inside.comes_to("home.example.test", "down", cause, "changed").await;
    assert_eq!(inside.page_says().await, "major_outage");
}

#[tokio::test]
async fn dropped_packets_are_unreachable() {
    filtered("drop", &["drop"], "unreachable").await;
}

#[tokio::test]
async fn a_rejecting_router_is_unreachable() {
    filtered("icmp", &["reject", "with", "icmp", "type", "host-unreachable"], "unreachable").await;
}

#[tokio::test]
async fn a_reset_to_the_first_packet_is_refused() {
    filtered("rst", &["reject", "with", "tcp", "reset"], "refused").await;
}

#[tokio::test]
async fn one_packet_lost_on_the_way_is_no_outage() {
    let Some(inside) = Inside::new("loss").await else { return };
    inside.namespace.run(&["nft", "add", "table", "inet", "t"]).await;
    inside.namespace.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
    // The first two packets to the port are lost, as on a bad line; the kernel sends them again after 1 s and 3 s.
    let lost = ["limit", "rate", "over", "1/hour", "burst", "1", "packets", "accept"];
    let words = [&["nft", "add", "rule", "inet", "t", "in", "tcp", "dport", "8080", "tcp", "flags", "syn"], &lost[..]];
    inside.namespace.run(&words.concat()).await;
    inside
        .namespace
        .run(&["nft", "add", "rule", "inet", "t", "in", "tcp", "dport", "8080", "tcp", "flags", "syn", "drop"])
        .await;
    let run = inside.probe("home.example.test").await;
    assert_eq!(run.target["verdict"], "up", "{:#}", run.report);
    let connect = run.target["attempts"][0]["exchanges"][0]["connect_ms"].as_f64().expect("a time");
    assert!(connect > 900.0, "the first packet was lost: {connect} ms");
}
