//! A component whose writer is the keeper itself.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{keeper::PAGE, statuspage::Fault, upstream::OWN};

use super::world::World;

fn path() -> String {
    format!("/pages/{PAGE}/components/{OWN}")
}

/// A client at home sets it.
async fn say(world: &World, status: &str) {
    world.home.set_status(&world.page, OWN, status.parse().expect("a status")).await;
}

/// A human says so upstream.
async fn say_upstream(world: &World, status: &str) {
    world.upstream.ok(Method::PATCH, &path(), Some(json!({"component": {"status": status}}))).await;
}

async fn there(world: &World) -> Value {
    world.upstream.ok(Method::GET, &path(), None).await["status"].clone()
}

fn written(world: &World) -> usize {
    world.way.calls().iter().filter(|call| call.starts_with("PATCH")).count()
}

#[tokio::test]
async fn its_latest_status_is_delivered_once_upstream_can_be_reached() {
    let mut world = World::new().await;
    world.way.play(Fault::Answer { status: 500, headers: "", body: r#"{"error":"sorry"}"# });
    say(&world, "major_outage").await;
    world.pass(Duration::from_mins(2)).await;
    say(&world, "partial_outage").await;
    world.pass(Duration::from_mins(2)).await;
    world.way.play(Fault::None);
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(
        (there(&world).await, written(&world)),
        (json!("partial_outage"), 1),
        "what it was meanwhile is history"
    );
    // What upstream says of it is not copied: its writer is here.
    say_upstream(&world, "degraded_performance").await;
    world.pass(Duration::from_mins(5)).await;
    say(&world, "operational").await;
    world.pass(Duration::from_mins(2)).await;
    assert_eq!((there(&world).await, written(&world)), (json!("operational"), 2));
}

#[tokio::test]
async fn a_humans_maintenance_upstream_stays_until_they_end_it() {
    let mut world = World::new().await;
    world.pass(Duration::from_mins(2)).await;
    say_upstream(&world, "under_maintenance").await;
    say(&world, "major_outage").await;
    world.pass(Duration::from_mins(10)).await;
    assert_eq!((there(&world).await, written(&world)), (json!("under_maintenance"), 0));
    say_upstream(&world, "operational").await;
    world.pass(Duration::from_mins(2)).await;
    assert_eq!(there(&world).await, "major_outage");
    // Its own maintenance it may end itself.
    for status in ["under_maintenance", "operational"] {
        say(&world, status).await;
        world.pass(Duration::from_mins(2)).await;
        assert_eq!(there(&world).await, status);
    }
}
