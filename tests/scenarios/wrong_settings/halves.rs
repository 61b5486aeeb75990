//! Settings that need each other, or do not go together; and a keeper's token on its way to another server.

use tests::{
    keeper::{Keeper, PAGE},
    process::file,
};

use super::{TARGET, ends};

const TOKEN: &str = "porchlight_keeper_0123456789abcdef0123456789abcdef";
const PAGE_ALONE: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n";
const RELAYED: &str = "[[metrics]]\nid = \"9kbf7d35c070\"\nname = \"x\"\nreading = \"ping\"\nrelay = true\n";

#[tokio::test]
async fn what_is_set_by_half_is_reported_by_a_check() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let relayed = file(folder.path(), "relayed.toml", &format!("{PAGE_ALONE}{RELAYED}"));
    let token = ("KEEPER_TOKEN", TOKEN);
    let upstream = [token, ("UPSTREAM_URL", "http://127.0.0.1:9/v1"), ("UPSTREAM_TOKEN", "hunter2")];
    let shared = [token, upstream[1], ("UPSTREAM_TOKEN", TOKEN)];
    let print = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let pinned = [token, ("UPSTREAM_FINGERPRINT", print), upstream[1], upstream[2]];
    let page = [("PAGE_ID", PAGE), ("METRIC_ID", "9kbf7d35c070"), ("TOKEN", "hunter2"), token];
    let dns = [("DOMAIN", "home"), ("TOKEN", "a7c4d0ad-114e-40ef-ba1d-d217904a50f2"), token];
    let with = |more: &[(&'static str, &str)], path: &str| {
        let mut all: Vec<(&str, String)> = more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.push(("KEEPER_SEED", path.to_owned()));
        all
    };
    let plainly =
        |more: &[(&'static str, &str)]| more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let state = folder.path().join("nowhere/state.json").display().to_string();
    let missing: Vec<_> = TARGET.iter().copied().chain([("STATE_FILE", state.as_str())]).collect();
    for (program, variables, said) in [
        ("keeper", with(&[token], &relayed), "relay = true of 9kbf7d35c070, but UPSTREAM_URL is not set"),
        ("keeper", plainly(&upstream), "UPSTREAM_URL is set, but KEEPER_SEED is not"),
        ("keeper", with(&shared, &relayed), "UPSTREAM_TOKEN is KEEPER_TOKEN"),
        ("keeper", plainly(&upstream[..2]), "UPSTREAM_TOKEN is not set"),
        ("keeper", plainly(&[token, ("UPSTREAM_TOKEN", "x")]), "UPSTREAM_URL is not set, and UPSTREAM_TOKEN is"),
        ("keeper", plainly(&pinned), "UPSTREAM_FINGERPRINT is set, but UPSTREAM_URL is no https address"),
        ("keeper", plainly(&pinned[..2]), "UPSTREAM_FINGERPRINT is set, but UPSTREAM_URL is no https address"),
        (
            "keeper",
            plainly(&[token, ("KEEPER_TLS_CERTIFICATE", "a"), ("KEEPER_TLS_KEY", "b")]),
            "KEEPER_TLS_CERTIFICATE is set, but KEEPER_TLS_ADDR is not",
        ),
        ("keeper", plainly(&[token, ("KEEPER_TLS_ADDR", "127.0.0.1:8030")]), "is where KEEPER_ADDR is, too"),
        ("keeper", plainly(&[token, ("HOLD", "1h")]), "HOLD is set, but UPSTREAM_URL is not"),
        (
            "keeper",
            plainly(&[token, ("KEEPER_BASE_PATH", "/status")]),
            "KEEPER_BASE_PATH is set, but KEEPER_PUBLIC_ADDR is not",
        ),
        ("ping", plainly(&page), "KEEPER_TOKEN is set, but KEEPER_URL is not"),
        ("bandwidth", plainly(&page), "KEEPER_TOKEN is set, but KEEPER_URL is not"),
        ("dns", plainly(&dns), "KEEPER_TOKEN is set, but KEEPER_URL is not"),
        ("lambda-prober", plainly(&missing), "nowhere is no folder: make it, or name another place"),
    ] {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ended = ends(program, &variables, &["--check"]).await;
        assert_eq!(ended.code, Some(2), "{program}: {ended:?}");
        let printed: Vec<_> = ended.stderr.lines().filter(|line| !line.contains("MAX_BYTES: at most")).collect();
        assert!(printed.len() == 1 && printed[0].contains(said), "{program}: {ended:?}");
    }
}

#[tokio::test]
async fn what_is_set_by_half_is_reported_at_the_start() {
    let relayed = format!("{PAGE_ALONE}{RELAYED}");
    let keeper = Keeper::start_with(|command| {
        let folder = std::env::temp_dir();
        let path = file(&folder, &format!("porchlight-relayed-{}.toml", std::process::id()), &relayed);
        command.env("KEEPER_SEED", path);
    });
    let lines = keeper.await.process.lines();
    assert!(
        lines.iter().any(|line| line.contains("but UPSTREAM_URL is not set: nothing is sent upstream")),
        "{lines:#?}"
    );
    let keeper = Keeper::start_with(|command| {
        command.env_remove("KEEPER_SEED").env("UPSTREAM_URL", "http://127.0.0.1:9/v1").env("UPSTREAM_TOKEN", "x");
    });
    let lines = keeper.await.process.lines();
    assert!(lines.iter().any(|line| line.contains("UPSTREAM_URL is set, but KEEPER_SEED is not")), "{lines:#?}");
}

#[tokio::test]
async fn a_keeper_s_token_is_not_sent_to_statuspage_io() {
    let target = [("CANARY_URL", "http://home.example:30008"), ("PAGE_ID", PAGE), ("COMPONENT_ID", "8kbf7d35c070")];
    let metric = [("PAGE_ID", PAGE), ("METRIC_ID", "9kbf7d35c070")];
    let upstream = [("KEEPER_TOKEN", "hunter2-hunter2-hunter2"), ("UPSTREAM_URL", "https://api.statuspage.io/v1")];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = file(folder.path(), "token", &format!("{TOKEN}\n"));
    for (program, variables, said) in [
        (
            "lambda-prober",
            [&target[..], &[("TOKEN", TOKEN)]].concat(),
            "TOKEN is a keeper's token, and STATUSPAGE_URL is https",
        ),
        (
            "lambda-prober",
            [&target[..], &[("TOKEN_FILE", &path)]].concat(),
            "token) is a keeper's token, and STATUSPAGE_URL",
        ),
        (
            "lambda-prober",
            [&target[..], &[("TOKEN", "of-old"), ("KEEPER_TOKEN", "of-old")]].concat(),
            "TOKEN is a keeper's token, and STATUSPAGE_URL",
        ),
        ("ping", [&metric[..], &[("TOKEN", TOKEN)]].concat(), "TOKEN is a keeper's token, and STATUSPAGE_URL"),
        ("bandwidth", [&metric[..], &[("TOKEN", TOKEN)]].concat(), "TOKEN is a keeper's token, and STATUSPAGE_URL"),
        (
            "keeper",
            [&upstream[..], &[("UPSTREAM_TOKEN", TOKEN)]].concat(),
            "UPSTREAM_TOKEN is a keeper's token, and UPSTREAM_URL",
        ),
        (
            "keeper",
            vec![("KEEPER_TOKEN", TOKEN), ("UPSTREAM_URL", "https://status.example.com/v1"), ("UPSTREAM_TOKEN", TOKEN)],
            "UPSTREAM_TOKEN is KEEPER_TOKEN",
        ),
    ] {
        for arguments in [&["--check"][..], &[]] {
            let ended = ends(program, &variables, arguments).await;
            assert_eq!((ended.code, ended.stderr.lines().count()), (Some(2), 1), "{program}: {ended:?}");
            assert!(ended.stderr.contains(said) && !ended.stderr.contains(TOKEN), "{program}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn keygen_makes_tokens_that_are_known() {
    let made = async || ends("porchlight", &[], &["keygen", "--token"]).await.stdout.trim().to_owned();
    let (one, two) = (made().await, made().await);
    assert!(one.starts_with("porchlight_keeper_") && one.len() >= 50 && one != two, "{one}");
    let ended = ends("keeper", &[("KEEPER_TOKEN", &one)], &["--check"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_token_that_cannot_be_one_is_refused_in_a_sentence() {
    let (quoted, shouted) = (format!("\"{TOKEN}\""), TOKEN.to_uppercase());
    let key = ends("porchlight", &[], &["keygen"]).await.stdout.trim().to_owned();
    let target = &[("CANARY_URL", "http://home.example:30008"), ("PAGE_ID", PAGE), ("COMPONENT_ID", "8kbf7d35c070")];
    let metric = &[("PAGE_ID", PAGE), ("METRIC_ID", "9kbf7d35c070")];
    let keeper = &[("KEEPER_URL", "http://127.0.0.1:8030")];
    let set: [(&str, &[_], &str); 4] = [
        ("lambda-prober", target, "TOKEN"),
        ("ping", metric, "TOKEN"),
        ("ping", keeper, "KEEPER_TOKEN"),
        ("keeper", &[], "KEEPER_TOKEN"),
    ];
    for (program, variables, name) in set {
        for (token, said) in
            [(&quoted, "stands between quotation marks"), (&shouted, "is a keeper's token in other letters")]
        {
            let ended = ends(program, &[variables, &[(name, token)]].concat(), &["--check"]).await;
            assert_eq!((ended.code, ended.stderr.lines().count()), (Some(2), 1), "{program}: {ended:?}");
            assert!(ended.stderr.starts_with(&format!("{name} {said}")), "{program}: {ended:?}");
            assert!(!ended.stderr.to_lowercase().contains(TOKEN), "{ended:?}");
        }
        if program == "keeper" {
            continue;
        }
        let ended = ends(program, &[variables, &[(name, &key), ("BEACON_KEY", &key)]].concat(), &["--check"]).await;
        let said = format!("{name} is the home's key (BEACON_KEY), which proves who the home is and is never sent");
        assert!(ended.code == Some(2) && ended.stderr.starts_with(&said), "{program}: {ended:?}");
        assert!(!ended.stderr.contains(&key), "{ended:?}");
    }
}

#[tokio::test]
async fn statuspage_io_is_no_keeper_whatever_the_token() {
    for token in ["hunter2", TOKEN] {
        for (program, arguments) in [
            ("ping", &["--check"][..]),
            ("bandwidth", &["--check"]),
            ("dns", &["--check"]),
            ("porchlight", &["readings"]),
        ] {
            let dns = [("DOMAIN", "home"), ("TOKEN", "a7c4d0ad-114e-40ef-ba1d-d217904a50f2")];
            let own = [("KEEPER_URL", "https://api.statuspage.io/v1"), ("KEEPER_TOKEN", token)];
            let dns = if program == "dns" { &dns[..] } else { &[] };
            let ended = ends(program, &[dns, &own].concat(), arguments).await;
            assert_eq!((ended.code, ended.stderr.lines().count()), (Some(2), 1), "{program}: {ended:?}");
            assert!(
                ended.stderr.contains("that is statuspage.io, and no keeper: name the keeper's address"),
                "{ended:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_keeper_that_relays_nothing_says_so_when_it_is_asked_how_its_relay_is() {
    let keeper = Keeper::start().await;
    let address = keeper.url.trim_start_matches("http://");
    for arguments in [&["relay"][..], &["relay", "retry"]] {
        let ended =
            ends("keeper", &[("KEEPER_ADDR", address), ("KEEPER_TOKEN", tests::keeper::TOKEN)], arguments).await;
        let said = "runs without a relay: set UPSTREAM_URL and UPSTREAM_TOKEN where it is started";
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(1), 1), "{ended:?}");
        assert!(ended.stderr.contains(said) && !ended.stderr.contains("KEEPER_ADDR"), "{ended:?}");
    }
}
