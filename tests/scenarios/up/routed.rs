//! A home whose router opens the port of the beacon.

use std::{fs, path::Path};

use tests::{
    address_source::{Manner as Said, Source},
    process::own_address,
    router::{Manner, Router},
};
use tokio::process::Command;

use crate::{
    two::Two,
    world::{Up, ended, porchlight, up},
};

/// `up` beside that router.
fn beside(router: &Router, source: &Source, mut command: Command, more: &[&str]) -> Command {
    command.args(more).env("ROUTER", router.address.to_string()).env("ADDRESS_SOURCES", source.url());
    command
}

fn beacon_port(data: &Path) -> u16 {
    let chosen = fs::read_to_string(data.join("up.toml")).expect("what was chosen");
    let line = chosen.lines().find(|line| line.starts_with("beacon = ")).expect("where the beacon is");
    line.trim_matches(|c: char| !c.is_ascii_digit())
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port")
}

#[tokio::test]
async fn the_routers_port_is_opened_stays_open_from_start_to_start_and_is_closed_with_the_rest() {
    let (router, source) = (Router::at(own_address(), Manner::GOOD).await, Source::open(Said::Silent).await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let wrong = ended(beside(&router, &source, up(&data), &["--router-port", "soon"])).await;
    assert!(wrong.code == Some(2) && wrong.stderr.contains("a port is a number from 1 to 65535, or off"), "{wrong:?}");

    let wrong = ended(beside(&router, &source, up(&data), &["--dns", "my_home"])).await;
    assert!(wrong.code == Some(2) && wrong.stderr.contains("a name at DuckDNS has letters"), "{wrong:?}");
    assert!(!data.exists(), "what is refused makes no home");

    let mut home = Up::start(beside(&router, &source, up(&data), &["--router-port", "30008"])).await;
    let is_open = |lines: &[String]| lines.iter().any(|line| line.contains("open      port 30008 of ")).then_some(());
    home.process.wait_for("that it is open", is_open).await;
    assert_eq!(router.leads_here(), [(30008, beacon_port(&data))]);
    let status = ended(porchlight("status", &data)).await;
    assert!(status.stdout.contains(&format!("  router     port 30008 of {}", router.address)), "{status:?}");
    assert!(home.process.terminate().await.success());
    assert_eq!(router.leads_here().len(), 1, "a restart is no outage");

    // What was chosen stays, until it is chosen otherwise.
    let home = Up::start(beside(&router, &source, up(&data), &[])).await;
    assert!(home.process.terminate().await.success());
    assert_eq!(router.leads_here().len(), 1);
    let mut home = Up::start(beside(&router, &source, up(&data), &["--router-port", "off"])).await;
    let is_closed =
        |lines: &[String]| lines.iter().any(|line| line.starts_with("The router's port was closed")).then_some(());
    home.process.wait_for("that it is closed", is_closed).await;
    assert!(router.table().is_empty());
    assert!(home.process.terminate().await.success());

    let mut home = Up::start(beside(&router, &source, up(&data), &["--router-port", "31000"])).await;
    let is_open = |lines: &[String]| lines.iter().any(|line| line.contains("open      port 31000 of ")).then_some(());
    home.process.wait_for("that it is open", is_open).await;
    assert!(home.process.terminate().await.success());
    let mut purge = porchlight("down", &data);
    purge.arg("--purge");
    let purged = ended(purge).await;
    assert!(purged.stdout.contains("The router's port was closed: port 31000"), "{purged:?}");
    assert!(router.table().is_empty() && !data.exists());
}

/// The port that was asked for is somebody else's: the machine that looks at this home is told the one that the router gives.
#[tokio::test]
async fn who_joins_is_told_the_port_that_the_router_gives_and_status_shows_it() {
    let (router, source) = (Router::at(own_address(), Manner::GOOD).await, Source::open(Said::Silent).await);
    router.give(30008, [192, 168, 1, 9].into(), 443, "nas");
    let two = Two::new();
    let (outside, code) = two.waiting(two.outside()).await;
    let home = own_address();
    let join = two.join_as(&code, &format!("http://{home}:30008/"));
    let mut joined = Up::start(beside(&router, &source, join, &["--router-port", "30008"])).await;
    let at = format!("  looked at  http://{home}:30009/");
    joined.process.wait_for("where it is looked at", |lines| lines.contains(&at).then_some(())).await;
    let chosen = fs::read_to_string(two.data("outside").join("up.toml")).expect("what the outside machine keeps");
    assert!(chosen.contains(&format!("http://{home}:30009/")), "{chosen}");
    let follows = |line: &String| line.starts_with(&format!("CANARY_URL=http://{home}:30009/"));
    joined.process.wait_for("what follows", |lines| lines.iter().any(follows).then_some(())).await;
    let status = ended(porchlight("status", &two.data("home"))).await;
    assert!(status.stdout.contains("so who looks at this home must ask for port 30009"), "{status:?}");
    assert!(joined.process.terminate().await.success());
    drop(outside);
    let mut purge = porchlight("down", &two.data("home"));
    purge.arg("--purge");
    // A router that does it no more: that is said, and is no success.
    router.turn(Manner { is_a_web_page: true, pcp: false, nat_pmp: false, ..Manner::GOOD });
    let purged = ended(purge).await;
    assert_eq!(purged.code, Some(1), "{purged:?}");
    assert!(purged.stdout.contains("The router's port is not closed, because "), "{purged:?}");
    assert!(!two.data("home").join("beacon.key").exists(), "{purged:?}");
}

#[tokio::test]
async fn a_router_that_opens_nothing_takes_no_home_down() {
    let (router, source) =
        (Router::at(own_address(), Manner { forbids: true, ..Manner::GOOD }).await, Source::open(Said::Silent).await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let mut home = Up::start(beside(&router, &source, up(&data), &["--router-port", "30008"])).await;
    let refused = |lines: &[String]| lines.iter().any(|line| line.contains("does not open the port")).then_some(());
    home.process.wait_for("that it is refused", refused).await;
    let status = ended(porchlight("status", &data)).await;
    assert!(
        status.stdout.contains("port 30008 was asked for, and none is open that this home has opened"),
        "{status:?}"
    );
    assert!(home.page().await.contains("<html"));
    assert!(home.process.terminate().await.success());
}
