//! Networks in which a setup cannot do all: none at all, one of IPv6 alone, and one whose router shows a page to whoever asks.

use std::time::{Duration, Instant};

use tests::{
    namespace::Namespace,
    process::{own_address, run},
    router::{Manner, Router},
    skip::{program, skip},
};

use super::world::World;

const ALONE: [&str; 5] = ["setup", "--yes", "--without-aws", "--home", "home"];

/// A network of its own. `None`, and a skip, where that cannot be.
async fn network(name: &str) -> Option<Namespace> {
    let made = Namespace::new(name).await;
    if made.is_none() {
        skip(&format!("a setup in a network of {name}"), "it takes root, ip and nft; tests/run installs these");
    }
    made
}

#[tokio::test]
async fn without_any_network_each_step_says_so_in_a_sentence_and_nothing_is_made() {
    let Some(network) = network("nobody").await else { return };
    let Some(world) = World::begin("a setup without any network").await else { return };
    let zip = world.zip();
    for (words, said) in [
        (&ALONE[..], "failed  statuspage.io: "),
        (&["setup", "--yes", "--home", "home", "--function", &zip], "failed  AWS: aws does not get to AWS: "),
    ] {
        let mut command = world.command(words);
        // Page, DuckDNS and AWS as they are.
        for name in ["STATUSPAGE_URL", "DUCKDNS_URL", "AWS_ENDPOINT_URL"] {
            command.env_remove(name);
        }
        command.env("REAL_AWS", program("aws").expect("moto needs it")).env("AWS_MAX_ATTEMPTS", "1");
        let mut command = network.inside(&command);
        command.current_dir(world.place.path());
        let began = Instant::now();
        let ended = run(command, Duration::from_mins(3)).await;
        println!("{:.1} s: {}", began.elapsed().as_secs_f64(), ended.stdout.trim());
        assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
        let failed: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("failed")).collect();
        assert!(failed.len() == 1 && failed[0].contains(said), "{}{}", ended.stdout, ended.stderr);
        assert!(!world.folder().join("beacon.key").exists(), "nothing is made");
    }
}

#[tokio::test]
async fn a_home_of_ipv6_alone_is_explained_what_reaches_it() {
    let Some(network) = network("ipv6").await else { return };
    for words in [
        "link add eth type veth peer name other",
        "link set other up",
        "link set eth up",
        "-6 address add 2a02:8109:1:1::7/64 dev eth nodad",
        "-6 route add default via fe80::1 dev eth",
    ] {
        network.run(&[&["ip"][..], &words.split(' ').collect::<Vec<_>>()].concat()).await;
    }
    network.enter();
    let world = World::at_home().await.with_router();
    let ended = world.run(&ALONE).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let said = "skipped the way in: this machine has IPv6 alone, which a function of Lambda does not reach by itself";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
}

#[tokio::test]
async fn a_router_that_shows_a_page_to_whoever_asks_opens_nothing() {
    let world = World::at_home().await;
    let router = Router::at(own_address(), Manner { is_a_web_page: true, ..Manner::UPNP }).await;
    let address = router.address.to_string();
    let ended = world.run(&[&ALONE[..], &["--router", &address]].concat()).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let said =
        format!("skipped the way in: the router {address} opens no ports for who asks: forward the port by hand");
    assert!(ended.stdout.contains(&said), "{}", ended.stdout);
}

#[tokio::test]
async fn behind_another_router_or_a_providers_own_no_port_is_said_to_lead_home() {
    let world = World::at_home().await;
    let router = Router::at(own_address(), Manner::GOOD).await;
    let address = router.address.to_string();
    let words = [&ALONE[..], &["--runs-on", "systemd", "--router", &address]].concat();
    for (outside, said) in [
        ([192, 168, 178, 2], "the router has 192.168.178.2, a private address"),
        ([100, 64, 1, 2], "the router has 100.64.1.2, an address that a provider shares"),
    ] {
        router.turn(Manner { outside: Some(outside.into()), ..Manner::GOOD });
        let ended = world.run(&words).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        let line = ended.stdout.lines().find(|line| line.starts_with("skipped the way in: "));
        let is_reported = |line: &str| {
            line.contains(said)
                && line.contains("nothing that is forwarded gets here; have the home tell the cloud of itself")
        };
        assert!(line.is_some_and(is_reported), "{said}: {}", ended.stdout);
        assert!(!ended.stdout.contains("porchlight-port\n") && router.table().is_empty(), "{}", ended.stdout);
    }
}

/// Set up from the office, the name stays at home: the token is tried with the address that the name has. Nor is the port of the
/// office's own beacon the home's.
#[tokio::test]
async fn who_sits_elsewhere_does_not_lead_the_homes_name_there_or_take_the_port_of_there() {
    let Some(network) = network("office").await else { return };
    network.enter();
    let world = World::at_home().await;
    // Every name leads to 127.0.0.1 here, the home's as well.
    let _names = network.name_server().await;
    let router = Router::at(own_address(), Manner::UPNP).await;
    router.give(30009, std::net::Ipv4Addr::LOCALHOST.into(), 30008, "Porchlight");
    let address = router.address.to_string();
    let mut command = world.command(&[&ALONE[..], &["--router", &address]].concat());
    command.env("DUCKDNS_URL", format!("http://www.duckdns.org:{}", world.duckdns.address.port()));
    let mut command = network.inside(&command);
    command.current_dir(world.place.path());
    let ended = run(command, Duration::from_mins(1)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let said = "already DuckDNS: the token is right; home.duckdns.org is 127.0.0.1";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
    let calls = world.duckdns.calls();
    assert!(!calls.is_empty() && calls.iter().all(|call| call.contains("ip=127.0.0.1")), "{calls:?}");
    let record = std::fs::read_to_string(world.folder().join("setup.toml")).expect("a record");
    assert!(record.contains("\nport = 30008\n"), "{record}{}", ended.stdout);
}
