//! A second home beside the first.

use tests::{beacon::Beacon, process::run};

use super::world::{World, steps};

#[tokio::test]
async fn a_second_home_is_looked_at_beside_the_first_which_stays_as_it_was() {
    let Some(world) = World::begin("setup of a second home").await else { return };
    let key = "A".repeat(43);
    world.moto().put_secret("/porchlight/beacon-key", &key).await;
    let zip = world.zip();
    let words = ["setup", "--yes", "--home", "home", "--function", zip.as_str()];
    let first = world.run_at(&words, &Beacon::with_key("127.0.0.1:0", &key).await).await;
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    let function = || async {
        let words = ["lambda", "get-function-configuration", "--function-name", "lambda-prober"];
        world.moto().ok(&words).await
    };
    let before = function().await;

    let words =
        ["setup", "--yes", "--home", "away", "--function", &zip, "--folder", "cabin", "--component-name", "Cabin"];
    let waits = world.run(&words).await;
    assert_eq!(steps(&waits.stdout, "failed"), ["the first look"], "{}{}", waits.stdout, waits.stderr);
    let cabin = std::fs::read_to_string(world.place.path().join("cabin/beacon.key")).expect("a key").trim().to_owned();
    assert!(cabin != key, "a home has a key of its own");
    assert_eq!(world.moto().parameter("/porchlight/keys/away").await.as_deref(), Some(&*cabin));
    let beacon = Beacon::with_key("127.0.0.1:0", &cabin).await;
    let second = world.run_at(&words, &beacon).await;
    assert_eq!(steps(&second.stdout, "done"), ["the first look", "the schedule"], "{}{}", second.stdout, second.stderr);
    let third = world.run_at(&words, &beacon).await;
    assert_eq!(steps(&third.stdout, "done"), ["the first look"], "{}{}", third.stdout, third.stderr);
    assert_eq!(function().await, before, "the function is used as it is");
    let stack = world.moto().ok(&["cloudformation", "describe-stacks", "--stack-name", "porchlight-home-away"]).await;
    let parameters = stack["Stacks"][0]["Parameters"].as_array().expect("parameters");
    let input =
        parameters.iter().find(|it| it["ParameterKey"] == "Input").expect("an input")["ParameterValue"].to_string();
    assert!(input.contains("http://away.duckdns.org:30008") && input.contains("/porchlight/keys/away"), "{input}");
    let again = run(world.command(&["setup", "--yes", "--function", &zip]), std::time::Duration::from_mins(1)).await;
    assert!(again.stdout.contains("lambda-prober is deployed, and set for this home"), "{}", again.stdout);

    let listed = world.moto().ok(&["ssm", "describe-parameters"]).await;
    let mut listed = listed["Parameters"].as_array().expect("parameters").iter();
    let stored = listed.find(|it| it["Name"] == "/porchlight/keys/away").expect("a key");
    assert_eq!(stored["Description"], "Porchlight: the key of away.duckdns.org");

    let things = world.things().await;
    let refused = world.run(&["teardown"]).await;
    let said = "lambda-prober looks at other homes, too, by porchlight-home-away: tear those setups down first";
    assert!(refused.code == Some(1) && refused.stdout.contains(said), "{}{}", refused.stdout, refused.stderr);
    assert_eq!(world.things().await, things);
    let ended = world.run(&["teardown", "--folder", "cabin"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let left = [
        "/porchlight/beacon-key",
        "/porchlight/statuspage-token",
        "lambda-prober",
        "porchlight-base",
        "porchlight-schedule",
    ];
    assert_eq!(world.things().await, left);
    assert_eq!(function().await, before);
    // Its role is read by the stack that takes heartbeats, which no setup makes.
    let template = r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#;
    let words = ["cloudformation", "create-stack", "--stack-name", "porchlight-heartbeat", "--template-body", template];
    world.moto().ok(&words).await;
    let refused = world.run(&["teardown"]).await;
    let said = "aws cloudformation delete-stack --stack-name porchlight-heartbeat";
    assert!(refused.code == Some(1) && refused.stdout.contains(said), "{}{}", refused.stdout, refused.stderr);
    assert_eq!(function().await, before);
}

#[tokio::test]
async fn a_home_whose_first_one_has_gone_is_looked_at_once_a_minute() {
    let Some(world) = World::begin("setup of a home that was the second").await else { return };
    let key = "A".repeat(43);
    let of = "Porchlight: the key of home.duckdns.org";
    let words = ["ssm", "put-parameter", "--type", "SecureString", "--name", "/porchlight/beacon-key"];
    world.moto().ok(&[&words[..], &["--value", &key, "--description", of]].concat()).await;
    let zip = world.zip();
    let cabin =
        ["setup", "--yes", "--home", "away", "--function", &zip, "--folder", "cabin", "--component-name", "Cabin"];
    // The first home is not finished: its key is not the second's.
    let early = world.run(&cabin).await;
    let said = "/porchlight/beacon-key is the key of home.duckdns.org, and this home is away.duckdns.org";
    assert!(early.code == Some(1) && early.stdout.contains(said), "{}{}", early.stdout, early.stderr);

    let first = ["setup", "--yes", "--home", "home", "--function", &zip];
    let ended = world.run(&first).await;
    assert_eq!(steps(&ended.stdout, "failed"), ["the first look"], "{}{}", ended.stdout, ended.stderr);
    assert_eq!(world.run(&cabin).await.code, Some(1), "it has a key, and is not seen yet");
    let own = std::fs::read_to_string(world.place.path().join("cabin/beacon.key")).expect("a key").trim().to_owned();
    let beacon = Beacon::with_key("127.0.0.1:0", &own).await;
    let second = world.run_at(&cabin, &beacon).await;
    assert_eq!(second.code, Some(0), "{}{}", second.stdout, second.stderr);
    let ended = world.run(&["teardown", "--others-too"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    world.moto().ok(&["ssm", "delete-parameter", "--name", "/porchlight/beacon-key"]).await;
    let alone = world.run_at(&cabin, &beacon).await;
    assert_eq!(alone.code, Some(0), "{}{}", alone.stdout, alone.stderr);
    assert!(alone.stdout.contains("removed  the stack porchlight-home-away"), "{}", alone.stdout);
    let things = world.things().await;
    assert!(!things.contains(&"porchlight-home-away".to_owned()), "{things:?}");
    assert!(things.contains(&"porchlight-schedule".to_owned()), "{things:?}");
}
