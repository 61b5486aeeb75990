//! An address behind which there is no server, or another one: the first line comes within five seconds, and a sentence names it.

use std::time::{Duration, Instant};

use tests::{
    beacon::Beacon,
    home::{Home, Manner},
    keeper::{Keeper, TOKEN},
    prober::prober_command,
    process::{Process, ours, run},
    web::{Body, Reply, Web},
};
use tokio::process::Command;

/// A person waits no longer for the first word.
const FIRST_WORD: Duration = Duration::from_secs(5);

/// How long a run may take that cannot succeed; a home is probed meanwhile.
const SOON: Duration = Duration::from_secs(20);

/// The command of a program that calls an API at `address`, and the setting to check.
type Caller = fn(&str, &Beacon) -> (Command, &'static str);

fn prober(address: &str, beacon: &Beacon) -> (Command, &'static str) {
    let mut command = prober_command(&beacon.url(), &format!("{address}/v1"));
    // The API of one case is the home itself, which cannot be its own witness.
    command.env("WITNESSES", "127.0.0.1:9,localhost:9");
    (command, "check STATUSPAGE_URL")
}

fn readings(address: &str, _: &Beacon) -> (Command, &'static str) {
    let mut command = ours("porchlight");
    command.arg("readings").env("KEEPER_URL", address).env("KEEPER_TOKEN", TOKEN);
    (command, "check KEEPER_URL")
}

const CALLERS: [Caller; 2] = [prober, readings];

#[tokio::test]
async fn another_server_is_distinguished_from_the_api_at_once() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let encrypted = Web::open(true, |_, _| Reply::new(200, Body::Text("{}".into()))).await;
    let moved =
        Home::open(Manner::Answers("HTTP/1.1 301 Moved\r\nLocation: https://keeper.example/v1\r\nContent-Length: 0"))
            .await;
    let router = Web::open(false, |_, _| Reply::text(404, "text/html", "<html>FRITZ!Box</html>")).await;
    let shell = Home::open(Manner::SpeaksSsh).await;
    let plain = encrypted.url().replace("https://", "http://");
    for (address, said) in [
        (keeper.url.replace("http://", "https://"), "speaks no TLS: if it is the right one, its address is http://"),
        (plain, "speaks no HTTP: if it speaks TLS, its address is https://"),
        (format!("http://{}", beacon.public), "is not the address of this API: what answers says `"),
        (moved.url().trim_end_matches('/').to_owned(), "sends us on to https://keeper.example/v1"),
        (router.url(), "is not the address of this API: what answers sends an HTML page (404)"),
        (shell.url().trim_end_matches('/').to_owned(), "speaks no HTTP"),
    ] {
        for caller in CALLERS {
            let (command, setting) = caller(&address, &beacon);
            let began = Instant::now();
            let ended = run(command, Duration::from_mins(1)).await;
            let output = format!("{}{}", ended.stdout, ended.stderr);
            assert_eq!(ended.code, Some(1), "{address}: {output}");
            assert!(output.contains(said) && output.contains(setting), "{said}: {output}");
            assert!(output.contains(&address), "it names where: {output}");
            assert!(began.elapsed() < SOON, "{address}: {:?}", began.elapsed());
        }
    }
}

/// Waits for the first word of a program that goes on trying.
async fn first_word(command: Command, said: &str) {
    let mut process = Process::start(command);
    let find = |lines: &[String]| lines.iter().any(|line| line.contains(said)).then_some(());
    process.wait_for_within(said, FIRST_WORD, find).await;
    process.kill().await;
}

#[tokio::test]
async fn an_unreachable_server_is_reported_at_the_first_try_and_tried_again() {
    let beacon = Beacon::start().await;
    let closed = Home::open(Manner::Refuses).await;
    let silent = Home::open(Manner::Silent).await;
    let (closed, silent) =
        (closed.url().trim_end_matches('/').to_owned(), silent.url().trim_end_matches('/').to_owned());
    let encrypted = Web::open(true, |_, _| Reply::new(200, Body::Text("{}".into()))).await;
    let base = encrypted.url().trim_end_matches('/').to_owned();
    let untrusted = "the certificate is of an issuer that is not trusted here: take one of a public authority";
    for caller in CALLERS {
        first_word(caller(&base, &beacon).0, untrusted).await;
        let said = format!("nothing listens at {closed}");
        first_word(caller(&closed, &beacon).0, &said).await;
        first_word(caller(&closed, &beacon).0, "trying again").await;
        first_word(caller(&silent, &beacon).0, "there is no answer yet; ").await;
    }
}
