//! Ports: two homes on one machine, and the one that a router has given, whatever runs the home and however the router was asked.

use std::{fs, net::Ipv4Addr, os::unix::fs::PermissionsExt, time::Duration};

use tests::{
    process::{Ended, command, ours, own_address, run},
    router::{Manner, Router},
    skip::program,
};

use super::world::{World, steps};

const PATIENCE: Duration = Duration::from_mins(1);

/// A setting of a home in containers, or what it is where nothing is set.
fn set(world: &World, folder: &str, name: &str, usual: &str) -> String {
    let text = fs::read_to_string(world.place.path().join(folder).join(".env")).expect("settings");
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or(usual).to_owned()
}

/// The ports that Docker's own Compose publishes there; nothing where it is not installed.
async fn published(world: &World, folder: &str) -> Option<String> {
    let mut config = command(program("docker-compose")?);
    config.current_dir(world.place.path()).args(["-f", &format!("{folder}/compose.yaml"), "config"]);
    Some(run(config, PATIENCE).await.stdout)
}

#[tokio::test]
async fn two_homes_in_containers_on_one_machine_publish_ports_of_their_own() {
    let world = World::at_home().await;
    let home = async |folder: &str, home: &str, more: &[&str]| {
        let words = ["setup", "--yes", "--without-aws", "--runs-on", "compose", "--folder", folder, "--home", home];
        world.run(&[&words[..], more].concat()).await
    };
    let first = home("first", "home", &[]).await;
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    let second = home("second", "away", &[]).await;
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
    let of = |folder: &str| (set(&world, folder, "BEACON_PORT", "30008"), set(&world, folder, "PAGE_PORT", "8030"));
    let ((beacon, page), (other, other_page)) = (of("first"), of("second"));
    assert!(beacon != other && page != other_page, "{beacon} {other} {page} {other_page}");
    let said = format!("on this machine the beacon has port {other}, and the page {other_page}");
    assert!(steps(&second.stdout, "done").contains(&"the ports") && second.stdout.contains(&said), "{}", second.stdout);
    // The router leads two ports to two beacons.
    let record = fs::read_to_string(world.place.path().join("second/setup.toml")).expect("a record");
    assert!(record.contains(&format!("\nport = {other}\n")), "{record}");
    if let Some(config) = published(&world, "second").await {
        for port in [&other, &other_page] {
            assert!(config.contains(&format!("published: \"{port}\"")), "{port}: {config}");
        }
    }
    let again = home("second", "away", &[]).await;
    assert!(steps(&again.stdout, "done").is_empty() && again.stdout.contains(&said), "{}", again.stdout);
    let named = home("second", "away", &["--beacon-port", "31000", "--port", "31008"]).await;
    assert!(
        named.stdout.contains("# The router's port 31008 is to lead to port 31000 of this machine."),
        "{}",
        named.stdout
    );
    assert_eq!(of("second"), ("31000".to_owned(), other_page));
    let wrong = home("second", "away", &["--beacon-port", "9000", "--page-port", "9000"]).await;
    assert!(wrong.code == Some(1) && wrong.stdout.contains("beacon and page cannot have one port"), "{}", wrong.stdout);
}

/// A setup at that router, which has opened a port for the home.
async fn setup(world: &World, router: &Router, runs_on: &str, more: &[&str]) -> Ended {
    let address = router.address.to_string();
    let words = ["setup", "--yes", "--without-aws", "--home", "home", "--router", &address, "--runs-on", runs_on];
    let mut command = world.command(&[&words[..], more].concat());
    command.env("STATE_DIR", world.place.path().join("state"));
    run(command, PATIENCE).await
}

/// What a setup has noted as the port of the world.
fn noted(world: &World) -> String {
    let record = fs::read_to_string(world.folder().join("setup.toml")).expect("a record");
    record.lines().find_map(|line| line.strip_prefix("port = ")).expect("a port").to_owned()
}

#[tokio::test]
async fn a_port_far_from_the_one_that_was_wanted_is_followed_where_this_machine_has_opened_it() {
    for (protocol, manner) in [("nat-pmp", Manner::NAT_PMP), ("pcp", Manner::PCP)] {
        let world = World::at_home().await;
        let router = Router::at(own_address(), manner).await;
        let first = setup(&world, &router, "systemd", &["--beacon-port", "8088"]).await;
        assert!(first.code == Some(0) && noted(&world) == "30008", "{}{}", first.stdout, first.stderr);
        assert!(first.stdout.contains("set_line port.env PORT_INTERNAL=8088\n"), "{}", first.stdout);
        for port in 30008..30040 {
            router.give(port, "192.168.1.9".parse().expect("an address"), 443, "nas");
        }
        let mut open = ours("porchlight");
        open.args(["port", "open", "--protocol", protocol, "--internal", "8088"]);
        open.env("ROUTER", router.address.to_string()).env("STATE_DIR", world.place.path().join("state"));
        open.env("ADDRESS_SOURCES", "http://127.0.0.1:9");
        let opened = run(open, PATIENCE).await;
        assert_eq!(opened.code, Some(0), "{protocol}: {}{}", opened.stdout, opened.stderr);
        let leads = router.leads_here();
        let [(external, 8088)] = leads[..] else { panic!("{protocol}: {leads:?}") };
        assert!(external > 30012, "it is none of those that are looked for: {external}");
        let second = setup(&world, &router, "systemd", &[]).await;
        assert_eq!(noted(&world), external.to_string(), "{protocol}: {}{}", second.stdout, second.stderr);
        assert!(
            second.stdout.contains(&format!("CANARY_URL=http://home.duckdns.org:{external}\n")),
            "{}",
            second.stdout
        );
    }
}

#[tokio::test]
async fn a_beacon_at_another_port_is_found_in_the_routers_list() {
    let world = World::at_home().await;
    let router = Router::at(own_address(), Manner::UPNP).await;
    router.give(30011, Ipv4Addr::LOCALHOST.into(), 30099, "Porchlight");
    let first = setup(&world, &router, "kubernetes", &[]).await;
    assert!(first.code == Some(0) && noted(&world) == "30008", "another's: {}{}", first.stdout, first.stderr);
    let second = setup(&world, &router, "kubernetes", &["--beacon-port", "30099"]).await;
    assert_eq!(noted(&world), "30011", "{}{}", second.stdout, second.stderr);
    let values = fs::read_to_string(world.folder().join("values.yaml")).expect("values");
    assert!(values.contains("service: {nodePort: 30099}\n") && values.contains("external: 30011}"), "{values}");
}

#[tokio::test]
async fn a_container_and_a_pod_say_which_port_they_were_given() {
    let keeps =
        |router: &Router| format!("[{{\"router\": \"{}\", \"opened\": {{\"external\": 41234}}}}]", router.address);
    for (runs_on, program, asked) in [
        (
            "compose",
            "docker",
            "compose -f porchlight-setup/compose.yaml exec -T port /usr/local/bin/porchlight port status --json",
        ),
        (
            "kubernetes",
            "kubectl",
            "--context pi --namespace porchlight exec deployment/porchlight-port -- /usr/local/bin/porchlight port status --json",
        ),
    ] {
        let world = World::at_home().await;
        // It shows nobody what it has opened.
        let router = Router::at(own_address(), Manner::PCP).await;
        let first = setup(&world, &router, runs_on, &["--apply", "true"]).await;
        assert!(first.code == Some(0) && noted(&world) == "30008", "{runs_on}: {}{}", first.stdout, first.stderr);
        let path = world.place.path().join("bin").join(program);
        let before = fs::read_to_string(&path).unwrap_or_else(|_| "#!/bin/sh\nexit 1\n".into());
        let says = format!("#!/bin/sh\nif [ \"$*\" = \"{asked}\" ]; then echo '{}'; exit; fi\n", keeps(&router));
        fs::write(&path, before.replacen("#!/bin/sh\n", &says, 1))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .expect("ours");
        let second = setup(&world, &router, runs_on, &[]).await;
        assert_eq!(noted(&world), "41234", "{runs_on}: {}{}", second.stdout, second.stderr);
        let file = if runs_on == "compose" { ".env" } else { "values.yaml" };
        let text = fs::read_to_string(world.folder().join(file)).expect("a file");
        assert!(text.contains("41234"), "{runs_on}: {text}");
    }
}
