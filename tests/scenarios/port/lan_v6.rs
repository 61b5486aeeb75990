//! The same router's firewall over IPv6, where nothing is translated and a port is let through.

use std::time::Duration;

use tests::{
    lan::{HOME_V6, Lan, OUTSIDE},
    process::{Ended, Process, ours},
};

const URL: &str = "http://[2a02:8109:1:1::7]:8080/";

async fn port(lan: &Lan, words: &str) -> Ended {
    let mut command = ours("porchlight");
    command.arg("port").args(words.split_whitespace()).args(["--ip-version", "6"]);
    command.env("STATE_DIR", lan.file("state"));
    lan.at_home(&command).await
}

async fn beacon(lan: &Lan) -> Process {
    let mut beacon = Process::start(lan.home.inside(&ours("beacon")));
    beacon.wait_for_message("listening").await;
    beacon
}

#[tokio::test]
async fn the_firewall_lets_one_port_through_by_either_protocol_until_it_is_closed() {
    let Some(lan) = Lan::new("six-each", OUTSIDE).await else { return };
    let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
    let _beacon = beacon(&lan).await;
    assert_eq!(lan.from_the_world(URL).await, "", "nothing is let through yet");
    for protocol in ["pcp", "upnp"] {
        let ended = port(&lan, &format!("open --protocol {protocol}")).await;
        assert_eq!(ended.code, Some(0), "{protocol}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(&format!("port 8080 of {HOME_V6}, past fe80::1 (by ")), "{}", ended.stdout);
        assert!(ended.stdout.contains(&format!("CANARY_URL=http://[{HOME_V6}]:8080\n")), "{}", ended.stdout);
        assert_eq!(lan.from_the_world(URL).await, "porchlight\n", "{protocol}");
        let ended = port(&lan, "close").await;
        assert_eq!(ended.code, Some(0), "{protocol}: {}{}", ended.stdout, ended.stderr);
        assert_eq!(lan.from_the_world(URL).await, "", "{protocol}");
    }
}

#[tokio::test]
async fn what_was_renewed_is_kept_and_what_the_router_does_not_close_then_it_lets_end() {
    let Some(lan) = Lan::new("six-kept", OUTSIDE).await else { return };
    let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
    let _beacon = beacon(&lan).await;
    for (protocol, said) in
        [("upnp", "closed: port 8080"), ("pcp", "closes by itself in 120 s, and not sooner: port 8080")]
    {
        for _ in 0..2 {
            assert_eq!(port(&lan, &format!("open --protocol {protocol}")).await.code, Some(0));
            assert_eq!(lan.from_the_world(URL).await, "porchlight\n", "{protocol}");
        }
        let ended = port(&lan, "close").await;
        assert_eq!(ended.code, Some(0), "{protocol}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.starts_with(said), "{}", ended.stdout);
    }
    // To ask again would let it begin anew.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let ended = port(&lan, "close").await;
    assert!(ended.stdout.starts_with("closes by itself in 11"), "{}", ended.stdout);
}

#[tokio::test]
async fn what_was_let_through_and_whose_number_never_came_is_closed_all_the_same() {
    let Some(lan) = Lan::new("six-lost", OUTSIDE).await else { return };
    let _router = lan.miniupnpd("enable_natpmp=yes\nenable_upnp=yes").await;
    let _beacon = beacon(&lan).await;
    assert_eq!(port(&lan, "open --protocol upnp").await.code, Some(0));
    let record = lan.file("state").join("port.json");
    let mut noted: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&record).expect("the record")).expect("JSON");
    noted["opened"][0].as_object_mut().expect("an opening").remove("pinhole").expect("its number");
    std::fs::write(&record, noted.to_string()).expect("it can be written");
    let ended = port(&lan, "close").await;
    assert!(ended.stdout.starts_with("closed: "), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(lan.from_the_world(URL).await, "");
}

#[tokio::test]
async fn a_firewall_that_was_restarted_lets_it_through_again() {
    let Some(lan) = Lan::new("six-boot", OUTSIDE).await else { return };
    let router = lan.miniupnpd("enable_upnp=yes").await;
    let _beacon = beacon(&lan).await;
    let mut command = ours("porchlight");
    command.args(["port", "open", "--protocol", "upnp", "--every", "2s", "--ip-version", "6", "--close-on-stop"]);
    let mut kept = Process::start(lan.home.inside(command.env("STATE_DIR", lan.file("state"))));
    kept.wait_for("open", |lines| lines.iter().any(|line| line.starts_with("open ")).then_some(())).await;
    assert_eq!(lan.from_the_world(URL).await, "porchlight\n");
    router.kill().await;
    lan.router.run(&["nft", "flush", "chain", "inet", "filter", "miniupnpd"]).await;
    assert_eq!(lan.from_the_world(URL).await, "");
    let _router = lan.miniupnpd("enable_upnp=yes").await;
    let end = tokio::time::Instant::now() + Duration::from_secs(40);
    while lan.from_the_world(URL).await.is_empty() {
        assert!(tokio::time::Instant::now() < end, "{:#?}", kept.lines());
    }
    kept.signal(rustix::process::Signal::TERM);
    assert!(kept.ended().await.success());
    assert_eq!(lan.from_the_world(URL).await, "", "--close-on-stop: {:#?}", kept.lines());
}
