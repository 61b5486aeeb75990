//! A prober that is cut off, or has only one family, changes nothing.

use super::world::{WITNESS, WITNESS_V6, World};

#[tokio::test]
async fn a_prober_that_reaches_no_witness_is_blind() {
    let Some(world) = World::new("blind").await else { return };
    world.rule("tcp dport { 8080, 443 } drop").await;
    let run = world.is_unknown("home", "blind").await;
    let witnesses = run.target["attempts"][0]["witnesses"].as_array().expect("who was asked");
    assert!(!witnesses.is_empty() && witnesses.iter().all(|witness| witness["failure"] == "timeout"), "{witnesses:#?}");
}

#[tokio::test]
async fn witnesses_that_refuse_are_no_witnesses() {
    let Some(world) = World::new("refusing").await else { return };
    world.rule("tcp dport { 8080, 443 } reject with tcp reset").await;
    world.is_unknown("home", "blind").await;
}

#[tokio::test]
async fn a_machine_without_a_network_is_blind() {
    let Some(world) = World::new("noroute").await else { return };
    let mut command = world.command("home");
    // There is nothing but loopback in here, so there is no route to any other host.
    command.env("CANARY_URL", "http://203.0.113.1:8080/").env("WITNESSES", "203.0.113.2:443,nx.example.test:443");
    let run = world.run(&command).await;
    assert_eq!((run.target["cause"].as_str(), run.code), (Some("blind"), Some(0)), "{:#}", run.report);
}

#[tokio::test]
async fn any_one_witness_suffices_by_name_or_by_address() {
    let Some(world) = World::new("anyone").await else { return };
    world.rule("tcp dport 8080 drop").await;
    for witnesses in [format!("{WITNESS}:443,nx.example.test:443"), "203.0.113.2:443,witness.example.test:443".into()] {
        world.keeper.set_status("operational").await;
        let mut command = world.command("home");
        command.env("WITNESSES", witnesses);
        let run = world.run(&command).await;
        assert_eq!(run.target["cause"], "unreachable", "{:#}", run.report);
        assert_eq!(world.keeper.status().await, "major_outage");
    }
}

#[tokio::test]
async fn witnesses_are_asked_only_where_the_home_does_not_answer() {
    let Some(world) = World::new("unasked").await else { return };
    let run = world.comes_to("home", "up", "", "operational").await;
    assert_eq!(run.target["attempts"][0]["witnesses"], serde_json::json!([]));
}

#[tokio::test]
async fn a_home_of_a_family_that_the_prober_does_not_have_changes_nothing() {
    let Some(world) = World::new("v4only").await else { return };
    world.comes_to("six", "up", "", "operational").await;
    world.rule("tcp dport 8080 drop").await;
    world.comes_to("six", "down", "unreachable", "major_outage").await;
    world.rule(&format!("ip6 daddr {WITNESS_V6} drop")).await;
    world.is_unknown("six", "no_route").await;
    // What IPv4 shows counts all the same, but without IPv4 nothing does: it may be what works.
    world.comes_to("both", "down", "unreachable", "major_outage").await;
    world.namespace.run(&["nft", "flush", "chain", "inet", "t", "in"]).await;
    world.rule("tcp dport 8080 drop").await;
    world.rule(&format!("ip daddr {WITNESS} drop")).await;
    world.is_unknown("both", "no_route").await;
}

#[tokio::test]
async fn a_home_that_answers_over_one_of_two_families_is_up() {
    let Some(world) = World::new("onefamily").await else { return };
    world.rule("ip daddr 192.0.2.10 drop").await;
    let run = world.comes_to("both", "up", "", "operational").await;
    let took = run.report["duration_ms"].as_f64().expect("a time");
    assert!(took < 3_000.0, "the silent family is not waited for: {took} ms");
}
