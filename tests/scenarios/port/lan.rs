//! Beside a real router, Debian's miniupnpd, with a client in the world and the clients of others as witnesses.

use std::time::Duration;

use tests::{
    lan::{HOME, Lan, OUTSIDE, ROUTER},
    process::{Ended, Process, command, ours},
    skip::{program, skip},
};
use tokio::time::{Instant, sleep};

const URL: &str = "http://81.2.69.142:30008/";

async fn port(lan: &Lan, words: &str) -> Ended {
    let mut command = ours("porchlight");
    command.arg("port").args(words.split_whitespace()).env("STATE_DIR", lan.file("state"));
    command.env("ADDRESS_SOURCES", "http://127.0.0.1:9");
    lan.at_home(&command).await
}

/// The beacon, at home.
async fn beacon(lan: &Lan) -> Process {
    let mut beacon = Process::start(lan.home.inside(&ours("beacon")));
    beacon.wait_for_message("listening").await;
    beacon
}

/// Waits until the world gets an answer, or none.
async fn until_answered(lan: &Lan, answered: bool) {
    let end = Instant::now() + Duration::from_secs(15);
    while lan.from_the_world(URL).await.starts_with("porchlight") != answered {
        assert!(Instant::now() < end, "the world is to be answered: {answered}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_port_is_seen_from_the_world_by_each_protocol_and_gone_when_it_is_closed() {
    let Some(lan) = Lan::new("lan-each", OUTSIDE).await else { return };
    let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
    let _beacon = beacon(&lan).await;
    assert_eq!(lan.from_the_world(URL).await, "", "nothing is open yet");
    for protocol in ["pcp", "nat-pmp", "upnp"] {
        let ended = port(&lan, &format!("open --protocol {protocol}")).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        let place = format!("port 30008 of {ROUTER}, which leads to {HOME}:8080");
        assert!(ended.stdout.contains(&place), "{}", ended.stdout);
        assert_eq!(lan.from_the_world(URL).await, "porchlight\n", "{protocol}");
        let listed = lan.listed().await;
        assert!(listed.contains(&format!("TCP 30008->{HOME}:8080")), "{protocol}: {listed}");
        // The same once more, and what it shows.
        assert_eq!(port(&lan, &format!("open --protocol {protocol}")).await.code, Some(0));
        assert_eq!(port(&lan, "status").await.code, Some(0));
        let ended = port(&lan, "close").await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        assert_eq!(lan.from_the_world(URL).await, "", "{protocol}");
        assert!(!lan.listed().await.contains(" TCP "), "{protocol}");
    }
}

#[tokio::test]
async fn a_router_that_was_restarted_with_its_table_lost_gets_the_port_back() {
    let Some(lan) = Lan::new("lan-boot", OUTSIDE).await else { return };
    let _beacon = beacon(&lan).await;
    for protocol in ["pcp", "nat-pmp", "upnp"] {
        let router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
        let mut command = ours("porchlight");
        command.args(["port", "open", "--every", "2s", "--protocol", protocol]).env("STATE_DIR", lan.file("state"));
        command.env("ADDRESS_SOURCES", "http://127.0.0.1:9");
        let mut kept = Process::start(lan.home.inside(&command));
        kept.wait_for("open", |lines| lines.iter().any(|line| line.starts_with("open ")).then_some(())).await;
        until_answered(&lan, true).await;
        // So that the router has counted further than it will have after its restart, by more than the standard allows a clock.
        sleep(Duration::from_secs(8)).await;
        router.kill().await;
        for chain in ["miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"] {
            lan.router.run(&["nft", "flush", "chain", "inet", "filter", chain]).await;
        }
        until_answered(&lan, false).await;
        let router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
        let noticed = "the router had lost the port, as after a restart: it is open again";
        kept.wait_for_within(noticed, Duration::from_secs(40), |lines| {
            lines.iter().any(|line| line.contains(noticed)).then_some(())
        })
        .await;
        until_answered(&lan, true).await;
        assert!(kept.terminate().await.success());
        assert_eq!(port(&lan, "close").await.code, Some(0));
        until_answered(&lan, false).await;
        router.kill().await;
    }
}

#[tokio::test]
async fn a_machine_that_has_another_address_now_is_reached_again_and_what_was_opened_for_it_stays_open() {
    for protocol in ["pcp", "nat-pmp", "upnp"] {
        let Some(lan) = Lan::new(&format!("lan-{}", &protocol[..3]), OUTSIDE).await else { return };
        let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
        let _beacon = beacon(&lan).await;
        assert_eq!(port(&lan, &format!("open --protocol {protocol}")).await.code, Some(0));
        lan.home.run(&["ip", "address", "add", "192.168.50.8/24", "dev", "eth"]).await;
        lan.home.run(&["ip", "address", "del", &format!("{HOME}/24"), "dev", "eth"]).await;
        lan.home.run(&["ip", "address", "add", "192.168.50.8/24", "dev", "eth"]).await;
        lan.home.run(&["ip", "route", "replace", "default", "via", ROUTER]).await;
        let ended = port(&lan, &format!("open --protocol {protocol}")).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        let url =
            ended.stdout.lines().find_map(|line| line.strip_prefix("CANARY_URL=")).expect("an address").to_owned();
        assert_eq!(lan.from_the_world(&url).await, "porchlight\n", "{protocol}: {}", ended.stdout);
        let ended = port(&lan, "close").await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        // In secure mode nobody may close what was opened for another address.
        let left = "closes by itself in 7";
        assert!(ended.stdout.contains(left) && ended.stdout.contains("closed: port 30009"), "{}", ended.stdout);
        assert_eq!(lan.from_the_world(&url).await, "", "{protocol}");
    }
}

#[tokio::test]
async fn what_another_program_has_opened_is_neither_taken_nor_closed() {
    let Some(lan) = Lan::new("lan-other", OUTSIDE).await else { return };
    let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
    let ended = lan.upnpc(&["-e", "nas", "-a", HOME, "4430", "30008", "TCP", "3600"]).await;
    assert!(ended.stdout.contains("is redirected to internal"), "{}", ended.stdout);
    for protocol in ["upnp", "pcp", "nat-pmp"] {
        let ended = port(&lan, &format!("open --protocol {protocol}")).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("instead of 30008"), "{}", ended.stdout);
        assert_eq!(port(&lan, "close").await.code, Some(0));
        let listed = lan.listed().await;
        assert!(listed.contains(&format!("TCP 30008->{HOME}:4430  'nas'")), "{protocol}: {listed}");
        assert_eq!(listed.matches(" TCP ").count(), 1, "{protocol}: {listed}");
    }
}

#[tokio::test]
async fn a_router_behind_another_one_opens_nothing_and_says_which_address_it_has() {
    for (test, outside) in [("lan-nat2", "192.168.178.20"), ("lan-cgnat", "100.64.3.4")] {
        let Some(lan) = Lan::new(test, outside).await else { return };
        let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
        for protocol in ["pcp", "nat-pmp", "upnp"] {
            let ended = port(&lan, &format!("open --protocol {protocol}")).await;
            assert_eq!(ended.code, Some(1), "{outside}: {}", ended.stdout);
            let words = "it has no public address of its own, and opens nothing then";
            assert!(ended.stderr.contains(words), "{protocol}, {outside}: {}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn nothing_is_opened_for_another_machine() {
    let Some(lan) = Lan::new("lan-them", OUTSIDE).await else { return };
    let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
    let ended = port(&lan, "open --to 192.168.50.8").await;
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let words = "it opens ports only for the machine that asks";
    assert_eq!(ended.stderr.matches(words).count(), 2, "by PCP and UPnP: {}", ended.stderr);
    assert!(!lan.listed().await.contains(" TCP "));
}

#[tokio::test]
async fn natpmpc_sees_the_address_and_the_seconds_that_we_go_by() {
    let Some(lan) = Lan::new("lan-pmpc", OUTSIDE).await else { return };
    let Some(natpmpc) = program("natpmpc") else {
        return skip(
            "natpmpc_sees_the_address_and_the_seconds_that_we_go_by",
            "natpmpc is missing; tests/run installs it",
        );
    };
    let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=no").await;
    let ended = port(&lan, "open --protocol nat-pmp").await;
    assert!(ended.stdout.contains("81.2.69.142, as the router says"), "{}{}", ended.stdout, ended.stderr);
    let record = std::fs::read_to_string(lan.file("state").join("port.json")).expect("the record");
    let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let ours = record["opened"][0]["epoch"].as_u64().expect("seconds");
    let mut witness = command(natpmpc);
    witness.args(["-g", ROUTER]);
    let said = lan.at_home(&witness).await.stdout;
    assert!(said.contains("Public IP address : 81.2.69.142"), "{said}");
    let theirs = said.lines().find_map(|line| line.strip_prefix("epoch = ")?.parse::<u64>().ok()).expect("seconds");
    assert!((ours..ours + 20).contains(&theirs), "{ours}: {said}");
}
