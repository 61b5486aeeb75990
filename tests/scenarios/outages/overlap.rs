//! Two real probers started at once, on a home that goes down and comes back, a hundred times.

use std::collections::HashSet;

use tests::{keeper::COMPONENT, prober::Run};

use super::world::{World, update_statuses};

const WORLDS: usize = 25;
const ROUNDS: usize = 4;

#[tokio::test]
async fn two_probers_at_once_report_each_of_a_hundred_outages_once() {
    let worlds = (0..WORLDS).map(|number| tokio::spawn(play(number)));
    for world in worlds.collect::<Vec<_>>() {
        world.await.expect("every world ends as it should");
    }
}

async fn play(number: usize) {
    let mut world = World::new().await;
    for round in 0..ROUNDS {
        // In every fourth round a human sets maintenance while the home is down.
        outage(&mut world, round, (number + round).is_multiple_of(4)).await;
    }
}

async fn outage(world: &mut World, before: usize, human: bool) {
    world.cut().await;
    world.probe_twice().await;
    assert_eq!(world.keeper.status().await, "major_outage");
    assert!(world.record()["down_since"].is_string() && world.record()["outage_key"].is_string());

    world.later(600);
    let runs = world.probe_twice().await;
    only_incident(world, before, &["identified"], &runs).await;

    world.restore();
    if human {
        world.keeper.set_status("under_maintenance").await;
        let runs = world.probe_twice().await;
        assert!(runs.iter().all(|run| run.target["outcome"] == "maintenance"), "{:#}", runs[0].report);
        assert_eq!(world.keeper.status().await, "under_maintenance");
        only_incident(world, before, &["identified"], &runs).await;
        world.keeper.set_status("major_outage").await;
    } else {
        world.probe_twice().await;
        assert_eq!(world.keeper.status().await, "operational");
    }
    world.later(200);
    let runs = world.probe_twice().await;
    assert_eq!(world.keeper.status().await, "operational");
    let record = world.record();
    assert!(
        record["down_since"].is_null() && record["outage_key"].is_null() && record["up_since"].is_string(),
        "{record}"
    );
    let expected = if human { &["identified", "resolved"][..] } else { &["identified", "monitoring", "resolved"] };
    only_incident(world, before, expected, &runs).await;
    let quiet = world.probe().await;
    assert_eq!(quiet.report["calls"].as_array().map(Vec::len), Some(0), "{:#}", quiet.report);
}

/// Of this outage there is one incident, about the home, with these updates; and none of it is the same as an earlier one.
async fn only_incident(world: &World, before: usize, statuses: &[&str], runs: &[Run; 2]) {
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), before + 1, "{incidents:#?}\n{:#}\n{:#}", runs[0].report, runs[1].report);
    let mut seen = update_statuses(&incidents[0]);
    // Both may have said the same at the same moment.
    seen.dedup();
    assert_eq!(seen, statuses, "{:#}", incidents[0]);
    assert_eq!(incidents[0]["components"][0]["id"], COMPONENT);
    let keys: HashSet<_> =
        incidents.iter().map(|incident| incident["metadata"]["porchlight"]["outage_key"].as_str()).collect();
    assert_eq!(keys.len(), incidents.len(), "every outage has a key of its own");
}
