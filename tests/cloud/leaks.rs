//! No secret in any output: every program, at the most talkative log level, through `--help`, `--check`, good runs and
//! every error path that has a secret at hand.

use std::{panic::AssertUnwindSafe, time::Duration};

use serde_json::json;
use shared::{
    proof::Key,
    secret::{Secret, SecretSource},
};
use tests::{
    aws::{Reply, ScriptedStore, point, pointed_at},
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{Keeper, PAGE, TOKEN, keeper_command},
    lambda::{Lambda, probes, rule},
    prober::prober_command,
    process::{Process, file, ours, run},
    statuspage::{Fault, Statuspage},
};
use tokio::process::Command;

const TOKEN_AT: &str = "/porchlight/statuspage-token";
const KEY_AT: &str = "/porchlight/beacon-key";

/// A value that is wrong in its place, and a secret all the same.
const WRONG: &str = "hunter2-hunter2-hunter2";

fn key(number: u8) -> String {
    Key::new([number; 32]).expose()
}

/// Everything that must never be seen.
fn secrets() -> Vec<String> {
    let [.., (_, access), _] = pointed_at("");
    vec![TOKEN.to_owned(), key(1), key(2), access, WRONG.to_owned()]
}

/// What was printed, and by which program.
#[derive(Default)]
struct Ear(Vec<(String, String)>);

impl Ear {
    /// Runs a command to its end at the most talkative level.
    async fn run(&mut self, what: &str, mut command: Command) -> Option<i32> {
        command.env("LOG_LEVEL", "trace");
        let ended = run(command, Duration::from_secs(60)).await;
        self.0.push((what.to_owned(), format!("{}{}", ended.stdout, ended.stderr)));
        ended.code
    }

    fn collect(&mut self, what: &str, process: &Process) {
        self.0.push((what.to_owned(), process.lines().join("\n")));
    }

    /// No program gave a secret away, whole or by its first half.
    fn nothing_was_given_away(&self) {
        for (what, text) in &self.0 {
            for secret in secrets() {
                let half = &secret[..secret.len() / 2];
                if let Some(line) = text.lines().find(|line| line.contains(half)) {
                    panic!("{what} gives away a secret: {line}");
                }
            }
        }
    }

    fn was_talkative(&self, what: &str) {
        let (_, text) = self.0.iter().find(|(who, _)| who == what).expect("it was collected");
        assert!(text.contains(r#""level":"TRACE""#), "{what} said little: {text}");
    }
}

/// The good secrets, by variable.
fn armed(command: &mut Command) {
    command.env("TOKEN", TOKEN).env("BEACON_KEY", key(1)).env("BEACON_KEY_OLD", key(2)).env("KEEPER_TOKEN", TOKEN);
}

#[tokio::test]
async fn help_check_and_refusals_print_no_secret() {
    let mut ear = Ear::default();
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = file(folder.path(), "wrong", WRONG);
    let programs = "lambda-prober beacon keeper porchlight ping bandwidth dns checks heartbeat node-metrics";
    for program in programs.split(' ') {
        for words in [&["--help"][..], &["-h"], &["--version"], &["--check"], &["--nonsense"], &["--token", WRONG]] {
            let mut command = ours(program);
            armed(&mut command);
            command.args(words).current_dir(folder.path());
            ear.run(&format!("{program} {}", words[0]), command).await;
        }
        for (name, value) in [
            ("BEACON_KEY", WRONG),
            ("BEACON_KEY_OLD", WRONG),
            ("BEACON_KEY_FILE", &wrong),
            ("TOKEN", "hunter2-hunter2-hunter2 "),
            ("TOKEN_FILE", &wrong),
            ("KEEPER_TOKEN", "hunter2-hunter2-hunter2\u{e9}"),
            ("KEEPER_TOKEN_FILE", &wrong),
            ("CANARY_URL", "http://user:hunter2-hunter2-hunter2@home/"),
            ("STATUSPAGE_URL", "http://hunter2-hunter2-hunter2@home/v1"),
            ("DATABASE_URL", "postgres://u:hunter2-hunter2-hunter2@db/x"),
            ("KEEPER_URL", "http://u:hunter2-hunter2-hunter2@keeper/"),
            ("LOG_LEVEL", "loud"),
            ("STATUSPAGE_TOKEN_PARAMETER", WRONG),
            ("BEACON_KEY_PARAMETER", WRONG),
            ("BEACON_KEY_OLD_PARAMETER", WRONG),
            ("TARGETS_PARAMETER", WRONG),
            ("STATE_PARAMETER", WRONG),
            (
                "TARGETS",
                r#"[{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070","key_parameter":"hunter2-hunter2-hunter2"}]"#,
            ),
            (
                "TARGETS",
                r#"[{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070","key":"hunter2-hunter2-hunter2"}]"#,
            ),
        ] {
            let mut command = prober_command("http://127.0.0.1:1", "http://127.0.0.1:1/v1");
            if program != "lambda-prober" {
                command = ours(program);
            }
            armed(&mut command);
            command.env(name, value).arg("--check").current_dir(folder.path());
            if !name.ends_with("_FILE") {
                ear.run(&format!("{program} {name}"), command).await;
                continue;
            }
            ear.run(&format!("{program} {name} beside the variable"), command).await;
            let mut alone = ours(program);
            alone.env(name, value).arg("--check").current_dir(folder.path());
            ear.run(&format!("{program} {name}"), alone).await;
        }
    }
    ear.nothing_was_given_away();
}

#[tokio::test]
async fn runs_print_no_secret_whatever_happens() {
    let mut ear = Ear::default();
    let keeper = Keeper::start_with(|command| {
        command.env("LOG_LEVEL", "trace");
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let key_file = file(folder.path(), "key", &key(1));
    let mut command = ours("beacon");
    command.env("BEACON_KEY_FILE", &key_file).env("LOG_LEVEL", "trace");
    let beacon = Beacon::run(command, "127.0.0.1:0").await;
    let refused = Fault::Answer { status: 401, headers: "", body: r#"{"error":"Could not authenticate"}"# };
    let strict = Statuspage::open(&keeper, [], refused).await;
    let breaks = Statuspage::open(&keeper, [], Fault::Dropped).await;
    let stranger = Home::open(Manner::Claims("v1;up=5;age=5;mac=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).await;

    let parameters =
        |token: &str, key: &str| Reply::Parameters(vec![(TOKEN_AT, token.to_owned()), (KEY_AT, key.to_owned())]);
    let error = |code| Reply::Error(400, code, "no");
    let stores = [
        ("good parameters", parameters(TOKEN, &key(1))),
        ("a wrong key", parameters(TOKEN, WRONG)),
        ("a wrong token", parameters("hunter2-hunter2-hunter2 x", &key(1))),
        ("denied", error("AccessDeniedException")),
        ("throttled", error("ThrottlingException")),
        ("hung up", Reply::Dropped),
        ("not AWS", Reply::Html),
    ];
    let mut runs = Vec::new();
    for (what, reply) in stores {
        let store = ScriptedStore::open([], reply).await;
        let mut command = prober_command(&beacon.url(), &keeper.api());
        point(&mut command, &store.endpoint);
        command
            .env_remove("TOKEN")
            .env("STATUSPAGE_TOKEN_PARAMETER", TOKEN_AT)
            .env("BEACON_KEY_PARAMETER", KEY_AT)
            .env("STATE_PARAMETER", "/porchlight/state");
        runs.push((what, command, Some(store)));
    }
    for (what, home, api) in [
        ("all is well", beacon.url(), keeper.api()),
        ("a refused token", beacon.url(), strict.api.clone()),
        ("a broken page", beacon.url(), breaks.api.clone()),
        ("a stranger", stranger.url(), keeper.api()),
        ("an endpoint that is none", beacon.url(), beacon.url()),
    ] {
        let mut command = prober_command(&home, &api);
        armed(&mut command);
        command.env("STATE_FILE", folder.path().join(format!("{what}.json")));
        runs.push((what, command, None));
    }
    let running = runs.into_iter().map(|(what, mut command, store)| {
        tokio::spawn(async move {
            command.env("LOG_LEVEL", "trace").args(["--once", "--json"]);
            let ended = run(command, Duration::from_secs(60)).await;
            drop(store);
            (what.to_owned(), format!("{}{}", ended.stdout, ended.stderr))
        })
    });
    for run in running.collect::<Vec<_>>() {
        ear.0.push(run.await.expect("it runs"));
    }
    ear.was_talkative("good parameters");
    ear.was_talkative("all is well");

    let store = ScriptedStore::open([parameters(TOKEN, &key(1))], error("AccessDeniedException")).await;
    let start = |command: &mut Command| {
        probes(&beacon.url())(command);
        point(command, &store.endpoint);
        command.env("STATUSPAGE_TOKEN_PARAMETER", TOKEN_AT).env_remove("TOKEN");
        command.env("BEACON_KEY_PARAMETER", KEY_AT).env("LOG_LEVEL", "trace");
    };
    if let Some(lambda) = Lambda::start("leaks", &keeper.api(), start).await {
        lambda.invoke(&rule()).await;
        lambda.invoke(&json!({"nothing": WRONG.len()})).await;
        ear.collect("the function", &lambda.function);
        ear.was_talkative("the function");
    }

    // The beacon loses its key, and a client asks the keeper with another token.
    file(folder.path(), "key", WRONG);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let noticed = async {
        while !beacon.process.lines().iter().any(|line| line.contains("the last key stays in use")) {
            let challenged = http.get(beacon.url()).header("porchlight-challenge", "A".repeat(43)).send().await;
            assert!(
                challenged.expect("an answer").headers().contains_key("porchlight-proof"),
                "the last key stays in use"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noticed).await.expect("the beacon reads its file again");
    for path in [format!("/pages/{PAGE}"), format!("/pages/{PAGE}/components.json?api_key={WRONG}")] {
        let stranger = http.get(format!("{}{path}", keeper.api())).header("authorization", format!("OAuth {WRONG}"));
        assert_eq!(stranger.send().await.expect("an answer").status(), 401);
    }
    ear.collect("the beacon", &beacon.process);
    ear.collect("the keeper", &keeper.process);
    ear.nothing_was_given_away();
}

#[tokio::test]
async fn a_function_with_secrets_in_variables_says_that_all_can_read_them() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    let start = |command: &mut Command| {
        probes(&beacon.url())(command);
        command.env("BEACON_KEY", key(1)).env("LOG_LEVEL", "trace");
    };
    let Some(lambda) = Lambda::start("visible secrets", &keeper.api(), start).await else { return };
    assert_eq!(lambda.invoke(&rule()).await["targets"][0]["outcome"], "agrees");
    for name in ["TOKEN", "BEACON_KEY"] {
        let warned = format!("{name} is a plain variable of the function");
        assert!(lambda.function.lines().iter().any(|line| line.contains("WARN") && line.contains(&warned)), "{name}");
    }
    let mut ear = Ear::default();
    ear.collect("the function", &lambda.function);
    ear.nothing_was_given_away();
}

/// What a panic could print: `Debug` of whatever holds a secret.
#[tokio::test]
async fn a_panic_shows_no_secret() {
    use home_beacon::{beacon::Prover, clock::Host};
    use lambda_prober::{
        kept::secrets::{Places, Secrets},
        mode::Mode,
        run::Prober,
    };
    use shared::statuspage::Client;

    let source = |text: &str| SecretSource::Value(Secret::new(text));
    let places = Places::local(source(TOKEN), Some(source(&key(1))), None);
    let api = "http://127.0.0.1:1/v1".parse().expect("an address");
    let http = shared::http::client_for([&api], shared::http::Deadlines::default()).expect("a client");
    let client = Client::new(http, &api, Secret::new(TOKEN));
    let beacon = Prover::new(source(&key(1)), Host::system()).expect("a key");
    let prober = Prober::new(api, Secrets::new(places.clone()), Mode::DryRun);
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        panic!("{places:?} {client:?} {beacon:?} {prober:?} {:?}", Key::new([1; 32]))
    }));
    let payload = panicked.expect_err("it panics");
    let text = payload.downcast_ref::<String>().expect("a text").clone();
    assert!(text.contains("hidden"), "{text}");
    let mut ear = Ear::default();
    ear.0.push(("a panic".into(), text));
    // A keeper that cannot start has its token at hand too.
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = keeper_command(folder.path());
    command.env("DATABASE_URL", "sqlite:/nowhere/k.db");
    assert_eq!(ear.run("a keeper that cannot start", command).await, Some(2));
    ear.nothing_was_given_away();
}
