//! What is shown where: the page and its public port, writes to what is not shown, and the latest readings in `/metrics`.

mod badges;
mod causes;
mod documents;
mod front;
mod history;
mod latest;
mod looks;
mod report;
mod subscribed;
mod truth;

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{
    beacon::Beacon,
    binaries::root,
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    prober::{probe_with, prober_command},
    process::{file, own_address},
    statuspage::Fault,
    upstream::Relay,
};
use tokio::process::Command;

/// The text of a constant of that name, in one of the files of a folder.
fn constant(folder: &Path, name: &str) -> Option<String> {
    let start = format!("const {name}: &str = \"");
    let files = fs::read_dir(folder).expect("the sources").map(|entry| entry.expect("an entry").path());
    let texts = files.filter_map(|file| fs::read_to_string(file).ok());
    let mut found = texts.filter_map(|text| text.split_once(&start)?.1.split('"').next().map(str::to_owned));
    found.next()
}

/// Every path that a router of the keeper's names, with ids in place of the parameters.
fn every_route() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("the sources").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                walk(&entry, found);
                continue;
            }
            let place = entry.to_string_lossy().replace('\\', "/");
            let prefix = match () {
                () if place.contains("/http/own/") => "/porchlight/v1",
                () if place.contains("/http/v1/") => "/v1",
                () if place.ends_with("/http/public.rs") => "/api/v2",
                () => "",
            };
            let text = fs::read_to_string(&entry).expect("a source");
            for rest in text.split(".route(").skip(1) {
                let argument = rest.trim_start();
                let route = match argument.strip_prefix('"') {
                    Some(literal) => literal.split('"').next().map(str::to_owned),
                    None => constant(folder, argument.split(',').next().unwrap_or_default().trim()),
                };
                let route = route.unwrap_or_else(|| panic!("no path in {place}: {argument:.40}"));
                let route = route.replace("{page}", PAGE).replace("{component}", COMPONENT).replace(['{', '}'], "");
                found.insert(format!("{prefix}{route}"));
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&root().join("home-beacon/src/keeper"), &mut found);
    found
}

async fn with_public_door() -> (Keeper, String) {
    with_public_door_and(|_| ()).await
}

async fn with_public_door_and(change: impl FnOnce(&mut Command)) -> (Keeper, String) {
    let keeper = Keeper::start_with(|command| {
        command.env("KEEPER_PUBLIC_ADDR", format!("{}:0", own_address()));
        change(command);
    })
    .await;
    let lines = keeper.process.lines();
    let public = lines.iter().find_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        let said = line["message"].as_str().or(line["fields"]["message"].as_str())?;
        let address = line["address"].as_str().or(line["fields"]["address"].as_str())?;
        said.starts_with("public listener").then(|| format!("http://{address}"))
    });
    let public = public.unwrap_or_else(|| panic!("it logs its public address: {lines:#?}"));
    (keeper, public)
}

#[tokio::test]
async fn at_the_public_door_there_are_the_page_and_the_public_api_alone() {
    let (keeper, public) = with_public_door().await;
    let routes = every_route();
    assert!(
        routes.len() > 25 && routes.contains("/metrics") && routes.contains("/porchlight/v1/readings"),
        "{routes:?}"
    );
    let open = |path: &str| {
        let open = [
            "/",
            "/history",
            "/history.atom",
            "/logo",
            "/maintenance.ics",
            "/page.css",
            "/page.js",
            "/report",
            "/report.css",
            "/robots.txt",
            "/widget",
            "/widget.css",
        ];
        open.contains(&path) || path.starts_with("/api/v2/")
    };
    for route in &routes {
        for path in [route.clone(), format!("{route}.json"), format!("{route}?api_key={TOKEN}")] {
            // The id of an incident may be anything, and there is none; what is asked for is no month either.
            // And a badge has an ending.
            let incident = ["/incidents/", "/history/", "/report/", "/badge/"].iter().any(|of| route.starts_with(of));
            let there =
                open(route) && (path == *route || path.contains('?')) || path == format!("/badge/{COMPONENT}.json");
            for method in [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
                let request = keeper.http.request(method.clone(), format!("{public}{path}"));
                let request = request.header("authorization", format!("OAuth {TOKEN}")).body("{}");
                let status = request.send().await.expect("it answers").status();
                let expected = match method {
                    Method::GET if there => StatusCode::OK,
                    _ if method != Method::GET && (there || incident) => StatusCode::METHOD_NOT_ALLOWED,
                    _ => StatusCode::NOT_FOUND,
                };
                assert_eq!(status, expected, "{method} {path}");
            }
        }
    }
    // The same answers at the private one, which has everything.
    let metrics = keeper.http.get(format!("{}/metrics", keeper.url)).send().await.expect("it answers");
    assert_eq!(metrics.status(), 200);
    assert_eq!(keeper.process.terminate().await.code(), Some(0), "both doors close");
}

#[tokio::test]
async fn the_public_page_gives_no_reasons_with_ids() {
    let refused = Fault::Answer { status: 503, headers: "", body: r#"{"error":"gone away"}"# };
    let relay = Relay::start_with([], refused, |command| {
        command.env("KEEPER_PUBLIC_ADDR", format!("{}:0", own_address()));
    })
    .await;
    relay.says(Duration::from_secs(60), |relay| relay["condition"] == "trouble").await;
    let lines = relay.home.process.lines().join("\n");
    let public = lines.lines().find(|line| line.contains("public listener")).expect("a line");
    let public: Value = serde_json::from_str(public).expect("JSON");
    let address = public["address"].as_str().or(public["fields"]["address"].as_str()).expect("an address");
    let page = relay.home.http.get(format!("http://{address}/")).send().await.expect("it answers");
    let page = page.text().await.expect("a page");
    assert!(
        page.contains("What is measured cannot be sent right now. It is tried again, and nothing is lost."),
        "{page}"
    );
    assert!(!page.contains("gone away") && !page.contains("/pages/"), "{page}");
    assert!(relay.home.page().await.contains("gone away"), "the operator is shown why");
    let (heading, old, overall) =
        (page.find("</h1>"), page.find("has not been read yet"), page.find("class=\"overall"));
    assert!(heading < old && old < overall, "the warning is the first thing under the heading: {page}");
}

#[tokio::test]
async fn writing_to_a_page_that_is_not_shown_is_warned_of_everywhere() {
    let keeper = Keeper::start().await;
    let beacon = Beacon::start().await;
    let Keeper { process, folder, .. } = keeper;
    process.terminate().await;
    let seed =
        "[page]\nid = \"aaaaaaaaaaaa\"\nname = \"Another\"\n\n[[components]]\nid = \"bbbbbbbbbbbb\"\nname = \"Home\"\n";
    let other = file(folder.path(), "other.toml", seed);
    let keeper = Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", other);
    })
    .await;

    let answer = keeper.call(Method::GET, &format!("/pages/{PAGE}/components"), None).await.expect("it answers");
    let warning = answer.headers()["porchlight-warning"].to_str().expect("a text").to_owned();
    assert!(warning.contains(PAGE) && warning.contains("aaaaaaaaaaaa") && warning.contains("PAGE_ID"), "{warning}");
    let answer = keeper.call(Method::GET, "/pages/aaaaaaaaaaaa/components", None).await.expect("it answers");
    assert!(!answer.headers().contains_key("porchlight-warning"));

    let run = probe_with(prober_command(&beacon.url(), &keeper.api())).await;
    assert_eq!(run.target["outcome"], "failed", "{:#}", run.report);
    assert_eq!(run.report["published"], false);
    assert!(run.target["error"].as_str().is_some_and(|error| error.contains(&warning)), "{:#}", run.report);
    assert!(keeper.page().await.contains("Somebody writes to, or asks for, what is not shown"));
    let logged = keeper.process.lines().into_iter().filter(|line| line.contains("what is not shown")).count();
    assert_eq!(logged, 1, "once in an hour");
}

#[tokio::test]
async fn setting_a_component_that_the_seed_names_no_more_gets_a_warning() {
    let keeper = Keeper::start().await;
    let Keeper { process, folder, .. } = keeper;
    process.terminate().await;
    let seed = format!(
        "[page]\nid = \"{PAGE}\"\nname = \"My home\"\n\n[[components]]\nid = \"bbbbbbbbbbbb\"\nname = \"Home\"\n"
    );
    let other = file(folder.path(), "other.toml", &seed);
    let keeper = Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", other);
    })
    .await;
    let path = format!("/pages/{PAGE}/components/{COMPONENT}");
    let body = json!({"component": {"status": "major_outage"}});
    let answer = keeper.call(Method::PATCH, &path, Some(body)).await.expect("it answers");
    let warning = answer.headers()["porchlight-warning"].to_str().expect("a text").to_owned();
    assert!(warning.contains(COMPONENT) && warning.contains("no seed any more"), "{warning}");
    let returned: Value = answer.json().await.expect("JSON");
    assert_eq!((&returned["status"], &returned["porchlight_warning"]), (&json!("major_outage"), &json!(warning)));
    let named = keeper.ok(Method::GET, &format!("/pages/{PAGE}/components/bbbbbbbbbbbb"), None).await;
    assert_eq!(named.get("porchlight_warning"), None);
    let made = json!({"component": {"name": "Made by hand"}});
    let made = keeper.ok(Method::POST, &format!("/pages/{PAGE}/components"), Some(made)).await;
    assert_eq!(made.get("porchlight_warning"), None, "no seed ever named it");
    let back = keeper.ok(Method::PUT, &path, Some(json!({"component": returned}))).await;
    assert_eq!(back["status"], "major_outage", "what was returned can be sent back");

    let incidents = format!("/pages/{PAGE}/incidents");
    let body = json!({"incident": {"name": "Line down", "components": {COMPONENT: "partial_outage"}}});
    let answer = keeper.call(Method::POST, &incidents, Some(body)).await.expect("it answers");
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["porchlight-warning"].to_str().ok()),
        (201, Some(&*warning))
    );
    let opened: Value = answer.json().await.expect("JSON");
    assert_eq!(opened["components"][0]["porchlight_warning"], json!(warning));
    let path = format!("{incidents}/{}", opened["id"].as_str().expect("an id"));
    let body = json!({"incident": {"status": "resolved", "components": {COMPONENT: "operational"}}});
    let answer = keeper.call(Method::PATCH, &path, Some(body)).await.expect("it answers");
    assert_eq!(answer.headers()["porchlight-warning"].to_str().ok(), Some(&*warning));
    let body = json!({"incident": {"name": "Another", "components": {"bbbbbbbbbbbb": "partial_outage"}}});
    let answer = keeper.call(Method::POST, &incidents, Some(body)).await.expect("it answers");
    assert!(answer.status().is_success() && !answer.headers().contains_key("porchlight-warning"));
}

#[tokio::test]
async fn sending_points_of_a_metric_that_was_put_away_gets_a_warning() {
    const OLD: &str = "cccccccccccc";
    let seed = |metric: &str| {
        format!(
            "[page]\nid = \"{PAGE}\"\nname = \"My home\"\n\n[[components]]\nid = \"{COMPONENT}\"\nname = \"Home\"\n\n\
             [[metrics]]\nid = \"{metric}\"\nname = \"Latency\"\nreading = \"ping\"\n"
        )
    };
    let Keeper { process, folder, .. } = Keeper::start().await;
    process.terminate().await;
    let seeds = [file(folder.path(), "old.toml", &seed(OLD)), file(folder.path(), "new.toml", &seed("dddddddddddd"))];
    let [old, new] = seeds;
    let Keeper { process, folder, .. } = Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", old);
    })
    .await;
    process.terminate().await;
    let keeper = Keeper::restart_with(folder, |command| {
        command.env("KEEPER_SEED", new);
    })
    .await;
    let metrics = format!("/pages/{PAGE}/metrics");
    let point = json!({"timestamp": Timestamp::now().as_second(), "value": 1.0});
    let words = format!("metric {OLD} is put away, because no seed names it any more: check METRIC_ID");
    for (method, path, body, status) in [
        (Method::POST, format!("{metrics}/{OLD}/data"), json!({"data": point}), 201),
        (Method::POST, format!("{metrics}/data"), json!({"data": {OLD: [point], "dddddddddddd": [point]}}), 202),
        (Method::PATCH, format!("{metrics}/{OLD}"), json!({"metric": {"name": "RTT"}}), 200),
    ] {
        let answer = keeper.call(method, &path, Some(body)).await.expect("it answers");
        let warning = answer.headers()["porchlight-warning"].to_str().expect("a text");
        assert!(answer.status() == status && warning.starts_with(&words), "{path}: {warning}");
        assert_eq!(warning.matches("metric").count(), 1, "of the other one there is nothing to say: {warning}");
    }
    let path = format!("{metrics}/dddddddddddd/data");
    let answer = keeper.call(Method::POST, &path, Some(json!({"data": point}))).await.expect("it answers");
    assert!(answer.status() == 201 && !answer.headers().contains_key("porchlight-warning"));
    assert!(keeper.page().await.contains(&words), "the page shows it");
    let logged = keeper.process.lines().into_iter().filter(|line| line.contains(&words)).count();
    assert_eq!(logged, 1, "once in an hour");
}
