//! The home alone, without AWS: answers from a file, containers, the page's metrics, and the chart.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use reqwest::Method;
use tests::{
    binaries::{python, root},
    duckdns,
    keeper::{PAGE, TOKEN},
    process::{Ended, command, file, ours, run},
    skip::{program, skip},
};

use super::world::{World, steps, texts};

/// The most that a setup of the home alone may take: the services that it asks are beside it here.
const OWN_TIME: Duration = Duration::from_secs(30);

const ALONE: [&str; 5] = ["setup", "--yes", "--without-aws", "--home", "home"];

/// The answers that the guide shows, for the name that the emulator has.
fn answers() -> String {
    let guide = fs::read_to_string(root().join("infra/SETUP.md")).expect("a guide");
    let (_, block) = guide.split_once("```toml\n").expect("the guide shows answers");
    block.split("```").next().expect("a block").replace("myhome", "home")
}

/// A run that has its secrets from nowhere but the answers.
async fn answered(world: &World, words: &[&str]) -> Ended {
    let mut command =
        world.command(&[&["setup", "--yes", "--without-aws", "--answers", "answers.toml"], words].concat());
    command.env_remove("STATUSPAGE_TOKEN").env_remove("DUCKDNS_TOKEN");
    run(command, Duration::from_mins(1)).await
}

#[tokio::test]
async fn answers_come_from_a_file_and_what_is_said_wins() {
    let world = World::at_home().await;
    for (name, text) in [
        ("answers.toml", &*answers()),
        ("statuspage.token", TOKEN),
        ("duckdns.token", &format!("{}\n", duckdns::TOKEN)),
    ] {
        file(world.place.path(), name, text);
    }
    let dry = answered(&world, &["--dry-run"]).await;
    assert_eq!(dry.code, Some(0), "{}{}", dry.stdout, dry.stderr);
    assert!(!world.folder().exists() && world.duckdns.calls().is_empty(), "{}", dry.stdout);
    let began = Instant::now();
    let ended = answered(&world, &["--component-name", "Another line", "--runs-on", "systemd"]).await;
    let took = began.elapsed();
    println!("a setup without AWS took {took:?}");
    assert!(took < OWN_TIME, "{took:?}");
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("made Another line") && ended.stdout.contains("systemctl enable"),
        "{}",
        ended.stdout
    );
    let record = fs::read_to_string(world.folder().join("setup.toml")).expect("a record");
    assert!(record.contains("home = \"home\"") && record.contains("runs_on = \"systemd\""), "{record}");
    for secret in [TOKEN, duckdns::TOKEN] {
        assert!(
            !ended.stdout.contains(secret) && texts(&world.folder()).iter().all(|(_, text)| !text.contains(secret))
        );
    }
    for (wrong, expected) in [
        (format!("statuspage-token = '{TOKEN}'"), "statuspage-token would hold a secret: write the secret into a file"),
        (format!("home = 'home'\n{TOKEN}\n"), "line 2 is no TOML"),
        (
            format!("duckdns-token-file = '/nowhere/duckdns.token'\nport = '{TOKEN}'"),
            "port: a port is a number from 1 to 65535",
        ),
        ("statuspage-token-file = '/nowhere/it'".into(), "STATUSPAGE_TOKEN_FILE: /nowhere/it cannot be read"),
    ] {
        file(world.place.path(), "answers.toml", &wrong);
        let ended = answered(&world, &[]).await;
        assert!(ended.code == Some(2) && ended.stderr.contains(expected), "{wrong}: {}{}", ended.stdout, ended.stderr);
        assert!(!ended.stderr.contains(TOKEN), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_home_in_containers_gets_their_file_its_settings_and_the_secrets_that_they_read() {
    let world = World::at_home().await;
    let words = [&ALONE[..], &["--runs-on", "compose"]].concat();
    let first = world.run(&words).await;
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("docker compose -f porchlight-setup/compose.yaml up -d"), "{}", first.stdout);
    assert!(first.stdout.contains("read -rs TOKEN"), "the token of DuckDNS is not written unasked: {}", first.stdout);
    let applied = world.run(&[&words[..], &["--apply", "true"]].concat()).await;
    assert!(
        steps(&applied.stdout, "done").contains(&"the home") && !applied.stdout.contains("read -rs"),
        "{}",
        applied.stdout
    );
    let again = world.run(&words).await;
    assert!(
        steps(&again.stdout, "already").contains(&"the home") && steps(&again.stdout, "done").is_empty(),
        "{}",
        again.stdout
    );
    let mode = |name: &str| fs::metadata(world.folder().join(name)).expect("a file").permissions().mode() & 0o777;
    for (name, expected) in
        [(".env", 0o600), ("compose.yaml", 0o600), ("secrets", 0o700), ("secrets/duckdns.token", 0o444)]
    {
        assert_eq!(mode(name), expected, "{name}");
    }
    // As Docker's own Compose reads it.
    if let Some(compose) = program("docker-compose") {
        let mut config = command(compose);
        config.current_dir(world.place.path()).args(["-f", "porchlight-setup/compose.yaml", "config"]);
        let ended = run(config, Duration::from_mins(1)).await;
        assert!(
            ended.code == Some(0) && ended.stdout.contains("DOMAIN: home.duckdns.org"),
            "{}{}",
            ended.stdout,
            ended.stderr
        );
        let token = world.folder().join("secrets/duckdns.token").display().to_string();
        assert!(ended.stdout.contains(&format!("file: {token}")), "{token}: {}", ended.stdout);
    } else {
        skip("a compose file read by Docker's Compose", "docker-compose is missing; tests/run installs it");
    }
    relays(&world, &[&words[..], &["--metrics", "true"]].concat()).await;
    let ended = world.run(&["teardown"]).await;
    assert!(ended.code == Some(0) && !world.folder().exists(), "{}{}", ended.stdout, ended.stderr);
}

/// With metrics the keeper gets a seed that it takes, and the API key.
async fn relays(world: &World, words: &[&str]) {
    let asked = world.run(words).await;
    assert!(asked.stdout.contains("printf 'API key of statuspage.io: ' && read -rs TOKEN"), "{}", asked.stdout);
    let ended = world.run(&[words, &["--apply", "true"]].concat()).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(fs::read_to_string(world.folder().join("secrets/upstream.token")).expect("a key").trim(), TOKEN);
    let compose = fs::read_to_string(world.folder().join("compose.yaml")).expect("a file");
    assert!(compose.contains("UPSTREAM_TOKEN_FILE: /run/secrets/upstream-token"), "{compose}");
    let check = async |folder: &Path| {
        let mut keeper = ours("keeper");
        keeper
            .arg("--check")
            .env("KEEPER_SEED", folder.join("seed.toml"))
            .env("DATABASE_URL", format!("sqlite:{}/keeper.db", folder.display()));
        keeper
            .env("UPSTREAM_URL", world.keeper.api())
            .env("UPSTREAM_TOKEN", TOKEN)
            .env("KEEPER_TOKEN", "another-token-of-a-keeper");
        let ended = run(keeper, Duration::from_mins(1)).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    };
    check(&world.folder()).await;
    let units =
        world.run(&[&ALONE[..], &["--runs-on", "systemd", "--metrics", "true", "--folder", "units"]].concat()).await;
    assert!(units.stdout.contains("/etc/systemd/system/porchlight-keeper.service.d/relay.conf"), "{}", units.stdout);
    check(&world.place.path().join("units")).await;
}

#[tokio::test]
async fn the_chart_is_installed_once_with_the_metrics_that_were_made_and_both_go_again() {
    let world = World::at_home().await;
    let chart = root().join("charts/home-beacon").display().to_string();
    let words = [&ALONE[..], &["--apply", "true", "--chart", &chart]].concat();
    let without = world.run(&words).await;
    assert!(without.stdout.contains("has no Latency and Bandwidth (--metrics true makes them)"), "{}", without.stdout);
    let words = [&words[..], &["--metrics", "true"]].concat();
    let first = world.run(&words).await;
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("made Latency and Bandwidth on the page"), "{}", first.stdout);
    let upgrades = || world.calls().lines().filter(|line| line.starts_with("helm --kube-context pi upgrade")).count();
    assert_eq!(upgrades(), 2, "with the metrics the values are others");
    let again = world.run(&words).await;
    assert_eq!((steps(&again.stdout, "done"), upgrades()), (vec![], 2), "{}{}", again.stdout, again.stderr);
    // Somebody has rolled it back.
    fs::write(world.place.path().join("cluster/release"), "{\"version\": 3, \"info\": {\"status\": \"deployed\"}}")
        .expect("ours");
    let rolled_back = world.run(&words).await;
    let said = "the release porchlight is at revision 3, and this setup has made 2: it stays as somebody has it since";
    assert!(rolled_back.stdout.contains(said) && upgrades() == 2, "{}", rolled_back.stdout);
    let path = format!("/pages/{PAGE}/metrics");
    let metrics = world.keeper.ok(Method::GET, &path, None).await;
    let id = |name: &str| {
        metrics.as_array().expect("a list").iter().find(|it| it["name"] == name).expect(name)["id"].clone()
    };
    renders(&world, &[id("Latency").as_str().expect("an id"), id("Bandwidth").as_str().expect("an id")]).await;

    let without_helm = world.run(&["teardown", "--dry-run"]).await;
    assert!(without_helm.stdout.contains("the release porchlight in the cluster"), "{}", without_helm.stdout);
    let ended = world.run(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(!world.place.path().join("cluster/release").exists() && !world.folder().exists());
    assert_eq!(world.keeper.ok(Method::GET, &path, None).await, serde_json::json!([]));
    let providers = world.keeper.ok(Method::GET, &format!("/pages/{PAGE}/metrics_providers"), None).await;
    assert_eq!(providers, serde_json::json!([]), "it was made, and nothing was added to it");
}

/// The real chart takes the values that were written, and relays both metrics.
async fn renders(world: &World, metrics: &[&str]) {
    let Some(python) = python() else {
        return skip("values of a setup", "TESTS_PYTHON is missing; tests/run installs it");
    };
    let script = "import sys, yaml; sys.path.insert(0, sys.argv[1]); from helm import lint, render; \
                  values = yaml.safe_load(open(sys.argv[2])); found = lint(values); assert not found, found; \
                  print(render(values).manifest)";
    let values = world.place.path().join("cluster/values").display().to_string();
    let mut render = command(python);
    render.args(["-c", script]).arg(root().join("tests/chart")).arg(values);
    let ended = run(render, Duration::from_mins(1)).await;
    for metric in metrics {
        assert!(ended.stdout.contains(&format!("id = \"{metric}\"")), "{metric}: {}{}", ended.stdout, ended.stderr);
    }
}

#[tokio::test]
async fn a_metric_of_another_is_left_alone_and_stays_and_so_does_what_it_belongs_to() {
    let world = World::at_home().await;
    let body = serde_json::json!({"metrics_provider": {"type": "Self"}});
    let provider = world.keeper.ok(Method::POST, &format!("/pages/{PAGE}/metrics_providers"), Some(body)).await;
    let path = format!("/pages/{PAGE}/metrics_providers/{}/metrics", provider["id"].as_str().expect("an id"));
    let body = serde_json::json!({"metric": {"name": "Latency", "suffix": "ms"}});
    let metric = world.keeper.ok(Method::POST, &path, Some(body)).await;
    let unasked = world.run(&ALONE).await;
    let said = "has Latency, and this setup did not make them: they stay as they are (--metrics true makes Latency home and Bandwidth)";
    assert!(unasked.stdout.contains(said), "{}{}", unasked.stdout, unasked.stderr);
    let first = world.run(&[&ALONE[..], &["--metrics", "true"]].concat()).await;
    assert!(first.stdout.contains("made Latency home and Bandwidth on the page"), "{}{}", first.stdout, first.stderr);
    let values = fs::read_to_string(world.folder().join("values.yaml")).expect("values");
    assert!(values.contains("latency: {metricId: ") && !values.contains(&metric["id"].to_string()), "{values}");
    let again = world.run(&[&ALONE[..], &["--metrics", "true"]].concat()).await;
    assert!(steps(&again.stdout, "already").contains(&"the metrics"), "{}{}", again.stdout, again.stderr);
    let ended = world.run(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let left = world.keeper.ok(Method::GET, &path, None).await;
    assert_eq!(left.as_array().map(Vec::len), Some(1), "the one that was there: {left}");
}

#[tokio::test]
async fn without_helm_and_for_a_release_of_another_the_command_is_said() {
    let world = World::at_home().await;
    let chart = root().join("charts/home-beacon").display().to_string();
    let words = [&ALONE[..], &["--apply", "true", "--chart", &chart]].concat();
    let release = world.place.path().join("cluster/release");
    fs::write(&release, "{\"version\": 7, \"info\": {\"status\": \"deployed\"}}").expect("ours");
    let ended = world.run(&words).await;
    assert!(
        ended.stdout.contains("the release porchlight is there, and this setup did not make it"),
        "{}",
        ended.stdout
    );
    fs::remove_file(world.place.path().join("bin/helm")).expect("ours");
    let mut command = world.command(&words);
    command.env("PATH", format!("{}:/usr/bin:/bin", world.place.path().join("bin").display()));
    let ended = run(command, Duration::from_mins(1)).await;
    let said = "the program helm is missing: install helm (https://helm.sh/docs/intro/install/): the chart goes there by the command";
    assert!(ended.code == Some(0) && ended.stdout.contains(said), "{}{}", ended.stdout, ended.stderr);
    // Another cluster is not this folder's, whatever its context is called.
    fs::write(world.place.path().join("cluster/uid"), "another").expect("ours");
    for words in [&words[..], &["teardown"]] {
        let ended = world.run(words).await;
        let said = "this folder's home is in the cluster pi, and kubectl leads to another one of that name";
        assert!(ended.stdout.contains(said), "{}{}", ended.stdout, ended.stderr);
    }
    let other = world.place.path().join("bin/kubectl");
    let text = fs::read_to_string(&other)
        .expect("ours")
        .replace("echo pi", "echo work")
        .replace("--context pi", "--context work");
    fs::write(&other, text).expect("ours");
    for words in [&words[..], &["teardown"]] {
        let ended = world.run(words).await;
        assert!(
            ended.stdout.contains("this folder's home is in the cluster pi, and kubectl leads to work"),
            "{}",
            ended.stdout
        );
    }
}
