//! What cannot work is one sentence, and leaves nothing half-made.

use tests::{
    duckdns::{Duckdns, Fault},
    keeper::PAGE,
    web::{Reply, Web},
};

use super::world::World;

#[tokio::test]
async fn what_cannot_work_is_one_sentence_and_makes_nothing() {
    let Some(world) = World::begin("setup, refused").await else { return };
    let zip = world.zip();
    let nameless = ["setup", "--yes", "--function", zip.as_str()];
    let with = |more: &[&'static str]| [&nameless[..], &["--home", "home"], more].concat();
    let usual = with(&[]);
    // Another DuckDNS, which does not get better.
    let broken = Duckdns::open(None).await;
    broken.play([], Fault::BadGateway);
    let broken_url = broken.url();
    // What a hotel's network shows of any address.
    let hotel = Web::open(false, |_, _| Reply::text(200, "text/html", "<html>Welcome</html>")).await;
    let page = hotel.url();
    let cases = [
        (
            [&nameless[..], &["--home", "home.duckdns.org.duckdns.org"]].concat(),
            vec![],
            2,
            "a name at DuckDNS has letters, digits and hyphens",
        ),
        (nameless.to_vec(), vec![], 2, "--home: it is not set, and nobody is asked"),
        (with(&["--page", "My page"]), vec![], 2, "an id is 12 lower-case letters and digits"),
        (with(&["--page", "zzzzzzzzzzzz"]), vec![], 1, "the API key opens no page zzzzzzzzzzzz; it opens gytm4qzbx9t6"),
        (with(&["--component", PAGE]), vec![], 1, "has no component gytm4qzbx9t6: that is the id of a page"),
        (with(&["--component", "zzzzzzzzzzzz"]), vec![], 1, "look at its address in the editor"),
        (with(&["--port", "0"]), vec![], 2, "'--port <PORT>': a port is a number from 1 to 65535"),
        (
            with(&["--router", "fritz.box"]),
            vec![],
            2,
            "'--router <ADDRESS>': write the address itself, like 192.168.1.1",
        ),
        (
            vec!["setup", "--yes", "--home", "home", "--function", "gone.zip"],
            vec![],
            2,
            "--function: gone.zip: No such file or directory (os error 2): name a release's lambda-prober-arm64.zip",
        ),
        (with(&["--alarm-email", "you@example"]), vec![], 2, "--alarm-email <ADDRESS>': that is no mail address"),
        (
            vec!["setup", "--yes", "--home", "home", "--function", "/dev/null"],
            vec![],
            2,
            "--function: /dev/null is no zip archive",
        ),
        (vec!["setup", "--yes", "--home", "home"], vec![], 2, "there is no lambda-prober/Cargo.toml here to build"),
        (with(&[]), vec![("STATUSPAGE_TOKEN", "two words")], 2, "STATUSPAGE_TOKEN"),
        (with(&[]), vec![("STATUSPAGE_TOKEN", "token-of-another")], 1, "401"),
        (with(&[]), vec![("STATUSPAGE_URL", "http://127.0.0.1:9/v1")], 1, "check --statuspage-url"),
        (with(&[]), vec![("DUCKDNS_TOKEN", "not-a-token")], 2, "DUCKDNS_TOKEN"),
        (with(&[]), vec![("DUCKDNS_TOKEN", "a7c4d0ad-114e-40ef-ba1d-d217904a50f3")], 1, "home.duckdns.org: "),
        (with(&[]), vec![("AWS_ENDPOINT_URL", "http://127.0.0.1:9")], 1, "see whether this machine has a network"),
        (
            with(&[]),
            vec![("AWS_ACCESS_KEY_ID", ""), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")],
            1,
            "run `aws configure`",
        ),
        (
            with(&[]),
            vec![("NO_SCHEDULER", "1")],
            1,
            "failed  AWS: EventBridge Scheduler, which is to start the function, does not",
        ),
        (with(&[]), vec![("STATUSPAGE_URL", &*page)], 1, "check --statuspage-url"),
        (with(&[]), vec![("STATUSPAGE_TOKEN", "two\nlines")], 2, "STATUSPAGE_TOKEN holds a blank"),
        (
            with(&[]),
            vec![("DUCKDNS_URL", "http://127.0.0.1:9")],
            1,
            "see whether this machine has a network, over IPv4",
        ),
        (with(&[]), vec![("DUCKDNS_URL", &*broken_url)], 1, "failed  DuckDNS: home.duckdns.org: "),
    ];
    // Each in a folder of its own, beside the others: some wait until DuckDNS has been asked often enough.
    let each = cases.iter().enumerate().map(|(number, (words, set, code, expected))| {
        let mut command = world.command(words);
        command.args(["--folder", &number.to_string()]).envs(set.iter().copied());
        async move {
            let ended = tests::process::run(command, std::time::Duration::from_mins(2)).await;
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert_eq!(ended.code, Some(*code), "{words:?} {set:?}: {said}");
            assert!(said.contains(expected), "{words:?} {set:?}: {said}");
            assert!(set.iter().all(|(name, value)| !name.ends_with("_TOKEN") || !said.contains(value)), "{said}");
        }
    });
    futures_util::future::join_all(each).await;
    assert!(!world.calls().contains("put-parameter"), "something was made: {}", world.calls());
    let mut command = world.command(&usual);
    command.env_remove("STATUSPAGE_TOKEN").env("TOKEN", tests::duckdns::TOKEN);
    let ended = tests::process::run(command, std::time::Duration::from_mins(2)).await;
    assert!(
        ended.code == Some(2) && ended.stderr.contains("TOKEN is set, and does not say whose it is"),
        "{}",
        ended.stderr
    );
    assert!(world.things().await.is_empty());
}

#[tokio::test]
async fn what_somebody_else_has_made_is_not_taken_over() {
    let Some(world) = World::begin("setup beside another one").await else { return };
    let zip = world.zip();
    let words = ["setup", "--yes", "--home", "home", "--function", zip.as_str()];
    world.moto().put_secret("/porchlight/statuspage-token", "of-somebody-else").await;
    let ended = world.run(&words).await;
    let said = "/porchlight/statuspage-token is there with another value, and this setup did not make it";
    assert!(ended.code == Some(1) && ended.stdout.contains(said), "{}", ended.stdout);
    assert_eq!(world.moto().parameter("/porchlight/statuspage-token").await.as_deref(), Some("of-somebody-else"));
    world.moto().ok(&["ssm", "delete-parameter", "--name", "/porchlight/statuspage-token"]).await;
    assert_eq!(world.run(&words).await.code, Some(1), "it goes on to the first look");

    // A key that was put there by hand is not ours to replace.
    let mut elsewhere = world.command(&words);
    elsewhere.args(["--folder", "another"]);
    let ended = tests::process::run(elsewhere, std::time::Duration::from_mins(2)).await;
    assert!(ended.stdout.contains("beacon.key is the one that Parameter Store has"), "{}", ended.stdout);
    std::fs::write(world.place.path().join("another/beacon.key"), "A".repeat(43)).expect("a file");
    let mut elsewhere = world.command(&words);
    elsewhere.args(["--folder", "another"]);
    let ended = tests::process::run(elsewhere, std::time::Duration::from_mins(2)).await;
    assert!(ended.stdout.contains("/porchlight/beacon-key is there with another value"), "{}", ended.stdout);

    // Nor is the component of another home, or a function that has a list of homes.
    std::fs::remove_file(world.place.path().join("another/beacon.key")).expect("it was there");
    let code = || async {
        let words = ["lambda", "get-function-configuration", "--function-name", "lambda-prober"];
        world.moto().ok(&words).await["CodeSha256"].clone()
    };
    let before = code().await;
    let other = tests::process::file(world.place.path(), "other.zip", "PK\u{3}\u{4} another function");
    let mut elsewhere = world.command(&words[..2]);
    elsewhere.args(["--home", "away", "--function", &other, "--folder", "another"]);
    let ended = tests::process::run(elsewhere, std::time::Duration::from_mins(2)).await;
    let said = "shows home.duckdns.org already: name another one for away.duckdns.org by --component-name";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
    assert_eq!(code().await, before, "nor is its code replaced");
    let targets = "Variables={TARGETS_PARAMETER=/porchlight/targets}";
    let words =
        ["lambda", "update-function-configuration", "--function-name", "lambda-prober", "--environment", targets];
    world.moto().ok(&words).await;
    let ended = world.run(&["setup", "--yes", "--function", &zip]).await;
    assert!(
        ended.stdout.contains("lambda-prober is there, and has TARGETS_PARAMETER: remove it there"),
        "{}",
        ended.stdout
    );

    // Nor is a Secret of somebody's in the cluster.
    let there = world.place.path().join("cluster/ns/duckdns");
    std::fs::create_dir(there.parent().expect("a folder"))
        .and_then(|()| std::fs::write(&there, "{}"))
        .expect("a Secret");
    let ended = world.run(&["setup", "--yes", "--function", &zip, "--apply", "true"]).await;
    assert!(ended.stdout.contains("the Secret duckdns is there with another value"), "{}", ended.stdout);
    assert_eq!(std::fs::read_to_string(&there).expect("a Secret"), "{}");

    // In another region nothing of it is there, and nothing is to be forgotten.
    for words in [&["setup", "--yes", "--function", &zip][..], &["teardown"]] {
        let mut elsewhere = world.command(words);
        elsewhere.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        let ended = tests::process::run(elsewhere, std::time::Duration::from_mins(2)).await;
        let said = "this folder is a setup in the account 123456789012 and region eu-central-1";
        assert!(ended.code == Some(1) && ended.stdout.contains(said), "{}{}", ended.stdout, ended.stderr);
    }
    assert!(world.things().await.contains(&"lambda-prober".to_owned()));
}
