//! `porchlight notify` and `porchlight mute`: what a keeper says of its notices, and what a person says to it.

use tests::{
    keeper::{COMPONENT, Keeper, TOKEN},
    notices::{Reply, Service},
    process::{Ended, ours, run},
};

use super::{
    LIMIT,
    keeper::{dns, failing, until},
};

async fn porchlight(keeper: &Keeper, arguments: &[&str]) -> Ended {
    let mut command = ours("porchlight");
    command.args(arguments).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN).env("TZ", "UTC");
    run(command, LIMIT).await
}

#[tokio::test]
async fn what_was_not_taken_is_listed_with_what_the_channel_said() {
    let refusing = Service::start(|_, _| Reply::text(403, "no such hook")).await;
    let url = format!("json+http://{}/in", refusing.host());
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_URLS", &url);
    })
    .await;
    let ended = porchlight(&keeper, &["notify"]).await;
    let shown = format!("json+http://{}/***", refusing.host());
    assert_eq!((ended.code, ended.stdout), (Some(0), format!("{shown}: 0 sent, 0 waiting, 0 not taken\n")));
    failing(&keeper).await;
    until("it is refused", || !refusing.posted().is_empty()).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let ended = porchlight(&keeper, &["notify"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[..2], [format!("{shown}: 0 sent, 0 waiting, 1 not taken").as_str(), "goes on: job/dns"]);
    let said =
        format!("The job dns fails: not taken by {shown}: it does not accept the token or the login (status 403)");
    assert!(lines[2].contains(&said), "{lines:#?}");
}

#[tokio::test]
async fn what_is_muted_is_sent_to_nobody_until_then_and_who_asks_for_what_is_not_there_is_told_what_is() {
    let phone = Service::start(|_, _| Reply::text(204, "")).await;
    let url = format!("json+http://{}/in", phone.host());
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_URLS", &url);
    })
    .await;
    assert_eq!(porchlight(&keeper, &["mute"]).await.stdout, "Nothing is muted.\n");
    let ended = porchlight(&keeper, &["mute", "job/dns", "--until", "2099-12-24T18:00:00Z"]).await;
    assert_eq!(ended.stdout, "Nobody is written to about job/dns until 2099-12-24 18:00 UTC.\n", "{ended:?}");
    let ended = porchlight(&keeper, &["mute", "home INTERNET", "--for", "2h"]).await;
    assert!(ended.stdout.starts_with(&format!("Nobody is written to about home/{COMPONENT} until ")), "{ended:?}");
    assert!(ended.stdout.contains("for another one, set a maintenance there"), "{ended:?}");
    assert_eq!(porchlight(&keeper, &["mute"]).await.stdout.lines().count(), 2);
    failing(&keeper).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(phone.posted().len(), 0);
    for what in ["job/dns", "Home internet"] {
        let ended = porchlight(&keeper, &["mute", what, "--end"]).await;
        assert_eq!(ended.stdout, format!("People are written to about {what} again.\n"), "{ended:?}");
    }
    dns(&keeper, 0, serde_json::json!({ "failure": "no answer" })).await;
    until("it is sent", || phone.posted().len() == 1).await;
    for (arguments, code, expected) in [
        (vec!["mute", "garage", "--for", "2h"], 1, "`garage` is no component of the page (Home internet)"),
        (vec!["mute", "job", "--until", "2020-01-01T00:00:00Z"], 1, "until: it is past already"),
        (vec!["mute", "job", "--end"], 1, "a mute of job could not be found"),
        (vec!["mute", "job"], 2, "--for <DURATION>"),
        (vec!["mute", "--for", "2h"], 2, "<WHAT>"),
        (vec!["mute", "job", "--for", "2h", "--end"], 2, "cannot be used with"),
        (vec!["mute", "job", "--for", "soon"], 2, "--for"),
        (vec!["mute", "job", "--until", "tomorrow"], 2, "write a time as 2026-12-24T18:00:00Z"),
    ] {
        let ended = porchlight(&keeper, &arguments).await;
        assert!(ended.code == Some(code) && ended.stderr.contains(expected), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_keeper_that_writes_to_nobody_says_how_that_is_changed() {
    let keeper = Keeper::start().await;
    let ended = porchlight(&keeper, &["notify"]).await;
    assert!(ended.code == Some(1) && ended.stderr.contains("set NOTIFY_URLS where it is started"), "{ended:?}");
    for (name, value, expected) in [
        ("NOTIFY_QUIET", "22-7", "quiet hours are written 22:00-07:00"),
        ("NOTIFY_LOSS", "0", "it is 1 to 100 per cent"),
        ("NOTIFY_LIMIT", "-1", "is not in 0..=65535"),
        ("NOTIFY_EVERY", "1m", "a reminder comes every 5m at most"),
        ("NOTIFY_URLS", "ntfyy://:tk_secret@ntfy.sh/home", "was ntfy:// meant?"),
    ] {
        let mut command = tests::keeper::keeper_command(keeper.folder.path());
        command.arg("--check").env(name, value);
        let ended = run(command, LIMIT).await;
        assert!(ended.code == Some(2) && ended.stderr.contains(expected), "{name}={value}: {ended:?}");
        assert!(!ended.stderr.contains("tk_secret"), "{ended:?}");
    }
    let mut command = tests::keeper::keeper_command(keeper.folder.path());
    command.arg("--check").env("NOTIFY_QUIET", "22:00-07:00");
    let ended = run(command, LIMIT).await;
    assert!(ended.code == Some(2) && ended.stderr.contains("NOTIFY_URLS is not: nobody is written to"), "{ended:?}");
}
