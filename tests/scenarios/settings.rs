//! Wrong settings stop every program at its start: one sentence, exit 2, and nothing opened or made.

use std::time::Duration;

use serde_json::Value;
use tests::{
    messages::without_link,
    process::{Ended, file, ours, run},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Command,
};

async fn ends(command: Command) -> Ended {
    run(command, Duration::from_secs(10)).await
}

/// Runs a program with variables and sees it refuse them with that sentence.
async fn refuses(program: &str, variables: &[(&str, &str)], arguments: &[&str], sentence: &str) {
    let mut command = ours(program);
    let folder = tempfile::tempdir().expect("a temporary folder");
    command.envs(variables.iter().copied()).args(arguments).current_dir(folder.path());
    let ended = ends(command).await;
    assert_eq!(ended.code, Some(2), "{program} {variables:?} {arguments:?}: {}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "one sentence: {}", ended.stderr);
    assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
    let made: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").collect();
    assert!(made.is_empty(), "nothing is made: {made:?}");
}

const TARGET: [(&str, &str); 4] = [
    ("CANARY_URL", "http://home.example:30008"),
    ("PAGE_ID", "gytm4qzbx9t6"),
    ("COMPONENT_ID", "8kbf7d35c070"),
    ("TOKEN", "hunter2"),
];

fn target_but<'a>(name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut target: Vec<_> = TARGET.into_iter().filter(|(other, _)| *other != name).collect();
    target.extend(value.map(|value| (name, value)));
    target
}

const ITSELF: &str = "9.9.9.9:443,home.example:443";
const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const TWO: &str = r#"[{"url":"http://one","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"},
    {"url":"http://two","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"}]"#;

#[tokio::test]
async fn the_prober_names_what_is_missing_or_wrong() {
    for (name, value, sentence) in [
        ("CANARY_URL", None, "CANARY_URL is not set"),
        ("PAGE_ID", None, "PAGE_ID is not set"),
        (
            "TOKEN",
            None,
            "STATUSPAGE_TOKEN is not set: set STATUSPAGE_TOKEN, or STATUSPAGE_TOKEN_FILE to a file that holds it, or \
             STATUSPAGE_TOKEN_PARAMETER",
        ),
        ("CANARY_URL", Some("home.example"), "invalid value 'home.example' for '--canary-url"),
        ("PAGE_ID", Some("gytm"), "invalid value 'gytm' for '--page-id <PAGE_ID>': an id is 12 lower-case"),
        ("COMPONENT_ID", Some("UPPERCASE123"), "'--component-id <COMPONENT_ID>': an id is 12 lower-case"),
        ("STATUSPAGE_URL", Some("ftp://x"), "an address begins with http:// or https://"),
        ("ATTEMPTS", Some("1"), "a run takes 2 to 5 attempts"),
        ("LOCATION", Some("EU"), "'--location <LOCATION>': a location is 1 to 16 lower-case letters, digits and -"),
        ("VANTAGE", Some("above"), "invalid value 'above' for '--vantage <VANTAGE>'"),
        ("METRIC_ID_RESPONSE", Some("ping"), "'--metric-id-response <METRIC_ID>': an id is 12 lower-case"),
        ("TARGETS", Some("[]"), "1 to 200 targets, not 0"),
        ("TOKEN_FILE", Some("/nowhere"), "TOKEN and TOKEN_FILE are both set"),
        (
            "STATUSPAGE_TOKEN",
            Some("x"),
            "STATUSPAGE_TOKEN and TOKEN are both set, and TOKEN is only what STATUSPAGE_TOKEN was",
        ),
        ("STATUSPAGE_TOKEN_PARAMETER", Some("/token"), "TOKEN and STATUSPAGE_TOKEN_PARAMETER are both set"),
        ("STATUSPAGE_TOKEN_PARAMETER", Some("token"), "STATUSPAGE_TOKEN_PARAMETER: a parameter's name is a path"),
        (
            "BEACON_KEY",
            Some("short"),
            "BEACON_KEY: a key is 43 letters, digits, - and _, as `porchlight keygen` writes it",
        ),
        ("BEACON_KEY_FILE", Some("/nowhere"), "BEACON_KEY_FILE: /nowhere cannot be read"),
        ("BEACON_KEY_OLD", Some(KEY), "there is an old key, but none that replaces it: set BEACON_KEY"),
        ("TARGETS", Some("[{]"), "TARGETS: this is not JSON"),
        ("TARGETS", Some(TWO), "two targets share the component 8kbf7d35c070"),
        ("TARGETS_PARAMETER", Some("/targets"), "TARGETS_PARAMETER and CANARY_URL are both set: keep one of them"),
        (
            "INCIDENT_AFTER",
            Some("30s"),
            "an outage lasts 1m or longer before an incident is opened; `never` opens none",
        ),
        ("WITNESSES", Some(ITSELF), "WITNESSES: the witness home.example:443 is the target itself"),
        ("WITNESSES", Some("home.duckdns.org:443"), "cannot be a witness: DuckDNS may be what fails"),
        ("WITNESSES", Some("9.9.9.9:443"), "at least one witness by an address and one by a name"),
        ("STATUSES", Some("cat=operational"), "`cat` is not a cause that has a status: it is one of slow, "),
        ("STATUSES", Some("slow=under_maintenance"), "`under_maintenance` is not a status that a prober may set"),
        ("DEGRADED_ABOVE", Some("5s"), "a connection has 4s at most"),
        ("LOG_LEVEL", Some("loud"), "a level is error, warn, info, debug or trace"),
    ] {
        refuses("lambda-prober", &target_but(name, value), &[], sentence).await;
    }
    let state = [&TARGET[..], &[("STATE_PARAMETER", "/state"), ("STATE_FILE", "state.json")]].concat();
    refuses("lambda-prober", &state, &[], "STATE_PARAMETER and STATE_FILE are both set: keep one of them").await;
    let key = [&TARGET[..], &[("BEACON_KEY", KEY), ("BEACON_KEY_PARAMETER", "/key")]].concat();
    refuses("lambda-prober", &key, &[], "BEACON_KEY and BEACON_KEY_PARAMETER are both set: keep one of them").await;
    refuses("lambda-prober", &[("TOKEN", "x")], &[], "there is nothing to probe").await;
    refuses("lambda-prober", &TARGET, &["--every", "1s"], "the interval is 15s or longer").await;
    refuses("lambda-prober", &TARGET, &["--once", "--every", "60s"], "cannot be used with").await;
    refuses("lambda-prober", &TARGET, &["--token", "x"], "unexpected argument '--token'").await;
}

#[tokio::test]
async fn a_token_is_never_repeated() {
    let mut command = ours("lambda-prober");
    command.envs(target_but("TOKEN", Some("hunter two")));
    let ended = ends(command).await;
    assert_eq!(ended.code, Some(2));
    assert!(!ended.stderr.contains("hunter"), "{}", ended.stderr);
    let mut command = ours("lambda-prober");
    command.envs(TARGET).arg("--help");
    let ended = ends(command).await;
    assert!(!ended.stdout.contains("hunter"), "{}", ended.stdout);
    for (name, value) in [
        ("CANARY_URL", "http://user:hunter2@home/"),
        ("TARGETS", r#"[{"url":"http://user:hunter2@home/","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"}]"#),
    ] {
        let mut command = ours("lambda-prober");
        command.envs(target_but(name, Some(value)));
        let ended = ends(command).await;
        assert_eq!(ended.code, Some(2));
        assert!(!ended.stderr.contains("hunter") && ended.stderr.contains("…@home"), "{}", ended.stderr);
    }
    assert!(ended.stdout.contains("TOKEN_FILE"), "{}", ended.stdout);
}

#[tokio::test]
async fn the_function_refuses_its_settings_before_it_polls() {
    let runtime = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
    refuses("lambda-prober", &[runtime, ("PAGE_ID", "x")], &[], "'--page-id <PAGE_ID>'").await;
    refuses("lambda-prober", &[runtime], &[], "TOKEN is not set").await;
}

/// Who invokes the function sees only what was sent to the runtime API.
#[tokio::test]
async fn the_function_sends_the_runtime_api_the_same_sentence() {
    for (name, value) in [
        ("BEACON_KEY", "short"),
        ("TARGETS", "[{]"),
        ("TARGETS", TWO),
        ("TOKEN_FILE", "/nowhere"),
        ("WITNESSES", ITSELF),
    ] {
        let api = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = api.local_addr().expect("an address").to_string();
        let listening = tokio::spawn(async move {
            let (mut stream, _) = api.accept().await.expect("it calls");
            let mut received = String::new();
            while !received.ends_with('}') {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).await.expect("it speaks");
                assert!(read > 0, "{received}");
                received += &String::from_utf8_lossy(&piece[..read]);
            }
            let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("it listens");
            received
        });
        let mut command = ours("lambda-prober");
        command.envs(TARGET).env(name, value).env("AWS_LAMBDA_RUNTIME_API", address);
        let ended = ends(command).await;
        let received = listening.await.expect("it was called");
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(2), 1), "{}", ended.stderr);
        assert!(received.starts_with("POST /2018-06-01/runtime/init/error HTTP/1.1"), "{received}");
        let (_, body) = received.split_once("\r\n\r\n").expect("a body");
        let document: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(document["errorMessage"], without_link(&ended.stderr), "{name}");
    }
}

#[tokio::test]
async fn beacon_and_tool_name_what_is_wrong() {
    refuses("beacon", &[("PUBLIC_ADDR", "8080")], &[], "is written like 127.0.0.1:8080").await;
    refuses("beacon", &[("MAX_CONNECTIONS", "0")], &[], "0 is not in 1..=16384").await;
    refuses("beacon", &[("BEACON_KEY", "short")], &[], "BEACON_KEY: a key is 43 letters").await;
    refuses(
        "beacon",
        &[("BEACON_KEY", KEY), ("BEACON_KEY_FILE", "/k")],
        &[],
        "BEACON_KEY and BEACON_KEY_FILE are both",
    )
    .await;
    refuses("beacon", &[], &["--port", "1"], "unexpected argument '--port'").await;
    refuses("porchlight", &[], &["demo", "--restore-after", "5s"], "--restore-after needs --cut-after").await;
    refuses("porchlight", &[], &["demo", "--for", "soon"], "a duration is written like 5s").await;
}

#[tokio::test]
async fn the_keeper_names_what_is_missing_or_wrong() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let seed = |name: &str, text: &str| file(elsewhere.path(), name, text);
    let page = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n";
    let token = ("KEEPER_TOKEN", "hunter2-and-longer");
    for (name, value, sentence) in [
        ("KEEPER_ADDR", "here".to_owned(), "invalid value 'here' for '--keeper-addr"),
        ("KEEPER_RATE_LIMIT", "many".to_owned(), "invalid value 'many' for '--keeper-rate-limit"),
        ("DATABASE_URL", "postgres://x".to_owned(), "'--database-url <DATABASE_URL>': only sqlite:"),
        ("DATABASE_URL", "sqlite:/nowhere/k.db".to_owned(), "DATABASE_URL: /nowhere is no folder: make it"),
        (
            "DATABASE_URL",
            format!("sqlite:{}", seed("text.db", "this is no database at all, but a text")),
            "file is not a database",
        ),
        ("DATABASE_URL", "sqlite::memory:".to_owned(), "it keeps nothing: name a file"),
        (
            "DATABASE_URL",
            "postgres://u:hunter2@db/x".to_owned(),
            "invalid value 'postgres://…@db/x' for '--database-url <DATABASE_URL>': only sqlite:",
        ),
        ("KEEPER_SEED", "/nowhere.toml".to_owned(), "KEEPER_SEED: /nowhere.toml: cannot be read"),
        ("KEEPER_SEED", seed("key.toml", &format!("{page}colour = \"red\"\n")), "line 4: unknown field `colour`"),
        ("KEEPER_SEED", seed("id.toml", &page.replace("gytm", "GYTM")), "an id is 12 lower-case letters and digits"),
        ("KEEPER_SEED", seed("toml.toml", "[page"), "line 1"),
    ] {
        refuses("keeper", &[token, (name, &value)], &[], sentence).await;
    }
    refuses("keeper", &[], &[], "KEEPER_TOKEN is not set").await;
    refuses("keeper", &[("KEEPER_TOKEN", "short")], &[], "KEEPER_TOKEN has 5 characters").await;
    refuses("beacon", &[("STOP_DELAY", "20m")], &[], "a delay is 0s").await;
}

#[tokio::test]
async fn check_says_that_good_settings_are_good_and_opens_nothing() {
    for (program, variables) in
        [("lambda-prober", &TARGET[..]), ("beacon", &[]), ("keeper", &[("KEEPER_TOKEN", "sixteen-or-more-")])]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = ours(program);
        command.envs(variables.iter().copied()).arg("--check").current_dir(folder.path());
        let ended = ends(command).await;
        assert_eq!(ended.code, Some(0), "{program}: {}", ended.stderr);
        assert!(ended.stdout.starts_with("The settings are in order"), "{}", ended.stdout);
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }
}
