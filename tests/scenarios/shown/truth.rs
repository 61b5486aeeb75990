//! What the page claims, with real programs and a clock that jumps: a prober that ran, and then did not.

use std::{fs, path::Path};

use tests::{
    beacon::Beacon,
    keeper::{Keeper, TOKEN},
    prober::{probe_with, prober_command},
    skip::{libfaketime, skip},
};
use tokio::process::Command;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A clock that shows so many seconds more than it should, from now on.
pub(super) fn is_off_by(clock: &Path, seconds: i64) {
    let new = clock.with_extension("new");
    fs::write(&new, format!("{seconds:+}\n")).expect("it can be written");
    fs::rename(new, clock).expect("it can be written");
}

async fn claims(keeper: &Keeper, overall: &str) {
    let page = keeper.page().await;
    let shown = page.split("role=\"status\"").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    assert!(shown.contains(overall), "{overall} in {shown}");
    let url = format!("{}/api/v2/status.json", keeper.url);
    let said = keeper.http.get(url).send().await.expect("it answers").text().await.expect("a text");
    assert!(said.contains(overall), "{overall} in {said}");
    for path in ["/badge/overall.svg", "/badge/overall.json", "/widget"] {
        let answer = keeper.http.get(format!("{}{path}", keeper.url)).send().await.expect("it answers");
        let said = answer.text().await.expect("a text");
        assert!(said.contains(overall), "{overall} in {said}");
    }
}

#[tokio::test]
async fn with_real_programs_the_page_is_grey_once_nobody_has_looked_for_five_minutes() {
    let Some(libfaketime) = libfaketime() else {
        return skip("the page's truth", "libfaketime is missing; tests/run installs it");
    };
    let files = tempfile::tempdir().expect("a folder");
    let clock = files.path().join("clock");
    is_off_by(&clock, 0);
    let by_the_clock = |command: &mut Command| {
        command.env("LD_PRELOAD", &libfaketime).env("FAKETIME_TIMESTAMP_FILE", &clock);
        command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
    };
    let beacon = Beacon::with_key("127.0.0.1:0", KEY).await;
    let (home, private) = (beacon.url(), format!("http://{}", beacon.private));
    let keeper = Keeper::start_with(|command| {
        by_the_clock(command);
        command.env("BEACON_PRIVATE_URL", &private);
    })
    .await;
    let probe = async |api: &str| {
        let mut command = prober_command(&home, api);
        by_the_clock(&mut command);
        command.env("BEACON_KEY", KEY).env("TOKEN", TOKEN).env("LOCATION", "eu-central-1");
        probe_with(command).await
    };
    claims(&keeper, "Nobody has looked yet").await;
    assert_eq!(probe(&keeper.api()).await.code, Some(0));
    claims(&keeper, "All Systems Operational").await;
    assert!(keeper.page().await.contains("Last looked at from the cloud (eu-central-1)"));
    is_off_by(&clock, 301);
    claims(&keeper, "Not looked at since").await;

    // The status that the prober wrote stays, and so does that nobody has looked since.
    assert_eq!(keeper.status().await, "operational");
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let keeper = Keeper::restart_with(folder, by_the_clock).await;
    claims(&keeper, "Not looked at since").await;

    beacon.process.terminate().await;
    assert_eq!(probe(&keeper.api()).await.code, Some(0));
    claims(&keeper, "Major System Outage").await;
    assert!(keeper.page().await.contains("An address answered, but the port is closed"));
    is_off_by(&clock, 610);
    claims(&keeper, "Not looked at since").await;
}
