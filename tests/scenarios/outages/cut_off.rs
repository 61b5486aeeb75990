//! Probers that are killed at random moments, a hundred times: the next run makes it right.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tests::process::Process;

use super::world::World;

/// How many runs were killed before their end.
static KILLED: AtomicUsize = AtomicUsize::new(0);

/// How many must have been, so that the moments were well chosen: of 160, more than half ends by itself.
const ENOUGH: usize = 20;

const WORLDS: usize = 20;
const ROUNDS: usize = 6;

#[tokio::test]
async fn the_run_after_one_that_was_cut_off_makes_it_right() {
    let worlds = (0..WORLDS).map(|seed| tokio::spawn(play(seed as u64)));
    for (seed, world) in worlds.collect::<Vec<_>>().into_iter().enumerate() {
        world.await.unwrap_or_else(|error| panic!("world {seed} does not end as it should: {error}"));
    }
    let killed = KILLED.load(Ordering::Relaxed);
    println!("{killed} runs were killed before their end");
    assert!(killed >= ENOUGH, "only {killed} runs were killed before their end");
}

async fn play(seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut world = World::new().await;
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            world.cut().await;
            world.probe().await;
            world.later(600);
            // Two attempts 5 s apart, and then it publishes.
            cut_off(&world, chance.u64(4_900..6_000)).await;
            world.probe().await;
            assert_eq!(world.keeper.status().await, "major_outage");
            open(&world, round / 2, true).await;
        } else {
            world.restore();
            cut_off(&world, chance.u64(0..400)).await;
            world.probe().await;
            assert_eq!(world.keeper.status().await, "operational");
            world.later(200);
            cut_off(&world, chance.u64(0..400)).await;
            if round == ROUNDS - 2 {
                falls_again(&mut world).await;
                return;
            }
            world.probe().await;
            open(&world, round / 2, false).await;
            assert!(world.record()["down_since"].is_null());
        }
    }
}

/// Whether or not the outage before was reported as over when its last run was cut off, the next one is reported.
async fn falls_again(world: &mut World) {
    world.cut().await;
    world.probe().await;
    world.later(600);
    world.probe().await;
    let incidents = world.incidents().await;
    let open = incidents.iter().filter(|incident| incident["status"] != "resolved").count();
    assert_eq!((world.keeper.status().await.as_str(), open), ("major_outage", 1), "{incidents:#?}");
}

/// Starts a run and kills it after so many milliseconds.
async fn cut_off(world: &World, after: u64) {
    let mut command = world.command();
    command.args(["--once", "--json"]);
    let mut run = Process::start(command);
    if tokio::time::timeout(Duration::from_millis(after), run.ended()).await.is_err() {
        run.kill().await;
        KILLED.fetch_add(1, Ordering::Relaxed);
    }
}

/// One incident for each outage so far, of which only the last may be open.
async fn open(world: &World, before: usize, open: bool) {
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), before + 1, "{incidents:#?}");
    for (index, incident) in incidents.iter().enumerate() {
        assert_eq!(incident["status"] != "resolved", open && index == 0, "{incidents:#?}");
    }
}
