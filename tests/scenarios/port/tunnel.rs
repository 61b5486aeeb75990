//! The `WireGuard` road of `infra/TUNNEL.md`, by its own files: a home behind a router that nobody gets through, a server with an
//! address in the world, and a prober that knows that one alone.

use std::{fs, time::Duration};

use tests::{
    beacon::Beacon,
    binaries::root,
    lan::{HOME, Lan, OUTSIDE},
    namespace::Namespace,
    noting_home::KEY,
    process::{Ended, Process, command, ours, run},
    skip::{program, skip, skip_allowed},
};

/// The server's address in the guide, and here.
const OF_THE_GUIDE: &str = "203.0.113.5";
const SERVER: &str = "81.2.69.1";

/// What stands in the guide in the block of that mark.
fn block(mark: &str) -> String {
    let guide = fs::read_to_string(root().join("infra/TUNNEL.md")).expect("a guide");
    let fence = format!("```{mark}\n");
    let (_, from) = guide.split_once(&fence).unwrap_or_else(|| panic!("the guide has a block `{mark}`"));
    from.split_once("\n```").expect("it is closed").0.replace(OF_THE_GUIDE, SERVER)
}

/// A key pair, as `wg` makes it.
async fn keys() -> (String, String) {
    let wg = program("wg").expect("it was there");
    let mut make = command(&wg);
    make.arg("genkey");
    let private = run(make, Duration::from_secs(10)).await.stdout.trim().to_owned();
    let mut shell = command("/bin/sh");
    shell.args(["-c", "printf %s \"$PRIVATE\" | wg pubkey"]).env("PRIVATE", &private);
    let public = run(shell, Duration::from_secs(10)).await.stdout.trim().to_owned();
    assert!(private.len() == 44 && public.len() == 44);
    (private, public)
}

/// An end of the tunnel: an interface by the guide's file, which `wg-quick` would take as it is.
async fn end(place: &Namespace, lan: &Lan, device: &str, file: &str) -> Process {
    let mut tunnel = command(program("boringtun-cli").expect("it was there"));
    tunnel.args(["--foreground", "--disable-drop-privileges", device]);
    let tunnel = Process::start(place.inside(&tunnel));
    let socket = format!("/var/run/wireguard/{device}.sock");
    let start = tokio::time::Instant::now();
    while !fs::exists(&socket).unwrap_or(false) {
        assert!(start.elapsed() < Duration::from_secs(20), "it begins: {:?}", tunnel.lines());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // `wg` itself does not know the interface's address.
    let address = file.lines().find_map(|line| line.strip_prefix("Address = ")).expect("an address");
    let plain: Vec<&str> = file.lines().filter(|line| !line.starts_with("Address")).collect();
    let path = lan.file(&format!("{device}.conf"));
    fs::write(&path, plain.join("\n")).expect("it can be written");
    place.run(&["wg", "setconf", device, &path.display().to_string()]).await;
    place.run(&["ip", "address", "add", address, "dev", device]).await;
    place.run(&["ip", "link", "set", device, "up"]).await;
    tunnel
}

async fn probe(client: &Namespace, url: &str) -> Ended {
    let mut probe = ours("porchlight");
    probe.args(["probe", url, "--attempts", "2", "--witnesses", "81.2.69.1:443,localhost:443"]);
    probe.env("BEACON_KEY", KEY.expose());
    run(client.inside(&probe), Duration::from_secs(60)).await
}

#[tokio::test]
async fn a_home_that_nobody_can_call_answers_through_a_server() {
    const TEST: &str = "a tunnel as the way in";
    if program("wg").is_none() {
        return skip(TEST, "wg is missing; tests/run installs it");
    }
    if program("boringtun-cli").is_none() {
        return skip_allowed(TEST, "boringtun-cli is missing: LONG=1 tests/run installs it");
    }
    let Some(lan) = Lan::new("tunnel", OUTSIDE).await else { return };
    let client = Namespace::new("tunnelclient").await.expect("one more can be made");
    let world = &lan.world;
    world.run(&["ip", "link", "add", "far", "type", "veth", "peer", "name", "eth", "netns", client.name()]).await;
    for (place, device, address) in [(world, "far", "198.51.100.1/24"), (&client, "eth", "198.51.100.2/24")] {
        place.run(&["ip", "address", "add", address, "dev", device]).await;
        place.run(&["ip", "link", "set", device, "up"]).await;
    }
    client.run(&["ip", "route", "add", "default", "via", "198.51.100.1"]).await;
    world.run(&["ip", "route", "add", "81.2.69.142/32", "dev", "eth"]).await;
    world.run(&["sysctl", "-qw", "net.ipv4.ip_forward=1"]).await;
    let witness = world.listen("0.0.0.0:443".parse().expect("an address"));
    tokio::spawn(async move { while witness.accept().await.is_ok() {} });
    client.host("localhost", SERVER);
    lan.home.enter();
    let beacon = Beacon::with_key("0.0.0.0:8080", &KEY.expose()).await;

    let ended = probe(&client, &format!("http://{OUTSIDE}:30008/")).await;
    assert!(ended.stdout.contains("down ("), "nobody gets to {HOME}: {ended:?}");

    let ((home_private, home_public), (server_private, server_public)) = (keys().await, keys().await);
    let filled = |text: String| {
        let text = text.replace("HOME_PRIVATE_KEY", &home_private).replace("HOME_PUBLIC_KEY", &home_public);
        text.replace("SERVER_PRIVATE_KEY", &server_private).replace("SERVER_PUBLIC_KEY", &server_public)
    };
    let rules = lan.file("tunnel.nft");
    fs::write(&rules, block("nft server")).expect("it can be written");
    world.run(&["nft", "-f", &rules.display().to_string()]).await;
    let device = |of: &str| format!("w{of}{}", std::process::id() % 100_000);
    let (at_server, at_home) = (device("s"), device("h"));
    let server = end(world, &lan, &at_server, &filled(block("ini server"))).await;
    let home = end(&lan.home, &lan, &at_home, &filled(block("ini home"))).await;

    let url = format!("http://{SERVER}:30008/");
    let start = tokio::time::Instant::now();
    let ended = loop {
        let ended = probe(&client, &url).await;
        // The keepalive is what opens the way, after up to 25 s.
        if ended.code == Some(0) || start.elapsed() > Duration::from_secs(60) {
            break ended;
        }
    };
    assert!(ended.stdout.contains(", proven (") && ended.stdout.contains("up: The home answers."), "{ended:?}");

    // The tunnel's program at home dies: for the world that is down, and the beacon is well.
    home.kill().await;
    let ended = probe(&client, &url).await;
    assert!(ended.stdout.contains("down ("), "{ended:?}");
    drop((server, beacon));
}
