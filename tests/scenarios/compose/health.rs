//! `porchlight health` beside servers that are well, that are not, and that are others'.

use shared::proof::Key;
use tests::{
    beacon::Beacon,
    home::{Home, Manner},
    keeper::Keeper,
    process::{Ended, ours, run},
};

use super::composed::LIMIT;

async fn health(words: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = ours("porchlight");
    command.arg("health").args(words).envs(variables.iter().copied());
    run(command, LIMIT).await
}

/// An address without what comes before and after host and port.
fn address(url: &str) -> String {
    url.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// A server that answers with this text, as a keeper would with its own.
async fn saying(text: &'static str) -> Home {
    Home::open(Manner::Answers(text)).await
}

#[tokio::test]
async fn health_says_in_a_sentence_who_is_well_and_who_is_not() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", &Key::new([1; 32]).expose()).await);
    let closed = Home::open(Manner::Refuses).await;
    let stranger = saying("HTTP/1.1 200 OK\r\nContent-Length: 0").await;
    let wrong = saying("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0").await;
    let full = saying("HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"storage\":\"disk is full\"}").await;
    for (keeper, code, said) in [
        (address(&keeper.url), 0, "is well"),
        (address(&closed.url()), 1, "does not answer: Connection refused"),
        (address(&stranger.url()), 1, "answers, but not as a keeper does"),
        (address(&wrong.url()), 1, "answers with HTTP 500"),
        (address(&full.url()), 1, "cannot write to its storage: disk is full"),
    ] {
        let ended = health(&[], &[("KEEPER_ADDR", &keeper)]).await;
        assert_eq!(ended.code, Some(code), "{keeper} {ended:?}");
        assert!(ended.stdout.contains(&keeper) && ended.stdout.contains(said), "{ended:?}");
        assert_eq!((ended.stdout.lines().count(), ended.stderr.as_str()), (1, ""), "one sentence");
    }
    let beacon_address = address(&beacon.url());
    let ended = health(&["--beacon"], &[("PUBLIC_ADDR", &beacon_address)]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = health(&["--url", &closed.url()], &[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let ended = health(&["--url", &beacon.url()], &[]).await;
    assert_eq!((ended.code, ended.stdout), (Some(0), format!("the server at {} is well\n", beacon.url())));
}
