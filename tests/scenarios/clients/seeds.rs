//! What a seed renames, leaves out and names again, and what a client deleted.

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    keeper::{COMPONENT, Keeper, PAGE},
    process::file,
};

const FIRST: &str = "aaaaaaaaaaa1";
const SECOND: &str = "aaaaaaaaaaa2";

const SEED: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"My home\"\n\n\
                    [[components]]\nid = \"8kbf7d35c070\"\nname = \"Home internet\"\n\n";

fn metric(id: &str, name: &str, reading: &str) -> String {
    format!("[[metrics]]\nid = \"{id}\"\nname = \"{name}\"\nsuffix = \"ms\"\nreading = \"{reading}\"\n\n")
}

async fn keeper(folder: TempDir, seed: &str) -> Keeper {
    let seed = file(folder.path(), "own.toml", seed);
    Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", seed);
    })
    .await
}

async fn again(keeper: Keeper, seed: &str) -> Keeper {
    let Keeper { process, folder, .. } = keeper;
    assert_eq!(process.terminate().await.code(), Some(0));
    self::keeper(folder, seed).await
}

async fn measure(keeper: &Keeper, value: f64) {
    let reading = json!({"readings": [{"metric": "ping", "at": jiff::Timestamp::now(), "value": value}]});
    assert_eq!(keeper.own(Method::POST, "/readings", Some(reading)).await.0, 201);
}

/// How often the page has a card of that name.
async fn cards(keeper: &Keeper, name: &str) -> usize {
    keeper.page().await.matches(&format!("<h3>{name} ")).count()
}

async fn points(keeper: &Keeper, id: &str) -> usize {
    keeper.own(Method::GET, &format!("/series?metric=@{id}"), None).await.1["points"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_metric_with_another_id_or_without_a_place_in_the_seed_is_put_away_and_comes_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = format!("{SEED}{}", metric(FIRST, "Latency", "ping"));
    let second = format!("{SEED}{}", metric(SECOND, "Latency", "ping"));
    let mut home = keeper(folder, &first).await;
    let by_hand = home.metric("By hand").await;
    measure(&home, 1.0).await;
    assert_eq!((cards(&home, "Latency").await, points(&home, FIRST).await), (1, 1));

    home = again(home, &second).await;
    measure(&home, 2.0).await;
    assert_eq!(cards(&home, "Latency").await, 1, "one card, of the id that the seed names");
    assert_eq!((points(&home, FIRST).await, points(&home, SECOND).await), (1, 1), "nothing feeds the old one");
    assert!(home.process.lines().join("\n").contains("this metric is kept, but not shown"));
    let metrics = home.ok(Method::GET, &format!("/pages/{PAGE}/metrics"), None).await;
    let shown = |id: &str| -> Option<bool> {
        metrics.as_array().into_iter().flatten().find(|metric| metric["id"] == id)?["display"].as_bool()
    };
    assert_eq!([shown(FIRST), shown(SECOND), shown(&by_hand)], [Some(false), Some(true), Some(true)]);

    home = again(home, SEED).await;
    assert_eq!(cards(&home, "Latency").await, 0, "a seed can take a metric off the page");
    home = again(home, &first).await;
    assert_eq!((cards(&home, "Latency").await, points(&home, FIRST).await), (1, 1), "it is back, with its points");
    measure(&home, 3.0).await;
    assert!(home.page().await.contains("3 ms"));
}

#[tokio::test]
async fn a_metric_of_the_first_start_gives_way_to_the_seeds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Keeper::restart_with(folder, |command| {
        command.env_remove("KEEPER_SEED");
    })
    .await;
    let pages = home.ok(Method::GET, "/pages", None).await;
    measure(&home, 1.0).await;
    let page = format!("[page]\nid = {}\nname = \"My home\"\n\n", pages[0]["id"]);
    let home = again(home, &format!("{page}{}", metric(FIRST, "Latency", "ping"))).await;
    measure(&home, 2.0).await;
    assert_eq!(cards(&home, "Latency").await, 1);
}

#[tokio::test]
async fn what_a_client_deleted_stays_deleted_until_the_seed_has_let_go_of_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let full = format!("{SEED}{}", metric(FIRST, "Latency", "ping"));
    let mut home = keeper(folder, &full).await;
    home.set_status("major_outage").await;
    let (component, metric) =
        (format!("/pages/{PAGE}/components/{COMPONENT}"), format!("/pages/{PAGE}/metrics/{FIRST}"));
    home.ok(Method::DELETE, &component, None).await;
    home.ok(Method::DELETE, &metric, None).await;
    for _ in 0..2 {
        home = again(home, &full).await;
        for path in [&component, &metric] {
            assert_eq!(home.call(Method::GET, path, None).await.expect("an answer").status(), 404, "{path}");
        }
        let logged = home.process.lines().into_iter().filter(|line| line.contains("take it out of the seed")).count();
        assert_eq!(logged, 2, "the log says what to do about both");
    }
    // Another page's seed has nothing to say of it.
    home = again(home, "[page]\nid = \"bbbbbbbbbbbb\"\nname = \"Another\"\n").await;
    home = again(home, &full).await;
    for path in [&component, &metric] {
        assert_eq!(home.call(Method::GET, path, None).await.expect("an answer").status(), 404, "{path}");
    }
    home = again(home, SEED.split("[[").next().expect("a page")).await;
    home = again(home, &full).await;
    let anew: Value = home.ok(Method::GET, &component, None).await;
    assert_eq!(anew["status"], "operational", "it was let go of, and made anew");
    home.ok(Method::GET, &metric, None).await;
}
