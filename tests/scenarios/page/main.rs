//! The page in a real browser. The screenshots are left in `tests/artifacts`, for people to see.
//!
//! - `owner`: what is the owner's alone
//! - here: before a cut, after it, and after the repair
//! - `year`: after a year, and on the first day, held against stored pictures

mod owner;
mod year;

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use serde_json::Value;
use tests::{
    beacon::Beacon,
    binaries::root,
    keeper::{COMPONENT, Keeper},
    prober::probe,
    process::{command, run},
    skip::{program, skip},
};

/// Six pictures with all their checks take 40 s on an idle machine, and three times that beside everything else.
const BROWSER: Duration = Duration::from_secs(400);

pub(crate) struct Browser {
    node: PathBuf,
    chromium: PathBuf,
}

impl Browser {
    pub(crate) fn find() -> Option<Self> {
        let chromium = program("chromium").or_else(|| program("chromium-browser"))?;
        let installed = root().join("tests/browser/node_modules/playwright-core").is_dir();
        Some(Self { node: program("node").filter(|_| installed)?, chromium })
    }

    /// What one of the scripts in `tests/browser` prints.
    pub(crate) async fn run(&self, script: &str, arguments: &[&OsStr]) -> Value {
        let mut node = command(&self.node);
        node.arg(root().join("tests/browser").join(script)).args(arguments).env("CHROMIUM", &self.chromium);
        if let Some(update) = std::env::var_os("UPDATE_PICTURES") {
            node.env("UPDATE_PICTURES", update);
        }
        let ended = run(node, BROWSER).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        serde_json::from_str(&ended.stdout).expect("one line of JSON")
    }

    /// What a person sees, on a desk and on a phone.
    async fn visit(&self, url: &str, name: &str) -> Value {
        let seen = self.run("look.mjs", &[url.as_ref(), artifacts().join(name).as_ref()]).await;
        for view in ["desk", "phone"] {
            let view = &seen[view];
            assert_eq!(view["status"], 200, "{view:#}");
            assert_eq!(view["overflow"], 0, "nothing to scroll sideways: {view:#}");
            assert_eq!(view["hosts"], 1, "nothing is loaded from elsewhere: {view:#}");
            assert_eq!(view["complaints"], Value::Array(Vec::new()), "{view:#}");
            assert_eq!(view["violations"], Value::Array(Vec::new()), "{view:#}");
        }
        assert_ne!(seen["desk"]["background"], seen["phone"]["background"], "light and dark differ");
        seen
    }
}

/// Where the screenshots are left.
pub(crate) fn artifacts() -> PathBuf {
    let artifacts = root().join("tests/artifacts");
    std::fs::create_dir_all(&artifacts).expect("a folder for screenshots");
    artifacts
}

#[tokio::test]
async fn a_person_sees_the_cut_and_the_repair() {
    let Some(browser) = Browser::find() else {
        return skip("the page in a browser", "chromium, node or playwright-core is missing; tests/run installs them");
    };
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let (home, address) = (beacon.url(), beacon.public.to_string());
    let shows = |seen: &Value, overall: &str, component: &str| {
        for view in ["desk", "phone"] {
            assert_eq!(seen[view]["overall"][0], overall, "{seen:#}");
            let shown = seen[view]["components"][0].as_str().expect("a component").replace('\n', " ");
            assert_eq!(shown, format!("Home internet {component}"), "{seen:#}");
            assert_eq!(seen[view]["title"], format!("My home: {overall}"));
        }
        assert_eq!(seen["renewed"]["overall"], overall, "an open page renews itself: {seen:#}");
        assert_eq!(seen["renewed"]["complaints"], Value::Array(Vec::new()));
    };

    let seen = browser.visit(&keeper.url, "page-0-new").await;
    shows(&seen, "Nobody has looked yet", "Nobody has looked yet");

    probe(&home, &keeper.api()).await;
    keeper.looked(COMPONENT, "up", None).await;
    let seen = browser.visit(&keeper.url, "page-1-before").await;
    shows(&seen, "All Systems Operational", "Operational");

    beacon.process.terminate().await;
    probe(&home, &keeper.api()).await;
    keeper.looked(COMPONENT, "down", Some("refused")).await;
    keeper
        .ok(
            reqwest::Method::POST,
            &format!("/pages/{}/incidents", tests::keeper::PAGE),
            Some(serde_json::json!({"incident": {"name": "The line is cut",
                "body": "Somebody is looking for the <cable>.", "component_ids": [tests::keeper::COMPONENT]}})),
        )
        .await;
    let seen = browser.visit(&keeper.url, "page-2-cut").await;
    shows(&seen, "Major System Outage", "Major outage");
    assert_eq!(seen["desk"]["changes"][0], "Major outage");
    let page = keeper.page().await;
    assert!(page.contains("An address answered, but the port is closed"), "the cause is told: {page}");
    assert!(page.contains("Last looked at from the cloud (eu-central-1)"), "{page}");
    assert!(page.contains("The line is cut") && page.contains("&#60;cable&#62;"), "texts are escaped: {page}");

    let _repaired = Beacon::start_at(&address).await;
    probe(&home, &keeper.api()).await;
    keeper.looked(COMPONENT, "up", None).await;
    let seen = browser.visit(&keeper.url, "page-3-repaired").await;
    shows(&seen, "All Systems Operational", "Operational");
    let changes: Vec<_> = (0..3).map(|index| seen["desk"]["changes"][index].as_str()).collect();
    assert_eq!(changes, [Some("Operational"), Some("Major outage"), Some("Operational")]);
    let kept = &seen["kept"];
    assert_eq!((&kept["before"]["open"], &kept["before"]["focus"]), (&true.into(), &"SUMMARY".into()), "{kept:#}");
    assert_eq!(kept["before"]["selected"], "My home");
    assert_eq!(kept["after"], kept["before"], "what a reader did to the page stays");
    assert_eq!(kept["overall"], "All Systems Operational", "and what changed is renewed");
    assert!(seen["desk"]["times"][0].as_str().is_some_and(|time| time.ends_with("CET") || time.ends_with("CEST")));
}
