//! The page after a year of outages, gaps, maintenance, flapping and changes of clocks, and on the first day: as it looks in a
//! browser, light and dark, on a desk, a phone and paper, with and without script. Its clock stands still, so that it looks the
//! same each time, and is held against pictures that a person has looked at.

use std::{future::pending, path::Path, time::Duration};

use home_beacon::keeper::{KeeperConfig, Listeners, measured::line_quality::Promised, seed::Seed, start};
use jiff::Timestamp;
use serde_json::Value;
use shared::secret::Secret;
use tests::{
    atom,
    clock::Hand,
    keeper::{COMPONENT, PAGE, TOKEN},
    past,
    process::file,
    skip::{program, skip},
};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{Browser, artifacts};

/// Two weeks after the clocks of the page's time zone were set back.
const NOW: &str = "2026-11-08T13:37:20Z";

/// The share of a picture that may differ.
const TOLERANCE: f64 = 0.002;

const VIEWS: [&str; 6] = ["desk", "desk-dark", "desk-plain", "phone", "phone-dark", "print"];

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 40 40\" width=\"40\" height=\"40\">\
                    <circle cx=\"20\" cy=\"20\" r=\"18\" fill=\"#00695c\"/></svg>";

/// A keeper in this process, whose clock stands still.
struct Standing {
    /// What everybody may read.
    url: String,
    /// Where `/v1` is.
    private: String,
    task: JoinHandle<()>,
}

impl Standing {
    async fn start(folder: &Path, seed: &str, promised: Promised) -> Self {
        let now: Timestamp = NOW.parse().expect("a time");
        let (seed, branding) = Seed::read(Path::new(&file(folder, "seed.toml", seed))).expect("a seed");
        let config = KeeperConfig {
            database_url: format!("sqlite:{}", folder.join("keeper.db").display()),
            seed: Some(seed),
            token: Secret::new(TOKEN).into(),
            pinglow_key: None,
            joins: None,
            rate_limit: 0,
            strict_points: false,
            upstream: None,
            notices: None,
            promised,
            beacon: None,
            heartbeat: None,
            at_home: false,
            front: home_beacon::keeper::http::front::Front { branding, ..Default::default() },
            notice: None,
            without_looks: None,
        };
        let keeper = start(config, Hand::at(now).standing_host()).await.expect("it starts");
        let listeners = [listen().await, listen().await];
        let [private, url] =
            [0, 1].map(|index| format!("http://{}/", listeners[index].local_addr().expect("an address")));
        let task = tokio::spawn(async move {
            let [private, public] = listeners;
            let listeners = Listeners { private, public: Some(public), tls: None };
            Box::pin(keeper.run(listeners, pending())).await.expect("it can be written");
        });
        Self { url, private, task }
    }

    /// Writes an incident, as its owner does.
    async fn incident(&self, incident: Value) {
        let url = format!("{}v1/pages/{PAGE}/incidents", self.private);
        let asked = reqwest::Client::new().post(url).header("authorization", format!("OAuth {TOKEN}"));
        let answer = asked.json(&serde_json::json!({"incident": incident})).send().await.expect("it answers");
        assert_eq!(answer.status(), 201, "{incident}");
    }

    /// The feed, and how many entries it has by its validator.
    async fn feed(&self, test: &str, folder: &Path) -> Option<usize> {
        let answer = reqwest::get(format!("{}history.atom", self.url)).await.expect("an answer");
        atom::validated(test, folder, &answer.text().await.expect("a text")).await
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port")
}

/// What everybody must see of any page.
fn is_well(seen: &Value) {
    for view in VIEWS {
        let result = &seen["views"][view];
        assert_eq!(result["complaints"], Value::Array(Vec::new()), "{view}: {seen:#}");
        if view != "desk-plain" {
            assert_eq!(result["overflow"], 0, "nothing to scroll sideways in {view}: {seen:#}");
            assert_eq!(result["violations"], Value::Array(Vec::new()), "{view}: {seen:#}");
        }
        let difference = result["difference"].as_f64();
        assert!(
            difference.is_some_and(|share| share < TOLERANCE),
            "{view} looks other than its picture in tests/browser/stored: {}; UPDATE_PICTURES=1 stores the new one",
            result["difference"]
        );
    }
    assert_eq!(seen["html"], Value::Array(Vec::new()), "the HTML is valid: {seen:#}");
}

#[tokio::test]
async fn a_page_after_a_year_looks_as_it_should_everywhere() {
    let Some(browser) = Browser::find() else {
        return skip("a page after a year in a browser", "chromium, node or playwright-core is missing");
    };
    let Some(sqlite) = program("sqlite3") else {
        return skip("a page after a year in a browser", "sqlite3 is missing");
    };
    let folder = tempfile::tempdir().expect("a folder");
    past::make(folder.path(), NOW.parse().expect("a time"), 3, &sqlite).await;
    file(folder.path(), "logo.svg", LOGO);
    let toml = past::seed().replacen(
        "\n\n[[components]]",
        "\ndescription = \"Watched from Frankfurt\"\nlogo = \"logo.svg\"\naccent = \"#00695c\"\naccent_dark = \"#4db6ac\"\n\n[[components]]",
        1,
    );
    let keeper = Standing::start(folder.path(), &toml, Promised { down: Some(95.0), up: None }).await;
    // That it did not run is known once its heart has begun to beat.
    let until = Instant::now() + Duration::from_secs(60);
    while !reqwest::get(&keeper.url).await.expect("an answer").text().await.expect("a text").contains("Not recorded") {
        assert!(Instant::now() < until, "the page says when nothing was recorded");
        sleep(Duration::from_millis(200)).await;
    }
    let seen = browser.run("year.mjs", &[keeper.url.as_ref(), "year".as_ref(), artifacts().as_ref()]).await;
    is_well(&seen);
    let days = ["8 Nov 2026", "7 Nov 2026", "6 Nov 2026", "7 Nov 2026", "11 Aug 2026", "11 Aug 2026", "8 Nov 2026"];
    assert_eq!(seen["keyboard"], serde_json::json!({"visited": days, "stops": 1, "days": 90}), "{seen:#}");
}

#[tokio::test]
async fn a_page_of_the_first_day_explains_itself() {
    let Some(browser) = Browser::find() else {
        return skip("a page of the first day in a browser", "chromium, node or playwright-core is missing");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let keeper = Standing::start(folder.path(), &tests::history::seed(false), Promised::default()).await;
    let seen = browser.run("year.mjs", &[keeper.url.as_ref(), "empty".as_ref(), artifacts().as_ref()]).await;
    is_well(&seen);
    let page = reqwest::get(&keeper.url).await.expect("an answer").text().await.expect("a text");
    for said in ["Nobody has looked yet", "Not looked at from outside yet", "Each metric appears here"] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[tokio::test]
async fn the_feed_after_a_year_and_on_the_first_day_is_valid_atom() {
    const TEST: &str = "the feed by a validator";
    let folder = tempfile::tempdir().expect("a folder");
    let keeper = Standing::start(folder.path(), &tests::history::seed(false), Promised::default()).await;
    let Some(entries) = keeper.feed(TEST, folder.path()).await else { return };
    assert_eq!(entries, 0, "on the first day");
    drop(keeper);

    let Some(sqlite) = program("sqlite3") else { return skip(TEST, "sqlite3 is missing") };
    let folder = tempfile::tempdir().expect("a folder");
    past::make(folder.path(), NOW.parse().expect("a time"), 3, &sqlite).await;
    let keeper = Standing::start(folder.path(), &past::seed(), Promised::default()).await;
    for number in 0..20 {
        keeper
            .incident(serde_json::json!({"name": format!("Cut & mended, {number}: <кабель> 語"),
                "body": "A digger.\u{7}\nAn \"excavator\"; ]]> & <b>", "components": {COMPONENT: "major_outage"}}))
            .await;
    }
    let planned = ["2027-03-28T01:30:00+01:00", "2027-03-28T04:00:00+02:00"];
    keeper
        .incident(serde_json::json!({"name": "A new router", "status": "scheduled", "scheduled_for": planned[0],
            "scheduled_until": planned[1]}))
        .await;
    assert_eq!(keeper.feed(TEST, folder.path()).await, Some(21), "after a year");
}
