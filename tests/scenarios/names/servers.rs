//! Real name servers: what they answer is understood, over TCP too where it does not fit into a datagram.

use std::path::Path;

use serde_json::Value;
use tests::{
    process::{Process, command, file, ours},
    skip::{program, skip},
};

use super::world::World;

/// More addresses than 512 bytes hold.
const MANY: u8 = 60;

fn addresses() -> impl Iterator<Item = String> {
    (1..=MANY).map(|last| format!("192.0.2.{last}"))
}

/// The command of a server at that path, in a folder of its own.
type Server = fn(&Path, &Path) -> tokio::process::Command;

fn dnsmasq(program: &Path, _: &Path) -> tokio::process::Command {
    let mut server = command(program);
    server.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--log-facility=-",
        "--pid-file=",
    ]);
    server.args(["--listen-address=127.0.0.53", "--bind-interfaces", "--user=root", "--local=/example.test/"]);
    server.args(addresses().map(|address| format!("--host-record=many.example.test,{address}")));
    server.args(["--host-record=home.example.test,127.0.0.1", "--cname=alias.example.test,home.example.test"]);
    server
}

fn unbound(program: &Path, folder: &Path) -> tokio::process::Command {
    let records = addresses().map(|address| format!("  local-data: \"many.example.test. A {address}\"\n"));
    let config = format!(
        "server:\n  interface: 127.0.0.53\n  do-daemonize: no\n  username: \"\"\n  chroot: \"\"\n  directory: \"{}\"\n  \
         pidfile: \"\"\n  use-syslog: no\n  verbosity: 1\n  local-zone: \"example.test.\" static\n{}  local-data: \
         \"home.example.test. A 127.0.0.1\"\nremote-control:\n  control-enable: no\n",
        folder.display(),
        records.collect::<String>()
    );
    let mut server = command(program);
    server.args(["-d", "-c", &file(folder, "unbound.conf", &config)]);
    server
}

fn knot(program: &Path, folder: &Path) -> tokio::process::Command {
    let records = addresses().map(|address| format!("many A {address}")).collect::<Vec<_>>().join("\n") + "\n";
    let zone = format!(
        "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A 127.0.0.53\nhome A 127.0.0.1\nalias CNAME home\n{records}"
    );
    file(folder, "example.test.zone", &zone);
    let folder_name = folder.display();
    let config = format!(
        "server:\n  listen: 127.0.0.53@53\n  rundir: {folder_name}\n  user: root:root\ndatabase:\n  storage: {folder_name}\nlog:\n  - \
         target: stdout\n    any: info\nzone:\n  - domain: example.test\n    storage: {folder_name}\n"
    );
    let mut server = command(program);
    server.args(["-c", &file(folder, "knot.conf", &config)]);
    server
}

/// The address that `ping` finds for a name, and whether it found one.
async fn finds(world: &World, name: &str) -> Result<(), String> {
    let mut ping = ours("ping");
    ping.args(["--json", "--count", "1", "--interval", "10ms", "--dry-run", "--target-host", name]);
    let (ended, _) = world.run(&ping).await;
    let output: Value = serde_json::from_str(&ended.stdout).map_err(|_| format!("{ended:?}"))?;
    let readings = output["readings"].as_array().ok_or_else(|| output.to_string())?;
    let resolved = readings.iter().find(|reading| reading["metric"] == "resolve").ok_or_else(|| output.to_string())?;
    if resolved["value"].is_number() { Ok(()) } else { Err(resolved["failure"].to_string()) }
}

/// How many TCP connections to name servers were begun since it was last asked for.
async fn connections(world: &World) -> u32 {
    let mut nft = command(program("nft").expect("it was there"));
    nft.args(["reset", "counter", "inet", "t", "connections"]);
    let (ended, _) = world.run(&nft).await;
    let count = ended.stdout.split_once("packets ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    count.unwrap_or_else(|| panic!("a count: {ended:?}"))
}

#[tokio::test]
async fn a_link_local_server_is_asked_over_its_interface() {
    let Some(world) = World::new("linklocal").await else { return };
    // Two networks with the same prefix: the address alone does not say which of them is meant.
    for (interface, other, address) in [("one", "eno", "fe80::1/64"), ("two", "owt", "fe80::53/64")] {
        world.namespace.run(&["ip", "link", "add", interface, "type", "veth", "peer", "name", other]).await;
        for end in [interface, other] {
            world.namespace.run(&["ip", "link", "set", end, "up"]).await;
        }
        world.namespace.run(&["ip", "address", "add", address, "dev", interface, "nodad"]).await;
    }
    let server = world.namespace.scripted_names("fe80::53%two").await;
    world.namespace.resolv_conf("nameserver fe80::53%two\n");
    world.reaches("keeper.example").await;
    assert!(server.lines().iter().any(|line| line == "asked"), "{:?}", server.lines());
    world.namespace.resolv_conf("nameserver fe80::53%one\n");
    let (ended, _) = world.ask_keeper("keeper.example").await;
    assert!(ended.stderr.contains("about keeper.example"), "{ended:?}");
}

#[tokio::test]
async fn what_dnsmasq_unbound_and_knot_answer_is_understood() {
    let Some(world) = World::new("servers").await else { return };
    world.namespace.run(&["nft", "add", "table", "inet", "t"]).await;
    world.namespace.run(&["nft", "add", "counter", "inet", "t", "connections"]).await;
    world.namespace.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
    let begun = "add rule inet t in tcp dport 53 tcp flags & (syn | ack) == syn counter name connections";
    world.namespace.run(&["nft", begun]).await;
    let servers: [(&str, Server, &str); 3] = [
        ("dnsmasq", dnsmasq, "started, version"),
        ("unbound", unbound, "start of service"),
        ("knotd", knot, "server started"),
    ];
    for (name, server, ready) in servers {
        let Some(program) = program(name) else {
            skip(&format!("names of {name}"), "it is missing");
            continue;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut running = Process::start(world.namespace.inside(&server(&program, folder.path())));
        running.wait_for(ready, |lines| lines.iter().any(|line| line.contains(ready)).then_some(())).await;
        // dnsmasq sends as many addresses as fit, which is enough.
        for (known, expected) in [("home.example.test", 0), ("many.example.test", u32::from(name != "dnsmasq"))] {
            connections(&world).await;
            assert_eq!(finds(&world, known).await, Ok(()), "{name}");
            assert_eq!(connections(&world).await, expected, "{name}: connections over TCP to ask for {known}");
        }
        if name != "unbound" {
            assert_eq!(finds(&world, "alias.example.test").await, Ok(()), "{name}");
        }
        let unknown = finds(&world, "nobody.example.test").await.expect_err("it does not exist");
        assert!(unknown.contains("NXDOMAIN"), "{name}: {unknown}");
        running.terminate().await;
    }
}
