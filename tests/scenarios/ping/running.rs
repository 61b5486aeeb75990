//! A `ping` that stays, and one that is asked to end.

use reqwest::Method;
use tests::{
    keeper::{Keeper, TOKEN},
    process::Process,
};

use crate::world::ping;

#[tokio::test]
async fn a_resident_ping_reads_its_token_again() {
    let mut keeper = Keeper::with_token_file().await;
    let token = keeper.folder.path().join("token");
    let mut command = ping("127.0.0.1");
    command.args(["--every", "300ms"]).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN_FILE", token);
    let mut process = Process::start(command);
    process.wait_for("a run", |lines| lines.first().cloned()).await;
    keeper.replace_token("another-token");
    let before = process.lines().len();
    let runs =
        process.wait_for("runs with the new token", |lines| lines.get(before + 2..before + 4).map(<[_]>::to_vec));
    assert!(runs.await.iter().all(|line| line.contains(r#""ending":"done""#)), "{:#?}", process.lines());
}

#[tokio::test]
async fn a_ping_that_is_asked_to_end_says_that_it_handed_nothing_over() {
    let keeper = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut command = ping("127.0.0.1");
    command
        .env("KEEPER_URL", format!("http://{}", keeper.local_addr().expect("an address")))
        .env("KEEPER_TOKEN", TOKEN);
    let process = Process::start(command);
    let _asked = keeper.accept().await.expect("it asks the keeper");
    assert_eq!(process.terminate().await.code(), Some(1));
}

#[tokio::test]
async fn a_resident_ping_goes_on_until_it_is_asked_to_end() {
    let keeper = Keeper::start().await;
    let mut command = ping("127.0.0.1");
    command.args(["--every", "300ms"]).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
    let mut process = Process::start(command);
    process.wait_for("three runs", |lines| (lines.len() >= 3).then_some(())).await;
    assert_eq!(process.terminate().await.code(), Some(0));
    let (_, series) = keeper.own(Method::GET, "/series?metric=ping&step=1h", None).await;
    assert!(series["points"][0]["measured"].as_i64() >= Some(3), "{series}");
}
