//! `infra/examples/home-and-vps`: both machines are projects of one engine, which reach each other at the ports that they publish.

use std::fs;

use reqwest::Method;
use tests::guide::blocks;

use super::composed::{Composed, Tool};

/// Where both are: an address that containers and reader reach alike.
const BOTH: &str = "10.99.0.1";

/// The README's commands for one of the machines, but for its example's address.
fn commands(home: &Composed, mark: &str) -> String {
    let readme = fs::read_to_string(home.place().join("README.md")).expect("a README");
    let blocks = blocks(&readme).into_iter().filter(|block| block.mark == mark);
    blocks.map(|block| block.script).filter(|script| !script.starts_with("export ")).collect()
}

/// The code, which is the one long word of the log that stands alone.
fn code(log: &str) -> Option<String> {
    let last = |line: &str| line.rsplit(['|', ' ']).next().unwrap_or_default().trim().to_owned();
    let after = log.lines().skip_while(|line| !line.contains("paste this code")).nth(1)?;
    Some(last(after)).filter(|code| code.len() > 40)
}

#[tokio::test]
async fn a_home_joins_a_machine_elsewhere_which_looks_at_it() {
    let Some(mut both) = Composed::of("compose-vps", "examples/home-and-vps", Tool::PodmanCompose).await else {
        return;
    };
    both.namespace().run(&["ip", "address", "add", &format!("{BOTH}/32"), "dev", "lo"]).await;
    both.set("ADDRESS", BOTH);
    both.set("HOME_URL", format!("http://{BOTH}:30008"));
    // One machine plays both, so that it cannot know by itself that it looks from elsewhere.
    both.set("VANTAGE", "outside");

    both.set("PROJECT_PART", "-vps");
    let vps = both.shell(&commands(&both, "vps"), "").await;
    assert_eq!(vps.code, Some(0), "{vps:?}");
    both.until(&"a code is printed", async || code(&both.logs("outside").await).is_some()).await;
    let code = code(&both.logs("outside").await).expect("a code");
    both.until(&"it is well", async || both.health("outside").await.0).await;

    both.set("PROJECT_PART", "-home");
    let joined = both.shell(&commands(&both, "home"), &format!("{code}\n")).await;
    assert_eq!(joined.code, Some(0), "{joined:?}");
    assert!(joined.stdout.contains("Joined the machine at"), "{joined:?}");
    let seen = both.sees().await;
    assert!(seen[0].contains("<!doctype html>"), "{seen:?}");
    let page = format!("http://{BOTH}:8031/api/v2/summary.json");
    both.until(&"it has looked, and the home is up", async || {
        let summary: serde_json::Value = serde_json::from_str(&both.curl(&[&page]).await.stdout).unwrap_or_default();
        let component = &summary["components"][0];
        component["status"] == "operational" && component["porchlight"]["looked_at"].is_string()
    })
    .await;
    both.measures().await;
    both.until(&"the home copies the page", async || {
        both.keeper(Method::GET, "/healthz", None).await.contains("\"well\"")
    })
    .await;

    both.falls_ill_and_recovers("home").await;
    let restarted = both.shell("docker compose -f home/compose.yaml restart", "").await;
    assert_eq!(restarted.code, Some(0), "{restarted:?}");
    both.has_measured().await;
    let stopped = both.shell("docker compose -f home/compose.yaml down", "").await;
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    both.set("PROJECT_PART", "-vps");
    both.falls_ill_and_recovers("outside").await;
    let stopped = both.shell("docker compose -f vps/compose.yaml down", "").await;
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
}
