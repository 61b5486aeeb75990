//! Connections to names of several addresses, over lines that lose packets.

use std::time::Duration;

use super::world::World;

/// A name server that knows `four.example` by four addresses, all of which lead to the keeper.
async fn four(world: &World) {
    world.namespace.resolv_conf("nameserver 127.0.0.53\n");
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    let mut hosts = "127.0.0.1 localhost\n".to_owned();
    for address in addresses {
        world.namespace.run(&["ip", "address", "add", &format!("{address}/32"), "dev", "lo"]).await;
        hosts.push_str(address);
        hosts.push_str(" four.example\n");
    }
    world.namespace.hosts(&hosts);
    world.namespace.run(&["nft", "add", "table", "inet", "t"]).await;
    world.namespace.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
}

async fn rule(world: &World, words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    world.namespace.run(&[&["nft", "add", "rule", "inet", "t", "in"], &words[..]].concat()).await;
}

#[tokio::test]
async fn a_family_that_no_name_server_has_is_not_waited_for() {
    let Some(world) = World::new("aaaa").await else { return };
    let _names = world.namespace.name_server().await;
    // It answers for IPv4, and is silent about IPv6.
    let took = world.reaches("halfsilent").await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_line_that_loses_each_first_packet_costs_a_second_however_many_addresses_a_name_has() {
    let Some(world) = World::new("syn").await else { return };
    four(&world).await;
    let set = "{ type ipv4_addr . inet_service . ipv4_addr; flags dynamic; timeout 1m; }";
    world.namespace.run(&["nft", "add", "set", "inet", "t", "seen", set]).await;
    let first = "tcp dport 8030 tcp flags & (syn | ack) == syn";
    rule(&world, &format!("{first} ip saddr . tcp sport . ip daddr @seen accept")).await;
    rule(&world, &format!("{first} add @seen {{ ip saddr . tcp sport . ip daddr }} drop")).await;
    let took = world.reaches("four.example").await;
    assert!((Duration::from_millis(900)..Duration::from_millis(2900)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn the_last_of_four_addresses_is_reached_although_the_others_are_dead() {
    let Some(world) = World::new("last").await else { return };
    four(&world).await;
    rule(&world, "ip daddr { 192.0.2.1, 192.0.2.2, 192.0.2.3 } tcp dport 8030 drop").await;
    let took = world.reaches("four.example").await;
    assert!(took < Duration::from_millis(2500), "three times a quarter of a second: {took:?}");
}
