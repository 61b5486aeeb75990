//! With a real keeper: what was done is remembered there, and what was measured recorded.

use reqwest::Method;
use serde_json::Value;
use tests::{
    duckdns::Fault,
    keeper::{Keeper, TOKEN},
};

use crate::world::{Run, World};

async fn run(world: &World, keeper: &Keeper) -> Run {
    let with_keeper = world
        .run_with(|command| command.env_remove("STATE_DIR").env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN));
    with_keeper.await
}

/// How many readings were recorded, as measured and as failed.
async fn recorded(keeper: &Keeper) -> (i64, i64) {
    let (status, series) = keeper.own(Method::GET, "/series?metric=dns&step=24h", None).await;
    assert_eq!(status, 200, "{series}");
    let points = series["points"].as_array().expect("points");
    let sum = |what: &str| points.iter().filter_map(|point| point[what].as_i64()).sum();
    (sum("measured"), sum("failed"))
}

async fn remembered(keeper: &Keeper) -> Value {
    keeper.own(Method::GET, "/state/dns", None).await.1
}

#[tokio::test]
async fn a_keeper_remembers_what_duckdns_took_and_records_how_the_world_learned_of_it() {
    let (world, keeper) = (World::new().await, Keeper::start().await);
    run(&world, &keeper).await.ends(0).says("public DNS agreed");
    assert_eq!(remembered(&keeper).await["ipv4"]["address"], "81.2.69.142");
    assert_eq!(recorded(&keeper).await, (1, 0));
    run(&world, &keeper).await.ends(0).says("nothing to do");
    assert_eq!((world.calls().len(), recorded(&keeper).await), (1, (1, 0)), "nothing to do is no reading");
    world.moves();
    world.duckdns.play([], Fault::Ko);
    run(&world, &keeper).await.ends(2);
    assert_eq!(recorded(&keeper).await, (1, 1), "a refusal is recorded, and stays a wrong setting");
    assert_eq!(remembered(&keeper).await["ipv4"]["address"], "81.2.69.142");
    world.duckdns.play([], Fault::None);
    run(&world, &keeper).await.ends(0);
    assert_eq!(
        (recorded(&keeper).await, &remembered(&keeper).await["ipv4"]["address"]),
        ((2, 1), &"81.2.69.160".into())
    );
}
