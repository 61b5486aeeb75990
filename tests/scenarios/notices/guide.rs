//! The commands of `infra/NOTICES.md`, run as a reader would.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use tests::{
    binaries::{binary, root},
    guide::blocks,
    keeper::{Keeper, TOKEN},
    notices::{Reply, Service},
    process::{command, run},
};

use super::LIMIT;

#[tokio::test]
async fn the_commands_of_the_guide_run() {
    let phone = Service::start(|_, _| Reply::text(204, "")).await;
    let urls = format!("json+http://{}/in", phone.host());
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_URLS", &urls);
    })
    .await;
    let text = fs::read_to_string(root().join("infra/NOTICES.md")).expect("the guide");
    let blocks: Vec<_> = blocks(&text).into_iter().filter(|block| block.script.contains("porchlight ")).collect();
    assert_eq!(blocks.len(), 2);
    let tomorrow = (Timestamp::now() + SignedDuration::from_hours(24)).to_string();
    let programs = binary("porchlight").parent().expect("a folder").to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    for block in blocks {
        // The guide's evening will be over one day.
        let script = block.script.replace("2026-12-24T18:00:00Z", &tomorrow);
        let mut shell = command("bash");
        shell.args(["-ec", &script]).env("PATH", &path).env("NOTIFY_URLS", &urls);
        shell.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
        let ended = run(shell, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{script}\n{ended:?}");
    }
    assert_eq!(phone.posted().len(), 1, "that of the test");
}
