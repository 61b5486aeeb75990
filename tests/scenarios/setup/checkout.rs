//! A setup in a checkout, which builds the function and deploys it by `cargo lambda`. The build is tests/run's own, or none: what is
//! deployed is never run here.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tests::{
    binaries::root,
    duckdns,
    keeper::{PAGE, TOKEN},
    process::{file, run},
    skip::program,
};

use super::world::{World, steps};

/// A `cargo` that knows two commands, and gets no secret. Where the function is built, the real one deploys it.
const CARGO: &str = r#"#!/bin/sh
[ -z "$STATUSPAGE_TOKEN$DUCKDNS_TOKEN$BEACON_KEY" ] || exit 9
printf 'cargo %s\n' "$*" >> "$CALLS"
[ "$*" != "lambda build --package lambda-prober --release --arm64" ] || exit 0
[ "$1 $2 $3 $4 $6 $7" = "lambda deploy lambda-prober --role --merge-env --env-file" ] || exit 8
if [ -n "$REAL_LAMBDA" ]; then cd "$CHECKOUT" && PATH=${PATH#*:} exec "$REAL_LAMBDA" "$@"; fi
exec "$REAL_AWS" lambda create-function --function-name lambda-prober --role "$5" --runtime provided.al2023 --architectures arm64 \
  --handler bootstrap --memory-size 128 --timeout 55 --zip-file "fileb://$ZIP" --environment "Variables={$(paste -sd, "$8")}"
"#;

#[tokio::test]
async fn in_a_checkout_the_function_is_built_and_deployed_once_with_its_settings_and_no_secret() {
    let Some(world) = World::begin("a setup in a checkout").await else { return };
    let bin = world.place.path().join("bin");
    for (name, text) in [("cargo", CARGO), ("cargo-lambda", "#!/bin/sh\nexit 7\n")] {
        let path = file(&bin, name, text);
        fs::set_permissions(Path::new(&path), fs::Permissions::from_mode(0o755)).expect("it can be run");
    }
    let words = ["setup", "--yes", "--home", "home", "--component-name", "The line"];
    let set_up = async |words: &[&str]| {
        let mut command = world.command(words);
        command.env("ZIP", world.zip()).env("CHECKOUT", root());
        let is_built = root().join("target/lambda/lambda-prober/bootstrap").is_file();
        if let Some(real) = program("cargo-lambda").filter(|_| is_built) {
            command.env("REAL_LAMBDA", real);
        }
        run(command, std::time::Duration::from_mins(3)).await
    };
    let ended = set_up(&words).await;
    let said = "--function: there is no lambda-prober/Cargo.toml here to build: run this in a checkout";
    assert!(ended.code == Some(2) && ended.stderr.contains(said), "{}{}", ended.stdout, ended.stderr);

    fs::create_dir(world.place.path().join("lambda-prober")).expect("a folder");
    file(world.place.path(), "lambda-prober/Cargo.toml", "");
    let dry = set_up(&[&words[..], &["--dry-run"]].concat()).await;
    let announced = "would   call cargo lambda build --package lambda-prober --release --arm64\n";
    assert!(dry.code == Some(0) && dry.stdout.contains(announced), "{}{}", dry.stdout, dry.stderr);
    assert!(!world.calls().contains("cargo ") && world.things().await.is_empty(), "{}", world.calls());

    let first = set_up(&words).await;
    assert_eq!(steps(&first.stdout, "failed"), ["the first look"], "{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("done    the function: built and deployed lambda-prober"), "{}", first.stdout);
    let function = world.moto().ok(&["lambda", "get-function-configuration", "--function-name", "lambda-prober"]).await;
    let set = &function["Environment"]["Variables"];
    assert_eq!(
        (set["CANARY_URL"].as_str(), set["PAGE_ID"].as_str()),
        (Some("http://home.duckdns.org:30008"), Some(PAGE))
    );
    let key = fs::read_to_string(world.folder().join("beacon.key")).expect("the key").trim().to_owned();
    let seen = format!("{}{}{}{set}", first.stdout, first.stderr, world.calls());
    assert!([TOKEN, duckdns::TOKEN, &key].iter().all(|secret| !seen.contains(secret)), "{seen}");

    let again = set_up(&words).await;
    assert!(steps(&again.stdout, "already").contains(&"the function"), "{}{}", again.stdout, again.stderr);
    assert_eq!(world.calls().matches("cargo lambda deploy").count(), 1, "{}", world.calls());
    let gone = world.run(&["teardown"]).await;
    assert!(gone.code == Some(0) && world.things().await.is_empty(), "{}{}", gone.stdout, gone.stderr);
}
