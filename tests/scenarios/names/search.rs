//! Which names are asked for where a host is meant.

use serde_json::Value;
use tests::process::ours;

use super::world::World;

/// A pod's, as Kubernetes writes it.
const POD: &str =
    "search home.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.0.0.53\noptions ndots:5\n";

#[tokio::test]
async fn a_keeper_in_the_cluster_is_found_by_the_search_list() {
    let Some(world) = World::new("pod").await else { return };
    world.namespace.resolv_conf(POD);
    let names = world.namespace.scripted_names_with("127.0.0.53", "only=svc.cluster.local").await;
    for host in ["keeper", "keeper.monitoring", "keeper.monitoring.svc.cluster.local"] {
        world.reaches(host).await;
    }
    // A final dot says that the name is complete.
    let (ended, _) = world.ask_keeper("keeper.monitoring.").await;
    assert!(ended.stderr.contains("keeper.monitoring. does not exist (NXDOMAIN)"), "{ended:?}");
    drop(names);
}

#[tokio::test]
async fn only_the_answer_that_a_name_does_not_exist_leads_to_the_search_list() {
    let Some(world) = World::new("nosearch").await else { return };
    world.namespace.resolv_conf("search lan\nnameserver 127.0.0.53\n");
    // Below the domain of the search list the keeper would be found.
    for manner in ["only=lan/2", "only=lan/5", "only=lan/0"] {
        let names = world.namespace.scripted_names_with("127.0.0.53", manner).await;
        world.reaches("keeper.lan").await;
        let (ended, _) = world.ask_keeper("keeper.example").await;
        assert!(!ended.stdout.contains("no reading") && ended.stderr.contains("keeper.example"), "{manner}: {ended:?}");
        names.terminate().await;
    }
}

#[tokio::test]
async fn a_failing_server_keeps_no_other_one_from_the_search() {
    let Some(world) = World::new("halfsearch").await else { return };
    let search = POD.lines().next().expect("a search list");
    let _well = world.namespace.scripted_names_with("127.0.0.53", "only=keeper.monitoring.svc.cluster.local").await;
    for servers in [["127.0.0.61", "127.0.0.53"], ["127.0.0.53", "127.0.0.61"]] {
        world.namespace.resolv_conf(&format!("{search}\nnameserver {}\nnameserver {}\n", servers[0], servers[1]));
        for code in [2, 5] {
            let failing = world.namespace.scripted_names_with("127.0.0.61", &format!("code={code}")).await;
            world.reaches("keeper.monitoring").await;
            assert_eq!(failing.lines().iter().filter(|line| *line == "asked").count(), 2, "once for each family");
            failing.terminate().await;
        }
    }
    // What no other server knows may be known to the failing one.
    let _failing = world.namespace.scripted_names_with("127.0.0.61", "code=2").await;
    let (ended, _) = world.ask_keeper("nobody.example").await;
    assert!(ended.stderr.contains("the name service could not find out about nobody.example"), "{ended:?}");
}

#[tokio::test]
async fn servers_that_are_gone_do_not_use_up_the_time_of_a_search() {
    let Some(world) = World::new("gonesearch").await else { return };
    let search = POD.lines().next().expect("a search list");
    world
        .namespace
        .resolv_conf(&format!("{search}\nnameserver 127.0.0.61\nnameserver 127.0.0.62\nnameserver 127.0.0.53\n"));
    let mut servers = vec![world.namespace.scripted_names_with("127.0.0.53", "only=svc.cluster.local").await];
    for silent in ["127.0.0.61", "127.0.0.62"] {
        servers.push(world.namespace.scripted_names_with(silent, "silent").await);
    }
    world.reaches("keeper.monitoring").await;
}

/// A router whose line is cut denies all names of the world, and has a domain in which every name exists.
#[tokio::test]
async fn a_wildcard_domain_takes_no_public_names_place_while_the_line_is_cut() {
    let Some(world) = World::new("wildcard").await else { return };
    world.namespace.resolv_conf("search lan\nnameserver 127.0.0.53\n");
    let _names = world.namespace.scripted_names_with("127.0.0.53", "only=lan").await;
    let mut ping = ours("ping");
    ping.args(["--json", "--interval", "10ms", "--dry-run", "--target-host", "example.com"]);
    let (ended, _) = world.run(&ping).await;
    let output: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    let ping = &output["readings"][0];
    assert!(
        ping["value"].is_null() && ping["failure"].as_str().is_some_and(|why| why.contains("example.com")),
        "{output:#}"
    );
    // A token for statuspage.io is not given to a machine at home either.
    let mut keeper = ours("ping");
    keeper.args(["--interval", "10ms", "--deadline", "15s", "--target-host", "127.0.0.1"]);
    keeper.env("PAGE_ID", "gytm4qzbx9t6").env("METRIC_ID", "aaaaaaaaaaa1").env("TOKEN", "0123456789abcdef");
    keeper.env("STATUSPAGE_URL", "http://api.statuspage.io:8030/v1");
    let (ended, _) = world.run(&keeper).await;
    assert!(ended.stderr.contains("api.statuspage.io does not exist"), "{ended:?}");
    // A machine at home is found.
    world.reaches("keeper").await;
}

#[tokio::test]
async fn localhost_needs_no_name_server_and_mdns_is_said_not_to_be_asked() {
    let Some(world) = World::new("noservers").await else { return };
    world.namespace.resolv_conf("");
    world.reaches("localhost").await;
    let (ended, took) = world.ask_keeper("keeper.example").await;
    assert!(ended.stderr.contains("/etc/resolv.conf is missing, or names none"), "{ended:?}");
    assert!(took.as_secs() < 15, "{took:?}");
    world.namespace.resolv_conf("nameserver 127.0.0.53\n");
    let _names = world.namespace.scripted_names_with("127.0.0.53", "code=3").await;
    let (ended, _) = world.ask_keeper("raspberrypi.local").await;
    assert!(ended.stderr.contains("mDNS, which is not asked"), "{ended:?}");
}
