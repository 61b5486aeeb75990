//! A home that nobody can reach, run by `porchlight up`.

use std::{fs, os::unix::fs::PermissionsExt};

use tests::heartbeats::{Function, HOME, PATH, key};
use tokio::process::Command;

use crate::world::{Up, ended, put, up};

#[tokio::test]
async fn a_home_sends_heartbeats_from_start_to_start_until_they_are_switched_off() {
    let (function, folder) = (Function::open().await, tempfile::tempdir().expect("a temporary folder"));
    let data = folder.path().join("data");
    put(&data, "beacon.key", &key().expose());
    let with = |url: Option<&str>, component: &str| -> Command {
        let mut up = up(&data);
        up.args(["--heartbeats", component]).envs(url.map(|url| ("HEARTBEAT_URL", url)));
        up
    };
    let missing = ended(with(None, HOME)).await;
    assert!(missing.code == Some(2) && missing.stderr.contains("--heartbeats needs the address"), "{missing:?}");
    let unsafe_url = format!("http://porchlight.example{PATH}");
    let refused = ended(with(Some(&unsafe_url), HOME)).await;
    assert!(refused.code == Some(2) && refused.stderr.contains("begin it with https://"), "{refused:?}");
    assert!(!refused.stderr.contains(PATH) && !data.join("heartbeat.url").exists(), "{refused:?}");
    let misspelt = ended(with(Some(&function.url()), "my home")).await;
    assert!(misspelt.code == Some(2) && misspelt.stderr.contains("an id is 12 lower-case letters"), "{misspelt:?}");

    let home = Up::start(with(Some(&function.url()), HOME)).await;
    let first = function.wait(1).await;
    assert_eq!(first[0].home.as_str(), HOME);
    let mode = fs::metadata(data.join("heartbeat.url")).expect("it is kept").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "the address is a secret");
    assert!(!home.process.lines().join("\n").contains(PATH));
    assert!(home.process.terminate().await.success());

    // What was chosen stays, without the variable.
    let home = Up::start(up(&data)).await;
    let taken = function.wait(first.len() + 1).await;
    assert!(taken.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "{taken:?}");
    assert!(home.process.terminate().await.success());

    let home = Up::start(with(None, "off")).await;
    assert!(home.page().await.contains("Home internet"));
    assert!(!data.join("heartbeat.url").exists());
    assert!(home.process.terminate().await.success());
    let chosen = fs::read_to_string(data.join("up.toml")).expect("what was chosen");
    assert!(!chosen.contains("heartbeats"), "{chosen}");
}
