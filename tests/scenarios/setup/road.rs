//! The whole way there, twice, and back.

use std::{fs, net::Ipv4Addr};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tests::{
    beacon::Beacon,
    duckdns,
    keeper::{PAGE, TOKEN},
    process::own_address,
    router::{Manner, Router},
};

use super::world::{World, steps, texts};

#[tokio::test]
async fn a_setup_leads_there_goes_on_where_it_was_ended_changes_nothing_twice_and_leads_back() {
    let Some(world) = World::begin("setup").await else { return };
    let zip = world.zip();
    let words = ["setup", "--yes", "--home", "home.duckdns.org", "--function", &zip, "--component-name", "The line"];

    let dry = world.run(&[&words[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry.code, Some(0), "{}{}", dry.stdout, dry.stderr);
    for would in [
        "the component The line would be made",
        "would   call aws ssm put-parameter",
        "would   call aws lambda create-function",
    ] {
        assert!(dry.stdout.contains(would), "{would}: {}", dry.stdout);
    }
    assert!(world.things().await.is_empty() && !world.folder().exists() && world.duckdns.calls().is_empty());

    // The home is not there yet: all is made but what would tell the page that it is down.
    let first = world.run_by_real_aws(&words).await;
    assert_eq!(first.code, Some(1), "{}{}", first.stdout, first.stderr);
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}", first.stdout);
    assert!(first.stdout.contains("the function does not see the home yet: "), "{}", first.stdout);
    assert_eq!(steps(&first.stdout, "done")[..2], ["statuspage.io", "DuckDNS"], "{}", first.stdout);
    let page = world.keeper.page().await;
    assert!(page.contains("The line") && !page.contains("Major outage"), "the first look tells nobody: {page}");
    let made = ["/porchlight/beacon-key", "/porchlight/statuspage-token", "lambda-prober", "porchlight-base"];
    let things = world.things().await;
    assert!(made.iter().all(|made| things.contains(&(*made).to_owned())), "{things:?}");
    assert!(!things.iter().any(|thing| thing == "porchlight-schedule"));
    assert_eq!(world.duckdns.calls(), ["/update?domains=home&token=TOKEN&verbose=true"]);

    let key = fs::read_to_string(world.folder().join("beacon.key")).expect("the key").trim().to_owned();
    assert_eq!(world.moto().parameter("/porchlight/beacon-key").await.as_deref(), Some(key.as_str()));
    assert_eq!(world.moto().parameter("/porchlight/statuspage-token").await.as_deref(), Some(TOKEN));
    let beacon = Beacon::with_key("127.0.0.1:0", &key).await;
    let second = world.run_at(&["setup", "--yes", "--function", &zip, "--apply", "true"], &beacon).await;
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
    assert_eq!(steps(&second.stdout, "done"), ["the cluster", "the first look", "the schedule"], "{}", second.stdout);
    for (name, key, secret) in
        [("beacon-key", "KEY", &*key), ("duckdns", "TOKEN", duckdns::TOKEN), ("statuspage", "TOKEN", TOKEN)]
    {
        let text = fs::read_to_string(world.place.path().join("cluster/ns").join(name)).expect("a Secret");
        let there: Value = serde_json::from_str(&text).expect("JSON");
        let encoded = there["data"][key].as_str().expect("a text");
        assert_eq!(BASE64_STANDARD.decode(encoded).expect("base64"), secret.as_bytes(), "{name}");
    }
    let function = world.moto().ok(&["lambda", "get-function-configuration", "--function-name", "lambda-prober"]).await;
    let set = &function["Environment"]["Variables"];
    let component = set["COMPONENT_ID"].as_str().expect("an id").to_owned();
    assert_eq!((&set["CANARY_URL"], &set["PAGE_ID"]), (&json!("http://home.duckdns.org:30008"), &json!(PAGE)));
    assert!(set.as_object().expect("variables").values().all(|value| value != TOKEN && *value != json!(key)));
    let page = world.keeper.page().await;
    assert!(page.contains("The line"), "{page}");

    let third = world.run_at(&["setup", "--yes", "--function", &zip, "--apply", "true"], &beacon).await;
    assert_eq!(third.code, Some(0), "{}{}", third.stdout, third.stderr);
    assert_eq!(steps(&third.stdout, "done"), ["the first look"], "{}", third.stdout);

    // No secret is anywhere but where it belongs.
    let said = [dry, first, second, third].map(|ended| ended.stdout + &ended.stderr).concat() + &world.calls();
    for secret in [TOKEN, duckdns::TOKEN, &key] {
        assert!(!said.contains(secret), "{said}");
        for (name, text) in texts(&world.folder()) {
            assert!(name == "beacon.key" || !text.contains(secret), "{name}: {text}");
        }
    }

    leads_back(&world, &component).await;
}

async fn leads_back(world: &World, component: &str) {
    // What somebody else has made stays.
    world.moto().put_secret("/porchlight/keys/cabin", "x").await;
    let before = world.things().await;
    let dry = world.run(&["teardown", "--dry-run"]).await;
    assert_eq!((dry.code, world.things().await), (Some(0), before), "{}{}", dry.stdout, dry.stderr);
    let order: Vec<_> = dry.stdout.lines().map(|line| line.trim_start_matches("would remove").trim()).collect();
    let expected = [
        "the stack porchlight-schedule",
        "the Secret statuspage in the cluster",
        "the Secret duckdns in the cluster",
        "the Secret beacon-key in the cluster",
        "the function lambda-prober",
        "the stack porchlight-base",
        "the parameter /porchlight/statuspage-token",
        "the parameter /porchlight/beacon-key",
        "the file values.yaml",
        "the file beacon.key",
        &format!("the component {component} of the page {PAGE}"),
    ];
    assert_eq!(order, expected);
    let ended = world.run_by_real_aws(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(world.things().await, ["/porchlight/keys/cabin"]);
    let left = fs::read_dir(world.place.path().join("cluster/ns")).expect("the namespace stays").count();
    assert_eq!(left, 0);
    assert!(!world.folder().exists() && !world.keeper.page().await.contains("The line"));
    let again = world.run(&["teardown"]).await;
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("no setup was made in porchlight-setup"), "{}", again.stderr);
}

#[tokio::test]
async fn what_was_there_before_is_used_and_stays() {
    let Some(world) = World::begin("setup of what is there").await else { return };
    let key = "A".repeat(43);
    world.moto().put_secret("/porchlight/beacon-key", &key).await;
    let ended = world.pastes("silent").await;
    assert!(
        ended.stdout.contains("beacon.key is the one that Parameter Store has"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
    assert!(ended.stdout.contains("Home internet (8kbf7d35c070)"), "{}", ended.stdout);
    let zip = world.zip();
    let router = Router::at(own_address(), Manner::GOOD).await;
    let address = router.address.to_string();
    let words = ["setup", "--yes", "--function", &zip, "--runs-on", "systemd", "--router", &address];
    let ended = world.run(&words).await;
    assert!(ended.stdout.contains("81.2.69.142, as the router says and the world sees"), "{}", ended.stdout);
    assert!(ended.stdout.contains("set_line dns.env DOMAIN=home.duckdns.org\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains(" porchlight-port\n") && router.table().is_empty(), "{}", ended.stdout);
    // The port that was wanted is somebody else's, and the router has given the next one.
    router.give(30008, "192.168.1.9".parse().expect("an address"), 443, "nas");
    router.give(30009, "192.168.1.7".parse().expect("an address"), 8080, "Porchlight");
    let ended = world.run(&words).await;
    assert!(!ended.stdout.contains("it has opened port"), "another machine's: {}", ended.stdout);
    router.take(30009);
    router.give(30009, Ipv4Addr::LOCALHOST.into(), 8080, "Porchlight");
    let ended = world.run(&words).await;
    assert!(ended.stdout.contains("it has opened port 30009 for the beacon"), "{}", ended.stdout);
    assert!(ended.stdout.contains("CANARY_URL=http://home.duckdns.org:30009\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("lambda-prober has new settings"), "{}", ended.stdout);
    router.take(30009);
    // Behind a provider's own translation no port helps.
    router.turn(Manner { outside: Some(Ipv4Addr::new(100, 64, 1, 2)), ..Manner::GOOD });
    let ended = world.run(&words).await;
    let said = steps(&ended.stdout, "skipped");
    assert!(
        said.contains(&"the way in") && ended.stdout.contains("nothing that is forwarded gets here"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains(" porchlight-port\n"), "{}", ended.stdout);
    let ended = world.pastes("teardown").await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(world.things().await, ["/porchlight/beacon-key"], "neither the key nor the component is ours");
    assert!(world.keeper.page().await.contains("Home internet"));
}
