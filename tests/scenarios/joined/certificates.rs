//! The certificate of the listener with TLS, through the real program.

use std::{net::SocketAddr, path::Path, time::Duration};

use home_beacon::join::JoinCode;
use rcgen::{CertificateParams, KeyPair};
use reqwest::Method;
use shared::{fingerprint::Fingerprint, http::is_not_pinned};
use tests::{
    keeper::{Keeper, PAGE, TOKEN, keeper_command},
    process::{Process, file, ours, own_address, run},
};
use tokio::{
    net::TcpStream,
    process::Command,
    time::{Instant, sleep},
};

use super::outside::pinned;

const LIMIT: Duration = Duration::from_secs(20);

const LISTENS: &str = "TLS listener: what the public one shows, and /v1 for who has a token";

fn with_tls(command: &mut Command) {
    command.env("KEEPER_TLS_ADDR", format!("{}:0", own_address()));
}

/// A new certificate and its key, as PEM, and its fingerprint.
fn made() -> (String, String, Fingerprint) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["vps.example".to_owned()]).expect("a name");
    let made = params.self_signed(&key).expect("a certificate");
    (made.pem(), key.serialize_pem(), Fingerprint::of(made.der()))
}

/// Where it listens with TLS, and what it says of its certificate.
async fn shown(keeper: &mut Keeper) -> (SocketAddr, Fingerprint) {
    let line = keeper.process.wait_for_message(LISTENS).await;
    let field = |name: &str| line[name].as_str().expect("the line names it").to_owned();
    (field("address").parse().expect("an address"), field("fingerprint").parse().expect("a fingerprint"))
}

async fn status(at: (SocketAddr, Fingerprint), method: &Method, path: &str, token: &str) -> u16 {
    pinned(at.0, at.1, token, method, path, None).await.expect("it answers").status().as_u16()
}

#[tokio::test]
async fn a_certificate_that_the_keeper_made_is_kept_and_shows_what_it_should() {
    let mut keeper = Keeper::start_with(with_tls).await;
    let at = shown(&mut keeper).await;
    let (get, post, page) = (Method::GET, Method::POST, format!("/v1/pages/{PAGE}"));
    for (method, path, token, expected) in [
        (&get, "/", "", 200),
        (&get, "/api/v2/summary.json", "", 200),
        (&get, page.as_str(), "", 401),
        (&get, page.as_str(), TOKEN, 200),
        (&get, "/v1/pages.json", TOKEN, 200),
        (&get, "/v1", TOKEN, 404),
        (&get, "/metrics", TOKEN, 404),
        (&get, "/healthz", TOKEN, 404),
        (&get, "/porchlight/v1/tokens", TOKEN, 404),
        (&get, "/porchlight/v1/relay", TOKEN, 404),
        (&post, "/porchlight/v1/readings", TOKEN, 404),
        (&post, "/porchlight/v1/join_codes", TOKEN, 404),
        // Nobody runs it for homes.
        (&post, "/porchlight/v1/join", "", 404),
    ] {
        assert_eq!(status(at, method, path, token).await, expected, "{method} {path}");
    }
    let answer = pinned(at.0, at.1, "", &get, "/", None).await.expect("it answers");
    for (name, value) in [("x-content-type-options", "nosniff"), ("x-robots-tag", "noindex")] {
        assert!(answer.headers()[name].to_str().is_ok_and(|found| found.contains(value)), "{name}");
    }
    assert!(answer.headers().contains_key("etag"));
    let folder = keeper.folder;
    assert!(keeper.process.terminate().await.success());
    let mut again = Keeper::restart_with(folder, with_tls).await;
    assert_eq!(shown(&mut again).await.1, at.1);
}

#[tokio::test]
async fn files_are_read_again_when_they_change_and_what_is_broken_is_left_out() {
    let ((certificate, key, first), (other, other_key, second)) = (made(), made());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().to_owned();
    let mut keeper = Keeper::restart_with(folder, |command| {
        with_tls(command);
        command.env("KEEPER_TLS_CERTIFICATE", file(&place, "tls.crt", &certificate));
        command.env("KEEPER_TLS_KEY", file(&place, "tls.key", &key));
    })
    .await;
    let (address, shown_pin) = shown(&mut keeper).await;
    assert_eq!(shown_pin, first);
    assert_eq!(status((address, first), &Method::GET, "/", "").await, 200);

    // Half of a renewal: it is said, and the old one stays.
    file(&place, "tls.crt", &other);
    let broken = |lines: &[String]| lines.iter().find(|line| line.contains("stays in use")).cloned();
    let said = keeper.process.wait_for("the old one stays in use", broken).await;
    assert!(said.contains("it is not the key of the certificate"), "{said}");
    assert_eq!(status((address, first), &Method::GET, "/", "").await, 200);

    file(&place, "tls.key", &other_key);
    let line = keeper.process.wait_for_message("the certificate was replaced").await;
    assert_eq!(line["fingerprint"].as_str(), Some(second.to_string().as_str()));
    assert_eq!(status((address, second), &Method::GET, "/", "").await, 200);
    let refused = pinned(address, first, TOKEN, &Method::GET, "/", None).await.expect_err("it is another one");
    assert!(is_not_pinned(&refused), "{refused}");
}

#[tokio::test]
async fn a_code_names_the_certificate_as_it_is_when_it_is_made() {
    let ((certificate, key, first), (other, other_key, second)) = (made(), made());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (page, tls) = (format!("{}:0", own_address()), format!("{}:0", own_address()));
    let porchlight = |words: &[&str]| {
        let mut porchlight = ours("porchlight");
        porchlight.args(words).arg("--data").arg(folder.path().join("data"));
        porchlight
    };
    let mut up = porchlight(&["up", "--outside", "--page-addr", &page, "--address", "127.0.0.1"]);
    up.env("KEEPER_TLS_ADDR", tls);
    up.env("KEEPER_TLS_CERTIFICATE", file(folder.path(), "tls.crt", &certificate));
    up.env("KEEPER_TLS_KEY", file(folder.path(), "tls.key", &key));
    let mut outside = Process::start(up);
    outside.wait_for("a code", |lines| lines.iter().any(|it| it.starts_with("porchlight-join-")).then_some(())).await;
    let fingerprint = async || {
        let code = run(porchlight(&["code"]), LIMIT).await;
        JoinCode::read(&code.stdout).unwrap_or_else(|error| panic!("{error}: {code:?}")).fingerprint
    };
    assert_eq!(fingerprint().await, first);
    file(folder.path(), "tls.key", &other_key);
    file(folder.path(), "tls.crt", &other);
    let begun = Instant::now();
    while fingerprint().await != second {
        assert!(begun.elapsed() < LIMIT, "the code names the certificate before");
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(outside.terminate().await.code(), Some(0));
    // What does not run is not asked: its token would be told to whoever has its port.
    let code = run(porchlight(&["code"]), LIMIT).await;
    assert!(code.code == Some(1) && code.stderr.contains("Porchlight does not run from"), "{code:?}");
}

#[tokio::test]
async fn files_that_cannot_work_stop_it_with_a_sentence() {
    let ((certificate, key, _), (_, other_key, _)) = (made(), made());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path();
    let refused = async |certificate: &str, key: &str| {
        let mut command = keeper_command(place);
        with_tls(&mut command);
        command.env("KEEPER_TLS_CERTIFICATE", certificate).env("KEEPER_TLS_KEY", key);
        run(command, LIMIT).await
    };
    let certificate = file(place, "tls.crt", &certificate);
    let empty = file(place, "empty", "");
    for (one, two, said) in [
        (&certificate, file(place, "other.key", &other_key), "it is not the key of the certificate in"),
        (&empty, file(place, "tls.key", &key), "there is no certificate in it"),
        (&certificate, empty.clone(), "there is no key in it that can be read"),
        (&certificate, "/dev/zero".into(), "it cannot be read (it is no regular file)"),
    ] {
        let ended = refused(one, &two).await;
        assert!(ended.code == Some(2) && ended.stderr.contains(said), "{said}: {ended:?}");
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{ended:?}");
    }
    let mut half = keeper_command(place);
    with_tls(&mut half);
    half.env("KEEPER_TLS_CERTIFICATE", &certificate);
    let ended = run(half, LIMIT).await;
    assert!(ended.code == Some(2) && ended.stderr.starts_with("KEEPER_TLS_KEY is not set, and"), "{ended:?}");
    assert!(!Path::new(place).join("keeper.db").exists(), "nothing has been begun");
}

#[tokio::test]
async fn strangers_that_open_and_stay_silent_keep_nobody_out() {
    let mut keeper = Keeper::start_with(with_tls).await;
    let at = shown(&mut keeper).await;
    let mut silent = Vec::new();
    // More than it has room for.
    for _ in 0..300 {
        silent.push(TcpStream::connect(at.0).await.expect("a connection"));
    }
    let began = Instant::now();
    assert_eq!(status(at, &Method::GET, "/", "").await, 200);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    drop(silent);
}
