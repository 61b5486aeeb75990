//! From a `TelegramChannel` to the chat: the operator writes a Secret, which the keeper has as a file, and the keeper writes the notice.

use std::{fs, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use check_runner::message;
use checks::{cause::Cause, outcome::Outcome};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    keeper::Keeper,
    kubernetes::{Kubernetes, ended_with},
    notices::{BOT_TOKEN, CHAT, Service, telegram},
};
use tokio::time::{Instant, sleep};

use super::world::{NAMESPACE, World};

/// Where the operator itself is.
const OWN: &str = "porchlight";

/// How long something may take to be seen.
const LIMIT: Duration = Duration::from_secs(60);

fn pinglow(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "pinglow.io/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
}

/// As a kubelet does: the file is what the Secret holds. Waits until there are so many channels.
async fn mount(kubernetes: &Kubernetes, file: &Path, channels: usize) {
    let until = Instant::now() + LIMIT;
    loop {
        let secret = kubernetes.get("/secrets", OWN, "channels").unwrap_or_default();
        let text = secret["data"]["URLS"].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        let text = String::from_utf8(text).expect("a text");
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        if !text.is_empty() && lines == channels {
            return fs::write(file, text).expect("the file is ours");
        }
        assert!(Instant::now() < until, "it never holds {channels} channels: {text}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn who_is_named_by_a_check_is_written_to_when_it_turns_and_nobody_else() {
    let chat = Service::start(telegram).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("urls");
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_OPERATOR_URLS_FILE", &file);
    })
    .await;
    let settings = [("CHANNELS_SECRET", "channels"), ("TELEGRAM_SERVER", chat.url.as_str())];
    let world = World::start_beside(keeper, &settings, |kubernetes| {
        kubernetes.run_jobs_by(|_| vec![ended_with(&message::write(&Outcome::ok("DISK is fine")))]);
        // The chart makes it, empty.
        kubernetes
            .apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "channels", "namespace": OWN}}));
        let labels = json!({"porchlight.dev/for-checks": "true"});
        kubernetes.apply(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bot", "namespace": NAMESPACE, "labels": labels},
            "data": {"botToken": STANDARD.encode(BOT_TOKEN)},
        }));
        kubernetes.apply(pinglow(
            "TelegramChannel",
            "family",
            &json!({"chatId": CHAT.to_string(), "botTokenRef": "bot"}),
        ));
        kubernetes.apply(pinglow("Script", "full", &json!({"language": "Bash", "content": "exit 2"})));
        for (name, channels) in [("disk", json!(["family"])), ("other", json!([]))] {
            let spec = json!({"scriptRef": "full", "interval": 5, "telegramChannelRefs": channels});
            kubernetes.apply(pinglow("Check", name, &spec));
        }
    })
    .await;
    mount(&world.kubernetes, &file, 1).await;
    // The keeper reads it within half a minute; what turned before is nothing new to a channel that comes later.
    let until = Instant::now() + LIMIT;
    loop {
        let (_, notices) = world.keeper.own(Method::GET, "/notices", None).await;
        if notices["channels"].as_array().is_some_and(|channels| channels.len() == 1) {
            break;
        }
        assert!(Instant::now() < until, "the keeper does not read it: {notices}");
        sleep(Duration::from_millis(100)).await;
    }
    world.until("disk", "has run", |known| known["last_run"]["state"] == "ok").await;
    let full = Outcome::because(Cause::Reported, "DISK is full");
    world.kubernetes.run_jobs_by(move |_| vec![ended_with(&message::write(&full))]);
    let until = Instant::now() + LIMIT;
    while chat.posted().is_empty() {
        assert!(Instant::now() < until, "nobody is written to");
        sleep(Duration::from_millis(50)).await;
    }
    // More samples are no more notices, and the other check is nobody's.
    world.until("other", "has run", |known| known["last_run"]["state"] == "critical").await;
    sleep(Duration::from_secs(12)).await;
    let posted = chat.posted();
    let texts: Vec<String> =
        posted.iter().map(|posted| posted.json()["text"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert!(texts[0].contains("disk") && texts[0].contains("DISK is full"), "{texts:?}");
    // One that goes is no channel any more.
    world.kubernetes.apply(pinglow("Check", "disk", &json!({"scriptRef": "full", "interval": 5})));
    mount(&world.kubernetes, &file, 0).await;
}
