//! Packets: dropped, refused and rejected ones are distinguished, and a share of lost ones is no outage.

use super::world::World;

/// Probes a home whose packets meet that rule.
async fn filtered(test: &str, rule: &str, cause: &str) {
    let Some(world) = World::new(test).await else { return };
    world.rule(&format!("tcp dport 8080 {rule}")).await;
    world.comes_to("home", "down", cause, "major_outage").await;
}

#[tokio::test]
async fn dropped_packets_are_unreachable() {
    filtered("drop", "drop", "unreachable").await;
}

#[tokio::test]
async fn a_router_that_knows_no_way_is_unreachable() {
    filtered("icmphost", "reject with icmp type host-unreachable", "unreachable").await;
}

#[tokio::test]
async fn a_router_that_forbids_is_unreachable() {
    filtered("icmpadmin", "reject with icmp type admin-prohibited", "unreachable").await;
}

#[tokio::test]
async fn a_router_that_knows_no_protocol_is_unreachable() {
    filtered("icmpproto", "reject with icmp type prot-unreachable", "unreachable").await;
}

#[tokio::test]
async fn a_router_that_rejects_ipv6_is_unreachable_however_it_says_so() {
    let Some(world) = World::new("icmpv6").await else { return };
    for answer in ["admin-prohibited", "addr-unreachable", "policy-fail", "reject-route", "no-route"] {
        world.namespace.run(&["nft", "flush", "chain", "inet", "t", "in"]).await;
        world.rule(&format!("tcp dport 8080 reject with icmpv6 type {answer}")).await;
        world.comes_to("six", "down", "unreachable", "major_outage").await;
    }
}

#[tokio::test]
async fn a_reset_to_the_first_packet_is_refused() {
    filtered("rst", "reject with tcp reset", "refused").await;
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let Some(world) = World::new("closed").await else { return };
    world.comes_to("gone", "down", "refused", "major_outage").await;
}

#[tokio::test]
async fn a_router_that_says_the_port_is_unreachable_is_reported_as_refused() {
    filtered("icmpport", "reject with icmp type port-unreachable", "refused").await;
}

#[tokio::test]
async fn a_third_of_all_packets_lost_is_no_outage() {
    let Some(world) = World::new("share").await else { return };
    // The same packets each time: of those to the home's port, the first and then every third.
    world.rule("tcp dport 8080 numgen inc mod 3 0 drop").await;
    world.comes_to("home", "up", "", "operational").await;
}

#[tokio::test]
async fn one_packet_lost_on_the_way_is_no_outage() {
    let Some(world) = World::new("loss").await else { return };
    world.rule("tcp dport 8080 tcp flags syn numgen inc mod 2 0 drop").await;
    let run = world.comes_to("home", "up", "", "operational").await;
    let connect = run.target["attempts"][0]["exchanges"][0]["connect_ms"].as_f64().expect("a time");
    assert!(connect > 900.0, "the kernel sends it again after 1 s: {connect} ms");
}

#[tokio::test]
async fn two_of_three_attempts_lost_is_no_outage() {
    let Some(world) = World::new("two").await else { return };
    // Each attempt sends its first packet up to three times within 4 s, so that these are gone with two attempts.
    world.rule("tcp dport 8080 tcp flags syn limit rate over 1/hour burst 6 packets accept").await;
    world.rule("tcp dport 8080 tcp flags syn drop").await;
    let run = world.comes_to("home", "up", "", "operational").await;
    assert_eq!(run.target["attempts"].as_array().map(Vec::len), Some(3), "{:#}", run.report);
}
