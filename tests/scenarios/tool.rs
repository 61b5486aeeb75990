//! `porchlight probe` and `porchlight readings`: what a person, and `helm test`, asks of a home.

use std::time::Duration;

use tests::{
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{Keeper, TOKEN},
    prober::witnesses,
    process::{Ended, file, ours, run},
};

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
    let nobody = Home::open(Manner::Refuses).await;
    let witness = Home::open(Manner::Silent).await;
    let stranger = Home::open(Manner::Answers("HTTP/1.1 200 OK\r\nContent-Length: 0")).await;
    let pointing = "HTTP/1.1 302 Found\r\nLocation: /login\r\nServer: router\r\nVia: 1.1 proxy";
    let pointing = Home::open(Manner::Answers(pointing)).await;
    let old =
        "HTTP/1.1 200 OK\r\nAge: 30\r\nPorchlight-Proof: v1;up=1;age=1;mac=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let cached = Home::open(Manner::Answers(old)).await;
    let seen = format!("HTTP 302, no proof  (Location: {}login, Server: router, Via: 1.1 proxy)", pointing.url());
    let encrypted = beacon.url().replace("http:", "https:");
    let looks = [
        (&beacon.url(), Some(KEY), 0, "HTTP 200, proven (host up"),
        (&beacon.url(), None, 0, "up: The home answers."),
        (&stranger.url(), None, 0, "up: The home answers."),
        (&stranger.url(), Some(KEY), 1, "down (unproven)"),
        (&pointing.url(), Some(KEY), 1, &seen),
        (
            &pointing.url(),
            Some(KEY),
            1,
            ", Via: 1.1 proxy), which points elsewhere and is not followed: name the address",
        ),
        (&pointing.url(), None, 0, ", Server: router, Via: 1.1 proxy)"),
        (&cached.url(), Some(KEY), 1, "a proof that does not fit  (age: 30)"),
        (&cached.url(), Some(KEY), 1, "  The answer is perhaps an old one out of a cache (age: 30), so"),
        (&encrypted, Some(KEY), 1, "  What answers does not speak TLS: look at the port, or ask by http://.\n"),
        (&nobody.url(), Some(KEY), 1, "attempt 2 at"),
        (&nobody.url(), None, 1, "down (refused)"),
        (&nobody.url(), Some("short"), 2, "BEACON_KEY_FILE"),
        (&"home".to_owned(), None, 2, "invalid value 'home' for '<URL>'"),
    ];
    let looks = looks.map(async |(url, key, code, said)| {
        let ended = probe(url, key, &witness).await;
        assert_eq!(ended.code, Some(code), "{url} {ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(said), "`{said}` is not in {ended:?}");
        assert!(!ended.stderr.contains(KEY), "{ended:?}");
    });
    futures_util::future::join_all(looks).await;
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
    assert!(
        wrong.stderr.contains("the token is refused") && wrong.stderr.contains("look at KEEPER_TOKEN"),
        "{wrong:?}"
    );

    let measure = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut ping = ours("ping");
        ping.args(["--target-host", "127.0.0.1", "--count", "1"]);
        ping.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
        run(ping, Duration::from_secs(20)).await
    };
    let (shown, measured) = tokio::join!(readings(&["ping", "--within", "10m", "--wait", "30s"], TOKEN), measure);
    assert_eq!((shown.code, measured.code), (Some(0), Some(0)), "{shown:?} {measured:?}");
    assert_eq!(shown.stdout.lines().count(), 1, "{shown:?}");
}
