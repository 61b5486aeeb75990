//! `infra/examples/one-machine`: all of it in one container.

use super::composed::{Composed, Tool};

#[tokio::test]
async fn one_machine_has_a_page_that_claims_nothing() {
    let Some(mut home) = Composed::of("compose-one", "examples/one-machine", Tool::PodmanCompose).await else { return };
    home.follow("Start", "", "").await;
    let seen = home.sees().await;
    assert!(seen[0].contains("obody has looked"), "{}", seen[0]);
    assert_eq!(seen[1], "porchlight\n");
    // No host is to be pinged from here, which is a reading too.
    home.keeper_says("/porchlight/v1/series?metric=ping&step=1h", "\"points\":[{").await;
    home.measures().await;
    let (well, said) = home.health("porchlight").await;
    assert!(well && said.contains("keeper at http://127.0.0.1:8030/healthz and the beacon at"), "{said}");
    home.falls_ill_and_recovers("porchlight").await;
    home.restarts("porchlight").await;
    home.updates(&["porchlight"]).await;
    home.stops().await;
}
