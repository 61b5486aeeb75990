//! Two probers of one home, at two locations, with one state: it is down where both that can tell see that.

use std::{fs, time::Duration};

use serde_json::{Value, json};
use tests::{keeper::COMPONENT, prober::Run};
use tokio::process::Command;

use super::world::World;

/// The prober at one of two locations. Where the way from there is broken, the home's name leads to a closed port.
fn at(world: &World, location: &str, is_way_broken: bool) -> Command {
    let mut command = world.command(if is_way_broken { "gone" } else { "home" });
    let other = if location == "north" { "south" } else { "north" };
    command.env("LOCATION", location).env("OTHER_LOCATION", other);
    command
}

async fn comes_to(world: &World, command: &Command, cause: Option<&str>, page: &str) -> Run {
    let run = world.run(command).await;
    assert_eq!((run.target["cause"].as_str(), run.code), (cause, Some(0)), "{:#}", run.report);
    assert_eq!(world.keeper.status().await, page);
    run
}

fn sighting(world: &World, location: &str) -> std::path::PathBuf {
    world.folder.path().join(format!("state.json.at-{location}"))
}

#[tokio::test]
async fn a_home_is_down_where_both_locations_see_that() {
    let Some(world) = World::new("both").await else { return };
    world.keeper.set_status("operational").await;
    // One by itself decides as ever, until the other has looked.
    comes_to(&world, &at(&world, "north", true), Some("refused"), "major_outage").await;
    comes_to(&world, &at(&world, "south", false), None, "operational").await;

    let run = comes_to(&world, &at(&world, "north", true), Some("other_location"), "operational").await;
    assert_eq!(run.target["verdict"], "unknown");
    comes_to(&world, &at(&world, "south", true), Some("refused"), "major_outage").await;
    comes_to(&world, &at(&world, "north", true), Some("refused"), "major_outage").await;
    comes_to(&world, &at(&world, "south", false), None, "operational").await;
    let seen: Value = serde_json::from_slice(&fs::read(sighting(&world, "south")).expect("it is left")).expect("JSON");
    assert_eq!(seen["up"], json!([COMPONENT]));
}

#[tokio::test]
async fn who_is_blind_late_or_unreadable_has_no_say() {
    let Some(world) = World::new("nosay").await else { return };
    let late = json!({"at": "2026-11-21T08:00:00Z", "up": [COMPONENT]}).to_string();
    for text in [late.as_str(), "half a rec", "{}"] {
        world.keeper.set_status("operational").await;
        fs::write(sighting(&world, "south"), text).expect("it is written");
        comes_to(&world, &at(&world, "north", true), Some("refused"), "major_outage").await;
    }
    world.keeper.set_status("operational").await;
    let mut blind = at(&world, "south", true);
    blind.env("WITNESSES", "192.0.2.40:443,nx.example.test:443");
    comes_to(&world, &blind, Some("blind"), "operational").await;
    comes_to(&world, &at(&world, "north", true), Some("refused"), "major_outage").await;
    // A dry run leaves nothing for the other.
    let before = fs::read(sighting(&world, "south")).expect("it is there");
    let mut dry = at(&world, "south", false);
    dry.arg("--dry-run");
    world.run(&dry).await;
    assert_eq!(fs::read(sighting(&world, "south")).expect("it is there"), before);
}

#[tokio::test]
async fn two_locations_need_two_names_and_one_state() {
    let Some(world) = World::new("wrongtwo").await else { return };
    for (change, sentence) in [
        (("OTHER_LOCATION", Some("north")), "LOCATION and OTHER_LOCATION are both north"),
        (("OTHER_LOCATION", Some("The South")), "a location is 1 to 16 lower-case letters"),
        (("STATE_FILE", None), "OTHER_LOCATION needs STATE_PARAMETER or STATE_FILE"),
        (("PARAMETERS_REGION", Some("Frankfurt")), "a region is written like eu-central-1"),
    ] {
        let mut command = at(&world, "north", false);
        match change {
            (name, Some(value)) => command.env(name, value),
            (name, None) => command.env_remove(name),
        };
        let ended = tests::process::run(world.namespace.inside(&command), Duration::from_secs(60)).await;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
    }
}
