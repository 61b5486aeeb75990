//! Web hooks, by the libraries of others.

use std::process::Stdio;

use serde_json::{Value, json};
use tests::{
    binaries::root,
    notices::{Posted, Reply, Service},
    process::command,
};
use tokio::io::AsyncWriteExt;

use super::{python, server, tried};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What the library of Standard Webhooks says of a request with that body.
async fn verified(python: &std::path::Path, posted: &Posted, body: &str) -> (bool, String) {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!(posted.header(name)))).collect();
    let mut verify = command(python);
    verify.arg(root().join("tests/notices/verify.py")).arg(SECRET).stdin(Stdio::piped());
    let mut verify = verify.spawn().expect("it starts");
    let text = json!({"headers": headers, "body": body}).to_string();
    verify.stdin.take().expect("it is piped").write_all(text.as_bytes()).await.expect("it reads");
    let output = verify.wait_with_output().await.expect("it ends");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[tokio::test]
async fn a_web_hook_is_signed_so_that_the_standards_own_library_takes_it_and_nothing_else() {
    let Some(python) = python("the signature of a web hook", "standardwebhooks").await else { return };
    let hook = Service::start(|_, _| Reply::text(204, "")).await;
    let ended = tried(&format!("json+http://{}/in?secret={SECRET}", hook.host())).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let posted = hook.posted().remove(0);
    assert_eq!(verified(&python, &posted, &posted.text()).await, (true, "porchlight.began".into()));
    let changed = posted.text().replace("nothing is wrong", "all is lost");
    assert!(!verified(&python, &posted, &changed).await.0);
}

#[tokio::test]
async fn an_apprise_server_takes_a_notice_and_sends_it_on() {
    let Some(python) = python("an Apprise server", "apprise").await else { return };
    let target = Service::start(|_, _| Reply::text(200, "")).await;
    let (_server, port) = server(&python, "apprise_api.py", &["home", &format!("json://{}/", target.host())]).await;
    let ended = tried(&format!("apprise://127.0.0.1:{port}/home?tag=people")).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let notice = target.posted().remove(0).json();
    assert_eq!((&notice["title"], &notice["type"]), (&json!("Porchlight can reach you here"), &json!("failure")));
    let nothing = tried(&format!("apprise://127.0.0.1:{port}/elsewhere")).await;
    assert!(nothing.code == Some(1) && nothing.stdout.contains("keeps nothing under this key"), "{nothing:?}");
    let unknown = tried(&format!("apprise://127.0.0.1:{port}/home?tag=strangers")).await;
    assert!(unknown.code == Some(1) && unknown.stdout.contains("could not send to all"), "{unknown:?}");
}
