//! The services as emulators.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::{
    notices::{BOT_TOKEN, CHAT, Posted, Reply, Service, discord, gotify, ntfy, pushover, slack, telegram},
    process::Process,
};
use tokio::{net::TcpListener, time::sleep};

use super::{notify, tried};

const SLACK_TOKEN: &str = "T00000000-B00000000-XXXXXXXXXXXXXXXXXXXXXXXX";

#[tokio::test]
async fn every_service_takes_a_test() {
    let (chat, push) = (Service::start(telegram).await, Service::start(ntfy).await);
    let (cards, hook) = (Service::start(discord(1)).await, Service::start(slack).await);
    let (app, phone) = (Service::start(gotify).await, Service::start(pushover).await);
    let check = Service::start(|_, _| Reply::text(200, "OK")).await;
    let urls = [
        format!("telegram://{BOT_TOKEN}@telegram?chats={CHAT},429&server={}", chat.url),
        format!("ntfy+http://{}/home", push.host()),
        format!("ntfy+http://:tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2@{}/locked?priority=max", push.host()),
        format!("discord://secretToken@4711?server={}", cards.url),
        format!("slack://hook:{SLACK_TOKEN}@webhook?server={}", hook.url),
        format!("gotify+http://{}/AwB.3fOBkRd4f9y", app.host()),
        format!(
            "pushover://shoutrrr:azGDORePK8gMaC0QOYAMyEEuzJnyUi@uQiRzpo4DXghDmr9QzzfQu27cmVRsG?server={}",
            phone.url
        ),
        format!("healthchecks+http://{}/5ccb1a9b", check.host()),
    ];
    let ended = tried(&urls.join("\n")).await;
    assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{ended:?}");
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines.len() == 9 && lines.iter().all(|line| line.ends_with(": taken")), "{ended:?}");
    assert_eq!(lines[1], "telegram://*** (429): taken", "after the wait that it asked for");
    assert_eq!((cards.posted().len(), push.posted().len(), check.posted()[0].target.as_str()), (2, 2, "/5ccb1a9b"));
    let message = push.posted()[0].json();
    assert_eq!(message["title"], "Porchlight can reach you here");
}

#[tokio::test]
async fn what_a_service_refuses_is_said_with_what_to_do() {
    let (chat, push, hook) = (Service::start(telegram).await, Service::start(ntfy).await, Service::start(slack).await);
    let page = Service::start(|_, _| Reply::text(200, "<!doctype html><title>Log in</title>")).await;
    let by = |chats: &str| format!("telegram://{BOT_TOKEN}@telegram?chats={chats}&server={}", chat.url);
    for (urls, expected) in [
        (
            by("-1001"),
            "telegram://*** (-1001): taken, but the group has become a supergroup: write its new chat id, -1000000001",
        ),
        (by("403"), "(403): not taken: the bot may not write there (Forbidden: bot was blocked by the user)"),
        (by("99"), "(99): not taken: Telegram knows no such chat: write to the bot once"),
        (
            by("1").replace(BOT_TOKEN, "1:another-token"),
            "Telegram does not know this token: copy it from @BotFather again",
        ),
        (
            format!("ntfy+http://{}/locked", push.host()),
            "it does not accept the token or the login (status 403): forbidden",
        ),
        (
            format!("ntfy+http://{}/quota", push.host()),
            "the day's messages of this server are used up (it asks to wait 3600 s)",
        ),
        (format!("ntfy+http://{}/home", page.host()), "a web page answers there with status 200, and not ntfy"),
        (
            format!("slack://hook:{SLACK_TOKEN}@webhook?server={}", page.url),
            "a web page answers there with status 200, and not Slack",
        ),
        (
            format!("slack://hook:A-B-C@webhook?server={}", hook.url),
            "it knows nothing at this address (status 404): no_service",
        ),
    ] {
        let ended = tried(&urls).await;
        assert_eq!(ended.code, Some(i32::from(!expected.contains("taken, but"))), "{ended:?}");
        assert!(ended.stdout.contains(expected), "{expected}: {ended:?}");
    }
}

#[tokio::test]
async fn a_service_that_hangs_keeps_none_of_the_others_waiting() {
    let hangs = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let push = Service::start(ntfy).await;
    let hanging = hangs.local_addr().expect("an address");
    let begun = Instant::now();
    let trying = Process::start(notify(&format!("ntfy+http://{hanging}/home\nntfy+http://{}/home", push.host())));
    while push.posted().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "it waits for the one that hangs");
        sleep(Duration::from_millis(20)).await;
    }
    assert!(trying.lines().is_empty(), "the other one has not answered yet");
}

/// An error that repeats all that it was sent, in the field in which each service has its words.
fn echo(posted: &Posted, _: usize) -> Reply {
    let header = |name| posted.header(name).unwrap_or_default().to_owned();
    let all = format!("{} {} {} {}", posted.target, header("authorization"), header("x-gotify-key"), posted.text());
    let error = json!({"ok": false, "error_code": 400, "description": all, "error": all, "message": all, "errorDescription": all,
        "errors": [all], "status": 0});
    Reply::json(400, &error)
}

#[tokio::test]
async fn no_secret_is_in_any_output_at_the_most_talkative_level() {
    let echo = Service::start(echo).await;
    let secrets = [
        "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
        "topicSecret",
        "tk_secret",
        "hookSecret",
        "appSecret",
        "pathSecret",
        "userSecret",
        "keySecret",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "azGDORePK8gMaC0QOYAMyEEuzJnyUi",
        "uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
        "bWU6dXNlclNlY3JldA",
        "two%20words",
        "two words",
    ];
    let urls = [
        format!("telegram://{BOT_TOKEN}@telegram?chats=1&server={}", echo.url),
        format!("ntfy+http://:tk_secret@{}/topicSecret", echo.host()),
        format!("discord://hookSecret@4711?server={}", echo.url),
        format!("slack://hook:T-B-hookSecret@webhook?server={}", echo.url),
        format!("gotify+http://{}/appSecret", echo.host()),
        format!(
            "pushover://shoutrrr:azGDORePK8gMaC0QOYAMyEEuzJnyUi@uQiRzpo4DXghDmr9QzzfQu27cmVRsG?server={}",
            echo.url
        ),
        format!(
            "json+http://me:userSecret@{}/pathSecret/two%20words?secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            echo.host()
        ),
        format!("alertmanager+http://me:userSecret@{}", echo.host()),
        format!("apprise://me:userSecret@{}/keySecret", echo.host()),
        format!("healthchecks+http://{}/keySecret", echo.host()),
        "smtp://me:userSecret@127.0.0.1:9/?from=a@b.example&to=c@d.example".into(),
    ];
    for dry in [false, true] {
        let mut trying = notify(&urls.join("\n"));
        trying.env("LOG_LEVEL", "trace").env("RUST_BACKTRACE", "1");
        if dry {
            trying.arg("--dry-run");
        }
        let ended = tests::process::run(trying, super::LIMIT).await;
        assert_eq!(ended.code, Some(i32::from(!dry)), "{ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("***") && (dry || said.contains("calling")), "{said}");
        for secret in secrets {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert_eq!(echo.posted().len(), 10, "a dry run sends nothing");
    }
}
