//! Another server at the home's address: never up, and named as what it is.

use super::world::World;

#[tokio::test]
async fn another_homes_beacon_on_a_stale_address_is_an_impostor() {
    let Some(world) = World::new("stale").await else { return };
    world.comes_to("stale", "down", "impostor", "major_outage").await;
}

#[tokio::test]
async fn an_answer_without_a_proof_is_unproven() {
    let Some(world) = World::new("keyless").await else { return };
    world.comes_to("keyless", "down", "unproven", "major_outage").await;
}

#[tokio::test]
async fn the_page_says_that_a_new_address_clears_this() {
    let Some(world) = World::new("clears").await else { return };
    world.comes_to("stale", "down", "impostor", "major_outage").await;
    tests::outage::date_back(&world.folder.path().join("state.json"), 600);
    let run = world.probe("stale").await;
    assert_eq!(run.report["calls"][0]["call"], "open_incident", "{:#}", run.report);
    let page = world.keeper.page().await;
    assert!(page.contains("If your address just changed, this clears within minutes."), "{page}");
    assert!(!page.contains("example.test") && !page.contains("192.0.2"), "no name or address of a home is public");
}
