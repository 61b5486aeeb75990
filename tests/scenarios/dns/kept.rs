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

async fn asked(keeper: &Keeper, accept: &str, token: Option<&str>) -> (u16, String, String) {
    let request = keeper.http.get(format!("{}/porchlight/v1/address", keeper.url)).header("accept", accept);
    let request = match token {
        Some(token) => request.header("authorization", format!("OAuth {token}")),
        None => request,
    };
    let answer = request.send().await.expect("an answer");
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (answer.status().as_u16(), kind, answer.text().await.expect("a text"))
}

#[tokio::test]
async fn the_keeper_says_the_address_that_duckdns_took_and_a_sentence_where_none_is_known() {
    let (world, keeper) = (World::new().await, Keeper::start().await);
    let (status, unknown) = keeper.own(Method::GET, "/address", None).await;
    assert_eq!(status, 404, "{unknown}");
    assert!(unknown["error"].as_str().is_some_and(|said| said.contains("address is not known")), "{unknown}");

    run(&world, &keeper).await.ends(0);
    let (status, known) = keeper.own(Method::GET, "/address", None).await;
    assert_eq!(status, 200);
    assert_eq!((&known["ipv4"]["address"], &known["ipv4"]["source"]), (&"81.2.69.142".into(), &"duckdns".into()));
    assert_eq!((&known["ipv6"], &known["failing"]), (&Value::Null, &false.into()));
    assert_eq!(known["ipv4"]["at"], remembered(&keeper).await["ipv4"]["at"]);
    let text = asked(&keeper, "text/plain", Some(TOKEN)).await;
    assert_eq!(text, (200, "text/plain; charset=utf-8".to_owned(), "81.2.69.142".to_owned()));

    // A run that fails makes it doubtful, and no other.
    world.moves();
    world.duckdns.play([], Fault::Jetty);
    run(&world, &keeper).await.ends(1);
    let (_, known) = keeper.own(Method::GET, "/address", None).await;
    assert_eq!((&known["ipv4"]["address"], &known["failing"]), (&"81.2.69.142".into(), &true.into()));

    for token in [None, Some("another-token-of-somebody")] {
        let (status, _, said) = asked(&keeper, "text/plain", token).await;
        assert!(status == 401 && !said.contains("81.2."), "{status} {said}");
    }
    let (status, _) = keeper
        .own(
            Method::PUT,
            "/state/dns",
            Some(serde_json::json!({"names": ["home"], "ipv6":
        {"address": "2a02:8108::1", "at": "2026-11-29T12:00:00Z"}})),
        )
        .await;
    assert_eq!(status, 204);
    let (status, _, said) = asked(&keeper, "text/plain", Some(TOKEN)).await;
    assert!(status == 404 && said.contains("no IPv4 address"), "{status} {said}");
    assert_eq!(keeper.own(Method::GET, "/address", None).await.1["ipv6"]["address"], "2a02:8108::1");
}
