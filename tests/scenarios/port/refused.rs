//! Routers that open nothing, and what cannot be asked for: one sentence each, and nothing half-made.

use std::time::{Duration, Instant};

use tests::{
    namespace::Namespace,
    process::{file, ours, own_address, run},
    router::Manner,
    skip::skip,
};
use tokio::net::UdpSocket;

use super::world::{World, asked};

/// The sentence, alone on stderr, with where there is more of it.
async fn sentence(world: &World, words: &str, code: i32) -> String {
    let ended = world.run(words).await;
    assert_eq!(ended.code, Some(code), "{words}: {}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("(more: infra/MESSAGES.md#"), "{}", ended.stderr);
    ended.stderr
}

#[tokio::test]
async fn a_router_that_refuses_opens_nothing_and_says_why_in_each_protocol() {
    let manner = Manner { forbids: true, ..Manner::GOOD };
    let world = World::new(manner).await;
    let said = sentence(&world, "open", 1).await;
    let reason = "it is not allowed: the router's settings forbid it";
    let all =
        format!("does not open the port (PCP: {reason}; NAT-PMP: {reason}; UPnP: {reason}): forward the port by hand");
    assert!(said.contains(&all), "{said}");
    assert_eq!((world.router.table().len(), world.record()), (0, serde_json::json!([])));
}

#[tokio::test]
async fn a_router_without_an_address_outside_says_so_whatever_its_code_for_that_is() {
    for manner in [Manner::GOOD, Manner::PCP, Manner::NAT_PMP, Manner::UPNP] {
        let world = World::new(Manner { outside: None, ..manner }).await;
        let said = sentence(&world, "open", 1).await;
        assert!(said.contains("it has no public address of its own, and opens nothing then"), "{said}");
        assert!(!said.contains("no room") && !said.contains("501"), "{said}");
        assert_eq!(world.record(), serde_json::json!([]));
    }
}

#[tokio::test]
async fn a_port_for_another_machine_is_asked_for_that_machine_and_never_for_this_one() {
    let world = World::new(Manner::GOOD).await;
    let said = sentence(&world, "open --to 192.168.1.8", 1).await;
    let words = "(NAT-PMP: it cannot open a port for another machine; PCP: it opens ports only for the machine that asks; \
                 UPnP: it opens ports only for the machine that asks)";
    assert!(said.contains(words), "{said}");
    assert_eq!((world.router.table().len(), asked(&world.router, "OPEN NAT-PMP")), (0, 0));
    // One that does it.
    world.router.turn(Manner { is_secure: false, ..Manner::GOOD });
    world.ends("open --to 192.168.1.8 --protocol upnp", 0).await;
    let table: Vec<_> = world.router.table().into_iter().map(|entry| (entry.external, entry.client)).collect();
    assert_eq!(table, [(30008, [192, 168, 1, 8].into())]);
    world.ends("close", 0).await;
    assert!(world.router.table().is_empty());
}

#[tokio::test]
async fn a_router_that_answers_a_web_page_is_told_apart_and_nothing_of_the_page_is_repeated() {
    let world = World::new(Manner { is_a_web_page: true, ..Manner::UPNP }).await;
    let began = Instant::now();
    let said = sentence(&world, "open", 1).await;
    assert!(said.contains("says that it speaks UPnP, but it answers something else than a router does"), "{said}");
    assert!(!said.contains("Password"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // A router that becomes one while something is open keeps it in the record.
    world.router.turn(Manner::UPNP);
    world.ends("open", 0).await;
    world.router.turn(Manner { is_a_web_page: true, ..Manner::UPNP });
    let said = world.ends("close", 1).await;
    assert!(said.contains("is not closed, because it answers something else"), "{said}");
    assert_eq!(world.record().as_array().map(Vec::len), Some(1));
    world.router.turn(Manner::UPNP);
    world.ends("close", 0).await;
    assert!(world.router.table().is_empty());
}

#[tokio::test]
async fn a_router_that_describes_itself_without_end_is_not_heard_to_its_end() {
    for manner in [Manner { is_long_winded: true, ..Manner::UPNP }, Manner { stalls: true, ..Manner::UPNP }] {
        let world = World::new(manner).await;
        let began = Instant::now();
        let said = sentence(&world, "open", 1).await;
        assert!(said.contains("says that it speaks UPnP, but it "), "{said}");
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_router_that_pretends_is_found_out() {
    let world = World::new(Manner { pretends: true, ..Manner::UPNP }).await;
    let said = sentence(&world, "open", 1).await;
    assert!(said.contains("UPnP: it says that the port is open, and does not have it in its list"), "{said}");
}

#[tokio::test]
async fn where_every_port_that_is_tried_is_taken_none_is_opened() {
    let world = World::new(Manner::UPNP).await;
    (30008..=30012).for_each(|port| world.router.give(port, [192, 168, 1, 9].into(), 443, "nas"));
    let said = sentence(&world, "open", 1).await;
    assert!(said.contains("has ports 30008 to 30012 for others: choose another port with --external"), "{said}");
    assert_eq!((asked(&world.router, "OPEN"), asked(&world.router, "CLOSE")), (0, 0));
}

#[tokio::test]
async fn a_router_that_speaks_nothing_is_known_within_seconds_whether_it_refuses_or_is_silent() {
    let world = World::new(Manner::DEAF).await;
    let said = sentence(&world, "open", 1).await;
    assert!(
        said.contains("answers neither PCP, NAT-PMP nor UPnP: switch on UPnP, NAT-PMP or PCP in its settings"),
        "{said}"
    );
    // One that drops what it is asked.
    let address = own_address();
    let _silent = [UdpSocket::bind((address, 5351)).await, UdpSocket::bind((address, 1900)).await];
    let began = Instant::now();
    let said = sentence(&world, &format!("open --router {address}"), 1).await;
    assert!(said.contains(&format!("the router {address} answers neither")), "{said}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_any_network_it_says_so_at_once() {
    let Some(nowhere) = Namespace::new("port-nowhere").await else {
        return skip("without_any_network_it_says_so_at_once", "it takes root, ip and nft");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (words, said) in [
        (
            &["open"][..],
            "this machine has no way out over IPv4: connect this machine to its network, or name the router",
        ),
        (&["status"], "this machine has no way out over IPv4"),
        (&["open", "--ip-version", "6"], "this machine has no way out over IPv6"),
        (&["open", "--router", "192.168.1.1"], "there is no way to the router 192.168.1.1 (network unreachable)"),
    ] {
        let mut command = ours("porchlight");
        command.arg("port").args(words).env("STATE_DIR", folder.path());
        let ended = run(nowhere.inside(&command), Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(1), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
    }
}

#[tokio::test]
async fn settings_and_files_that_cannot_be_are_named() {
    let world = World::new(Manner::DEAF).await;
    for (words, said) in [
        ("open --external 0", "--external"),
        ("open --external 70000", "--external"),
        ("open --lease 3s", "a lease is 2m to 168h (a week)"),
        ("open --every 3h", "--every 10800s is no shorter than --lease 7200s"),
        ("open --router home", "--router"),
        ("open --to ::1", "PORT_TO is ::1, and IP_VERSION asks for the other family"),
        ("open --canary-url home.duckdns.org", "--canary-url"),
        ("opne", "was open meant?"),
    ] {
        let ended = world.run(words).await;
        assert_eq!(ended.code, Some(2), "{words}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(said) && ended.stderr.lines().count() == 1, "{words}: {}", ended.stderr);
    }
    file(world.folder.path(), "port.json", "{}");
    for words in ["open", "close", "status"] {
        let ended = world.run(words).await;
        assert_eq!(ended.code, Some(1), "{words}");
        assert!(ended.stderr.contains("port.json is not understood: repair it, or remove it"), "{}", ended.stderr);
    }
}
