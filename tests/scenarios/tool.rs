//! `porchlight probe` and `porchlight readings`, which a person, and `helm test`, asks about a home; and what `porchlight` says of
//! the programs' command lines.

use std::{fs, process::Stdio, time::Duration};

use tests::{
    beacon::Beacon,
    binaries::root,
    home::{Home, Manner},
    keeper::{Keeper, TOKEN},
    messages,
    prober::witnesses,
    process::{Ended, command, file, ours, run},
    skip::{program, skip},
    statuspage::{Fault, Statuspage},
};
use tokio::io::AsyncWriteExt;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

async fn probe(url: &str, key: Option<&str>, witness: &Home) -> Ended {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = ours("porchlight");
    command.args(["probe", url, "--attempts", "2"]).env("WITNESSES", witnesses(&witness.url()));
    if let Some(key) = key {
        command.env("BEACON_KEY_FILE", file(folder.path(), "key", key));
    }
    run(command, Duration::from_secs(60)).await
}

#[tokio::test]
async fn a_probe_says_whether_the_home_is_up_and_proven() {
    let beacon = Beacon::with_key("127.0.0.1:0", KEY).await;
    let closed = Home::open(Manner::Refuses).await;
    let witness = Home::open(Manner::Silent).await;
    let stranger = Home::open(Manner::Answers("HTTP/1.1 200 OK\r\nContent-Length: 0")).await;
    let pointing = "HTTP/1.1 302 Found\r\nLocation: /login\r\nServer: router\r\nVia: 1.1 proxy";
    let pointing = Home::open(Manner::Answers(pointing)).await;
    let old =
        "HTTP/1.1 200 OK\r\nAge: 30\r\nPorchlight-Proof: v1;up=1;age=1;mac=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let cached = Home::open(Manner::Answers(old)).await;
    let seen = format!("HTTP 302, no proof  (Location: {}login, Server: router, Via: 1.1 proxy)", pointing.url());
    let encrypted = beacon.url().replace("http:", "https:");
    let probes = [
        (&beacon.url(), Some(KEY), 0, "HTTP 200, proven (host up"),
        (&beacon.url(), None, 0, "up: The home answers."),
        (&stranger.url(), None, 0, "up: The home answers."),
        (&stranger.url(), Some(KEY), 1, "down (unproven)"),
        (&pointing.url(), Some(KEY), 1, &seen),
        (&pointing.url(), Some(KEY), 1, ", Via: 1.1 proxy), a redirect, which is not followed: name the address"),
        (&pointing.url(), None, 0, ", Server: router, Via: 1.1 proxy)"),
        (&cached.url(), Some(KEY), 1, "a proof that does not fit  (age: 30)"),
        (&cached.url(), Some(KEY), 1, "  The answer is perhaps an old one out of a cache (age: 30), so"),
        (&encrypted, Some(KEY), 1, "  What answers does not speak TLS: check the port, or ask by http://.\n"),
        (&closed.url(), Some(KEY), 1, "attempt 2 at"),
        (&closed.url(), None, 1, "down (refused)"),
        (&closed.url(), Some("short"), 2, "BEACON_KEY_FILE"),
        (&"home".to_owned(), None, 2, "invalid value 'home' for '<URL>'"),
    ];
    let probes = probes.map(async |(url, key, code, said)| {
        let ended = probe(url, key, &witness).await;
        assert_eq!(ended.code, Some(code), "{url} {ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(said), "`{said}` is not in {ended:?}");
        assert!(!ended.stderr.contains(KEY), "{ended:?}");
    });
    futures_util::future::join_all(probes).await;
}

#[tokio::test]
async fn readings_are_shown_and_waited_for() {
    let keeper = Keeper::start().await;
    let readings = |arguments: &[&str], token: &str| {
        let mut command = ours("porchlight");
        command.arg("readings").args(arguments).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", token);
        run(command, Duration::from_secs(40))
    };
    let none = readings(&[], TOKEN).await;
    assert_eq!((none.code, none.stdout.trim()), (Some(1), "the keeper has no reading of ping of the last 1h"));
    let wrong = readings(&[], "wrong").await;
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.contains("the token is refused") && wrong.stderr.contains("check KEEPER_TOKEN"), "{wrong:?}");

    // What is asked for and not there yet is seen on its way to the keeper.
    let way = Statuspage::open(&keeper, [], Fault::None).await;
    let mut waiting = ours("porchlight");
    waiting.args(["readings", "ping", "--within", "10m", "--wait", "30s"]);
    waiting.env("KEEPER_URL", way.api.trim_end_matches("/v1")).env("KEEPER_TOKEN", TOKEN);
    let measure = async {
        while way.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut ping = ours("ping");
        ping.args(["--target-host", "127.0.0.1", "--count", "1"]);
        ping.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
        run(ping, Duration::from_secs(20)).await
    };
    let (shown, measured) = tokio::join!(run(waiting, Duration::from_secs(40)), measure);
    assert_eq!((shown.code, measured.code), (Some(0), Some(0)), "{shown:?} {measured:?}");
    assert!(way.calls().len() > 1, "it waited");
    assert_eq!(shown.stdout.lines().count(), 1, "{shown:?}");
}

#[tokio::test]
async fn a_copy_of_the_program_runs_and_where_none_can_be_written_that_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = |to: std::path::PathBuf| {
        let mut porchlight = ours("porchlight");
        porchlight.arg("copy").arg(to);
        run(porchlight, Duration::from_secs(20))
    };
    for _ in 0..2 {
        let copied = copy(folder.path().to_owned()).await;
        assert_eq!(copied.code, Some(0), "{copied:?}");
    }
    let names: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|it| it.expect("a file").file_name()).collect();
    assert_eq!(names, ["porchlight"], "nothing else is left behind");
    let mut checks = command(folder.path().join("porchlight"));
    checks.args(["checks", "--version"]);
    let version = run(checks, Duration::from_secs(10)).await;
    assert!(version.code == Some(0) && version.stdout.starts_with("checks "), "{version:?}");
    let missing = copy(folder.path().join("nowhere")).await;
    let said = format!("{}/nowhere/.porchlight.partial cannot be written", folder.path().display());
    assert!(missing.code == Some(1) && missing.stderr.contains(&said), "{missing:?}");
}

/// The programs, a flag of each, and a secret of it where it has one.
const PROGRAMS: [(&str, &str, &str); 10] = [
    ("porchlight", "--log-level", ""),
    ("beacon", "--stop-delay", "BEACON_KEY"),
    ("keeper", "--upstream-url", "UPSTREAM_TOKEN"),
    ("ping", "--target-host", "KEEPER_TOKEN"),
    ("bandwidth", "--max-bytes", "KEEPER_TOKEN"),
    ("dns", "--address-sources", "DUCKDNS_TOKEN"),
    ("checks", "--checks-file", "KEEPER_TOKEN"),
    ("heartbeat", "--component-id", "HEARTBEAT_URL"),
    ("node-metrics", "--sys-dir", ""),
    ("lambda-prober", "--canary-url", "BEACON_KEY_OLD"),
];

#[tokio::test]
async fn completions_name_the_flags_of_each_program_and_bash_takes_them() {
    let completions = async |arguments: &[&str]| {
        let mut porchlight = ours("porchlight");
        porchlight.arg("completions").args(arguments);
        run(porchlight, Duration::from_secs(10)).await
    };
    for (name, flag, _) in PROGRAMS {
        let script = completions(&["bash", "--program", name]).await.stdout;
        assert!(script.contains(flag) && script.ends_with(&format!(" {name}\nfi\n")), "{name}: {script}");
        let mut bash = command("bash");
        let mut bash = bash.arg("-n").stdin(Stdio::piped()).spawn().expect("bash is there");
        bash.stdin.take().expect("a pipe").write_all(script.as_bytes()).await.expect("it reads");
        let ended = bash.wait_with_output().await.expect("it ends");
        assert!(ended.status.success() && ended.stderr.is_empty(), "{name}: {ended:?}");
    }
    assert_eq!(completions(&["bash"]).await.stdout, completions(&["bash", "--program", "porchlight"]).await.stdout);
    let porchlight = completions(&["bash"]).await.stdout;
    for flag in ["--upstream-url", "--target-host", "--canary-url"] {
        assert!(porchlight.contains(flag), "the flags of its programs: {flag}");
    }
    for shell in ["elvish", "fish", "powershell", "zsh"] {
        assert!(completions(&[shell]).await.stdout.contains("cut-after"), "{shell}");
    }
    let unknown = completions(&["bash", "--program", "router"]).await;
    assert!(unknown.code == Some(2) && unknown.stderr.contains("lambda-prober"), "{unknown:?}");
}

#[tokio::test]
async fn each_program_has_a_man_page_with_its_flags_variables_and_secrets() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pages = folder.path().join("man1");
    let mut porchlight = ours("porchlight");
    // The value of a variable is not part of a page.
    porchlight.args(["man", "--out"]).arg(&pages).env("KEEPER_URL", "http://hunter2.example");
    let written = run(porchlight, Duration::from_secs(10)).await;
    assert_eq!(written.code, Some(0), "{written:?}");
    assert!(written.stdout.lines().any(|line| line.ends_with("/porchlight-readings.1")), "{written:?}");
    for (name, flag, secret) in PROGRAMS {
        let page = if ["porchlight", "lambda-prober"].contains(&name) { name } else { &format!("porchlight-{name}") };
        let text = fs::read_to_string(pages.join(format!("{page}.1"))).expect("a page").replace("\\-", "-");
        for part in [flag, secret, "\\fBLOG_LEVEL\\fR environment variable", "-V\\fR, "] {
            assert!(text.contains(part), "{name}: `{part}` is not in {text}");
        }
    }
    if program("groff").is_none() {
        return skip("man pages", "groff is missing; tests/run installs it");
    }
    for page in written.stdout.lines() {
        assert!(!fs::read_to_string(page).expect("a page").contains("hunter2"), "{page}");
        // A page so wide that each word has room.
        let mut groff = command("groff");
        groff.args(["-man", "-Kutf8", "-Tutf8", "-ww", "-z", "-rLL=200n", page]);
        let ended = run(groff, Duration::from_secs(10)).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{page}");
    }
}

#[tokio::test]
async fn porchlight_and_the_name_of_a_program_do_what_that_program_does() {
    let called = async |program: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = ours(program);
        command.args(arguments).envs(variables.iter().copied());
        run(command, Duration::from_secs(20)).await
    };
    for (name, flag, secret) in &PROGRAMS[1..] {
        let name = if *name == "lambda-prober" { "prober" } else { name };
        let own = if name == "prober" { "lambda-prober" } else { name };
        let help = called("porchlight", &[name, "--help"], &[]).await;
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{name}");
        let secret = if secret.is_empty() { String::new() } else { format!("{secret}_FILE naming a file") };
        for part in [format!("Usage: porchlight {name} "), (*flag).to_owned(), secret] {
            assert!(help.stdout.contains(&part), "{name}: `{part}` is not in {}", help.stdout);
        }
        let listed = called("porchlight", &["help", name], &[]).await;
        assert!(listed.stdout.contains(flag), "{name}: {listed:?}");
        let wrong = [("LOG_LEVEL", "loud")];
        let (ours, theirs) = (called("porchlight", &[name], &wrong).await, called(own, &[], &wrong).await);
        assert_eq!((ours.code, &ours.stderr), (theirs.code, &theirs.stderr), "{name}");
        assert!(ours.code == Some(2) && ours.stderr.contains("'loud'"), "{name}: {ours:?}");
    }
    let variables = [("TARGET_HOST", "127.0.0.1")];
    let ping = ["--dry-run", "--count", "1", "--json"];
    let (ours, theirs) = (
        called("porchlight", &[&["ping"], &ping[..]].concat(), &variables).await,
        called("ping", &ping, &variables).await,
    );
    assert_eq!((ours.code, theirs.code), (Some(0), Some(0)), "{ours:?}, {theirs:?}");
    assert!(ours.stdout.contains(r#""ending":"done""#), "{ours:?}");
    let debug = called("porchlight", &["--log-level", "debug", "keeper", "--check"], &[("KEEPER_TOKEN", TOKEN)]).await;
    assert_eq!((debug.code, debug.stdout.contains("The settings are in order")), (Some(0), true), "{debug:?}");
}

#[tokio::test]
async fn what_a_program_prints_ends_with_a_link_to_a_message_of_the_document() {
    let document = fs::read_to_string(root().join("infra/MESSAGES.md")).expect("the messages");
    let called = async |program: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = ours(program);
        command.args(arguments).envs(variables.iter().copied());
        let ended = run(command, Duration::from_secs(40)).await;
        format!("{}{}", ended.stdout, ended.stderr)
    };
    let (closed, witness) = (Home::open(Manner::Refuses).await, Home::open(Manner::Silent).await);
    let witnesses = witnesses(&witness.url());
    let keeper = [("KEEPER_URL", "http://127.0.0.1:9"), ("KEEPER_TOKEN", TOKEN)];
    for (printed, link) in [
        (called("porchlight", &["probe", &closed.url()], &[("WITNESSES", &witnesses)]).await, "down-refused"),
        (called("beacon", &["--public-addr", "192.0.2.7:8080"], &[]).await, "listen-no-such-address"),
        (called("ping", &["--count", "many"], &[]).await, "settings"),
        (called("porchlight", &["readings"], &keeper).await, "call-no-answer"),
        (called("keeper", &[], &[("KEEPER_TOKEN", TOKEN), ("DATABASE_URL", "sqlite:/proc/self/exe")]).await, ""),
    ] {
        let links = messages::links(&printed);
        assert_eq!(links.len(), 1, "one link: {printed}");
        assert!(link.is_empty() || links == [link], "{links:?}: {printed}");
        assert!(document.contains(&format!("\n### {}\n", links[0])), "{links:?} is no heading");
    }
}

#[tokio::test]
async fn what_homes_cost_is_counted_without_asking_anybody() {
    let cost = async |words: &[&str]| {
        let mut command = ours("porchlight");
        command.arg("cost").args(words);
        run(command, Duration::from_secs(10)).await
    };
    let ended = cost(&[]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.starts_with("| homes | 1 | 10 | 1000 | 10000 |\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("1000 homes: statuspage.io takes 60 calls a minute"), "{}", ended.stdout);
    let ended = cost(&["--homes", "1", "--run", "4s", "--json"]).await;
    let bills: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&bills[0]["homes"], &bills[0]["lines"][1]["amount"]), (&1.into(), &22_320.0.into()));
    let ended = cost(&["--homes", "58", "--heartbeats"]).await;
    assert!(ended.stdout.contains("set CapacityUnits to 2, of which 25 are free"), "{}", ended.stdout);
    for (words, said) in [
        (
            ["--homes", "0"],
            "invalid value '0' for '--homes <N>': write how many homes, from 1 to 4294967295, with commas",
        ),
        (["--homes", "1,many"], "invalid value 'many' for '--homes <N>': write how many homes"),
        (["--run", "soon"], "'--run <DURATION>': a duration is written like 5s"),
        (["--run", "16m"], "'--run <DURATION>': Lambda ends a run after 15m"),
    ] {
        let ended = cost(&words).await;
        assert_eq!(ended.code, Some(2), "{words:?}");
        assert!(ended.stderr.contains(said) && ended.stderr.lines().count() == 1, "{}", ended.stderr);
    }
}
