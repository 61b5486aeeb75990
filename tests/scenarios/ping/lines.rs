//! Lines that answer nothing, lead nowhere, or may not be asked.

use serde_json::{Value, json};
use tests::{
    keeper::{Keeper, TOKEN},
    link::{FAR, FAR_V6, Link},
    namespace::Namespace,
    process::{Process, command},
    skip::{program, skip},
};

use crate::world::{allow_ping_sockets, dry, number, ping, reading, run_job};

#[tokio::test]
async fn a_dead_line_is_a_failed_reading_with_all_lost() {
    let Some(link) = Link::new("dead").await else { return skip("a_dead_line", "it takes root, ip and nft") };
    link.far.drop_arriving(&["icmp", "type", "echo-request"]).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut keeper = tests::keeper::keeper_command(folder.path());
    keeper.env("KEEPER_ADDR", "127.0.0.1:8030");
    let mut keeper = Process::start(link.near.inside(&keeper));
    keeper.wait_for_message("listening").await;
    let mut ours = ping(FAR);
    ours.env("KEEPER_URL", "http://127.0.0.1:8030").env("KEEPER_TOKEN", TOKEN);
    let lost = reading(link.near.inside(&ours)).await;
    assert_eq!((&lost["failure"], &lost["loss"]), (&json!("none of 5 answers came"), &json!(100.0)));
    assert_eq!(lost["value"], Value::Null);
    keeper.terminate().await;
    let keeper = Keeper::restart(folder).await;
    let (_, series) = keeper.own(reqwest::Method::GET, "/series?metric=ping", None).await;
    let bucket = &series["points"][0];
    assert_eq!((&bucket["failed"], &bucket["loss"], &bucket["value"]), (&json!(1), &json!(100.0), &Value::Null));
}

#[tokio::test]
async fn a_router_that_knows_no_way_is_no_answer() {
    let Some(link) = Link::new("noway").await else { return skip("a_router", "it takes root, ip and nft") };
    let beyond = [("-4", "198.51.100.0/24", "198.51.100.7", FAR), ("-6", "2001:db8:1::/48", "2001:db8:1::7", FAR_V6)];
    for (family, network, target, router) in beyond {
        link.near.run(&["ip", family, "route", "add", network, "via", router]).await;
        link.far.run(&["ip", family, "route", "add", "unreachable", network]).await;
        // Over a raw socket the router's word arrives; over a datagram socket the kernel keeps it.
        for method in ["icmp-raw", "icmp"] {
            if method == "icmp" {
                allow_ping_sockets(&link.near).await;
            }
            let lost = reading(link.near.inside(&dry(target))).await;
            assert_eq!((&lost["method"], &lost["loss"], &lost["value"]), (&json!(method), &json!(100.0), &Value::Null));
        }
        link.near.run(&["sysctl", "-qw", "net.ipv4.ping_group_range=1 0"]).await;
    }
}

/// Whatever the way to measure, a router's word is a lost packet, and what it said is kept.
#[tokio::test]
async fn a_router_that_says_why_is_understood_by_every_method_and_over_both_families() {
    let test = "a_router_that_says_why";
    let Some(link) = Link::new("says").await else { return skip(test, "it takes root, ip and nft") };
    for setting in [
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1",
        // It may say so at once and each time.
        "net.ipv4.icmp_ratelimit=0",
        "net.ipv6.icmp.ratelimit=0",
    ] {
        link.far.run(&["sysctl", "-qw", setting]).await;
    }
    let targets = [("-4", "198.51.100.0/24", "198.51.100.7", FAR), ("-6", "2001:db8:1::/48", "2001:db8:1::7", FAR_V6)];
    for (family, network, _, router) in targets {
        link.near.run(&["ip", family, "route", "add", network, "via", router]).await;
        // Back where it came from: the router reports a shorter way, too, which is no loss.
        link.far.run(&["ip", family, "route", "add", network, "dev", tests::link::CABLE]).await;
    }
    link.far.run(&["nft", "add", "table", "inet", "t"]).await;
    link.far.run(&["nft", "add", "chain", "inet", "t", "on", "{ type filter hook forward priority 0; }"]).await;
    for (said, words) in [
        ("admin-prohibited", "administratively prohibited"),
        ("no-route", "no route to that network"),
        ("host-unreachable", "that host cannot be reached"),
        ("port-unreachable", "that port cannot be reached"),
    ] {
        link.far.run(&["nft", "flush", "chain", "inet", "t", "on"]).await;
        link.far.run(&["nft", "add", "rule", "inet", "t", "on", "reject", "with", "icmpx", "type", said]).await;
        for (_, _, target, router) in targets {
            for method in ["icmp-raw", "icmp", "tcp"] {
                let groups = if method == "icmp" { "0 2147483647" } else { "1 0" };
                link.near.run(&["sysctl", "-qw", &format!("net.ipv4.ping_group_range={groups}")]).await;
                let mut ours = dry(target);
                ours.args(["--count", "2", "--method", if method == "tcp" { "tcp" } else { "icmp" }]);
                let lost = reading(link.near.inside(&ours)).await;
                let why = lost["failure"].as_str().unwrap_or_default();
                assert!(why.contains(&format!("{router} says: {words}")), "{said} {method}: {lost}");
                assert_eq!((&lost["loss"], lost["value"].is_null()), (&json!(100.0), true), "{said} {method}: {lost}");
                assert!(lost["method"].as_str().is_some_and(|used| used.starts_with(method)), "{said}: {lost}");
            }
        }
    }
}

#[tokio::test]
async fn what_this_machine_forbids_is_no_loss() {
    let test = "what_this_machine_forbids";
    let Some(link) = Link::new("forbids").await else { return skip(test, "it takes root, ip and nft") };
    link.near.run(&["nft", "add", "table", "inet", "t"]).await;
    link.near.run(&["nft", "add", "chain", "inet", "t", "out", "{ type filter hook output priority 0; }"]).await;
    link.near.run(&["nft", "add", "rule", "inet", "t", "out", "drop"]).await;
    let failed = reading(link.near.inside(&dry(FAR))).await;
    assert!(failed["failure"].as_str().is_some_and(|why| why.starts_with("nothing could be sent to")), "{failed}");
    assert_eq!(failed["loss"], Value::Null);
}

#[tokio::test]
async fn a_line_without_a_way_out_has_lost_everything() {
    let Some(namespace) = Namespace::new("nowayout").await else {
        return skip("a_line_without_a_way_out", "it takes root, ip and nft");
    };
    let lost = reading(namespace.inside(&dry(FAR))).await;
    assert_eq!(lost["loss"], 100.0);
    assert!(lost["failure"].as_str().expect("a failure").contains("Network is unreachable"), "{lost}");
}

#[tokio::test]
async fn who_may_not_ping_falls_back_and_says_how_it_measured() {
    let Some(link) = Link::new("fallback").await else { return skip("who_may_not_ping", "it takes root, ip and nft") };
    let Some(setpriv) = program("setpriv") else { return skip("who_may_not_ping", "setpriv is missing") };
    let unprivileged = |method: &str| {
        let ours = dry(FAR);
        let mut command = command(&setpriv);
        command.args([
            "--reuid",
            "65532",
            "--regid",
            "65532",
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
        ]);
        command.arg(ours.as_std().get_program()).args(ours.as_std().get_args()).args(["--method", method]);
        link.near.inside(&command)
    };
    // In a new namespace no user may ping; root may have a raw socket.
    assert_eq!(reading(link.near.inside(&dry(FAR))).await["method"], "icmp-raw");
    // The port at the far end is closed, and a refusal is an answer too.
    let fallen_back = reading(unprivileged("auto")).await;
    assert_eq!((&fallen_back["method"], &fallen_back["loss"]), (&json!("tcp:443"), &json!(0.0)));
    let refused = reading(unprivileged("icmp")).await;
    assert!(refused["failure"].as_str().expect("a failure").contains("ping_group_range"), "{refused}");
    allow_ping_sockets(&link.near).await;
    assert_eq!(reading(unprivileged("auto")).await["method"], "icmp");
    link.far.drop_arriving(&["tcp", "dport", "443"]).await;
    assert_eq!(reading(unprivileged("tcp")).await["loss"], 100.0);
}

#[tokio::test]
async fn a_name_is_resolved_once_and_its_time_kept_apart() {
    let Some(namespace) = Namespace::new("pingname").await else {
        return skip("a_name_is_resolved_once", "it takes root, ip and nft");
    };
    let _names = namespace.name_server().await;
    let (_, output) = run_job(namespace.inside(&dry("home.example.test,nx.example.test"))).await;
    let metrics = output["readings"].as_array().expect("readings").iter().map(|reading| reading["metric"].as_str());
    let expected = ["ping", "resolve", "ping:nx.example.test", "resolve:nx.example.test"];
    assert_eq!(metrics.flatten().collect::<Vec<_>>(), expected);
    assert!(number(&output["readings"][0]["value"]) < number(&output["readings"][1]["value"]) + 5.0, "{output}");
    let nameless = &output["readings"][2];
    assert!(nameless["failure"].as_str().expect("a failure").contains("does not exist (NXDOMAIN)"), "{nameless}");
    assert_eq!(nameless["loss"], Value::Null, "nothing was sent, so nothing was lost");
}
