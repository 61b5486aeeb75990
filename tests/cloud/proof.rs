//! Whose answer it is: strangers at the home's address, seen by the real prober, and what the page says of them.

use std::time::{Duration, Instant};

use shared::proof::{Challenge, Key, Proof, Running};
use tests::{
    beacon::{Beacon, host_uptime},
    home::{Home, Manner},
    keeper::Keeper,
    prober::{Run, probe_with, prober_command},
    process::{file, ours},
};

fn key(number: u8) -> String {
    Key::new([number; 32]).expose()
}

/// One run on `home`, by a prober that knows key 1, and the key before where that is given.
async fn probe(home: &str, keeper: &Keeper, old: Option<u8>) -> Run {
    let mut command = prober_command(home, &keeper.api());
    command.env("BEACON_KEY", key(1));
    if let Some(old) = old {
        command.env("BEACON_KEY_OLD", key(old));
    }
    probe_with(command).await
}

/// What the first answer of a run showed.
fn identity(run: &Run) -> &str {
    run.target["attempts"][0]["exchanges"][0]["identity"].as_str().unwrap_or("none")
}

async fn is_down(home: &str, cause: &str, shown: &str) {
    let keeper = Keeper::start().await;
    let run = probe(home, &keeper, None).await;
    assert_eq!((run.target["cause"].as_str(), identity(&run)), (Some(cause), shown), "{:#}", run.report);
    assert_eq!(run.target["attempts"].as_array().map(Vec::len), Some(3), "{:#}", run.report);
    assert_eq!(keeper.status().await, "major_outage");
}

#[tokio::test]
async fn a_beacon_with_the_key_is_the_home_and_says_how_long_it_has_been_running() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &key(1)).await);
    keeper.set_status("major_outage").await;
    let run = probe(&beacon.url(), &keeper, None).await;
    assert_eq!((run.target["verdict"].as_str(), identity(&run)), (Some("up"), "proven"), "{:#}", run.report);
    assert_eq!(keeper.status().await, "operational");
    let exchange = &run.target["attempts"][0]["exchanges"][0];
    let reported = exchange["host_up_s"].as_f64().expect("a number");
    assert!((host_uptime() - reported).abs() < 30.0, "{reported} against {}", host_uptime());
    assert!(exchange["beacon_up_s"].as_u64().is_some_and(|age| age < 30), "{exchange:#}");
}

#[tokio::test]
async fn another_server_at_the_address_is_not_the_home() {
    let home = Home::open(Manner::Answers("HTTP/1.1 200 OK\r\nServer: nginx")).await;
    is_down(&home.url(), "unproven", "absent").await;
}

#[tokio::test]
async fn a_routers_login_page_is_not_the_home() {
    let home = Home::open(Manner::Answers("HTTP/1.1 302 Found\r\nLocation: https://192.168.1.1/login")).await;
    is_down(&home.url(), "unproven", "absent").await;
}

#[tokio::test]
async fn a_beacon_without_a_key_is_not_proven() {
    is_down(&Beacon::start().await.url(), "unproven", "absent").await;
}

#[tokio::test]
async fn a_beacon_with_another_key_is_an_impostor() {
    is_down(&Beacon::with_key("127.0.0.1:0", &key(2)).await.url(), "impostor", "foreign").await;
}

#[tokio::test]
async fn an_old_proof_played_again_is_none() {
    // Key 1's answer to another challenge.
    let proof = Proof::new(&Key::new([1; 32]), &Challenge::new([9; 32]), Running { up: 5, age: 5 }).to_string();
    is_down(&Home::open(Manner::Claims(proof.leak())).await.url(), "unproven", "foreign").await;
}

#[tokio::test]
async fn malformed_doubled_and_huge_proofs_are_none() {
    let huge: &'static str = String::leak("A".repeat(40_000));
    let doubled = "v1;up=5;age=5;mac=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\
                   Porchlight-Proof: v1;up=5;age=5;mac=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let checks = ["", "v1", "v2;up=1;age=1;mac=AA", "\u{fffd}\u{1f4a5}", doubled, huge];
    let homes = checks.map(|proof| async move {
        let home = Home::open(Manner::Claims(proof)).await;
        is_down(&home.url(), "unproven", "absent").await;
    });
    for home in homes.map(tokio::spawn) {
        home.await.expect("it is seen");
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_no_answer() {
    let endless: &'static str = String::leak("A".repeat(1_000_000));
    is_down(&Home::open(Manner::Claims(endless)).await.url(), "reset", "none").await;
}

#[tokio::test]
async fn a_key_is_replaced_prober_first_without_a_false_word() {
    let keeper = Keeper::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ours("beacon");
    command.env("BEACON_KEY_FILE", file(folder.path(), "key", &key(2)));
    let beacon = Beacon::run(command, "127.0.0.1:0").await;
    let run = probe(&beacon.url(), &keeper, Some(2)).await;
    assert_eq!((run.target["verdict"].as_str(), identity(&run)), (Some("up"), "proven_with_old_key"));

    // The beacon reads its file again within 5 s; until then it proves itself with the old key.
    file(folder.path(), "key", &key(1));
    let (began, mut seen) = (Instant::now(), Vec::new());
    while seen.last().is_none_or(|identity| identity != "proven") {
        assert!(began.elapsed() < Duration::from_secs(30), "the beacon never takes its new key: {seen:?}");
        let run = probe(&beacon.url(), &keeper, Some(2)).await;
        assert_eq!(run.target["verdict"], "up", "{:#}", run.report);
        seen.push(identity(&run).to_owned());
    }
    assert_eq!(identity(&probe(&beacon.url(), &keeper, None).await), "proven", "the old key is needed no longer");
}

#[tokio::test]
async fn a_challenge_that_is_none_is_answered_without_a_proof() {
    let beacon = Beacon::with_key("127.0.0.1:0", &key(1)).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let good = "A".repeat(43);
    for (challenge, proves) in
        [("short", false), ("====================================", false), (good.as_str(), true)]
    {
        let answer = http.get(beacon.url()).header("porchlight-challenge", challenge).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers().contains_key("porchlight-proof"), proves, "{challenge}");
        assert_eq!(answer.text().await.expect("a body"), "porchlight\n");
    }
    let twice = http.head(beacon.url()).header("porchlight-challenge", &good).header("porchlight-challenge", &good);
    assert!(!twice.send().await.expect("an answer").headers().contains_key("porchlight-proof"));
    let posted = http.post(beacon.url()).header("porchlight-challenge", &good).send().await.expect("an answer");
    assert!(posted.status() == 405 && !posted.headers().contains_key("porchlight-proof"));
}
