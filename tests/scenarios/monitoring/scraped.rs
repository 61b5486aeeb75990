//! A real Prometheus scrapes keeper, beacon and a Pi's sensors: everything that alerts and dashboards ask for is there, with data.

use std::{collections::BTreeSet, fs, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tests::{
    binaries::root,
    process::{Process, command, file, own_address},
    skip::{program, skip},
};
use tokio::time::{Instant, sleep};
use url::Url;

use super::{
    rules::RULES,
    uptimepulse::{self, TARGET_DOWN},
    world::World,
};

const DASHBOARDS: [&str; 2] = ["home-line", "checks"];

/// How long it may take until all that is scraped has been seen to rise.
const LIMIT: Duration = Duration::from_secs(60);

/// A Prometheus, and all that it scrapes.
struct Scraper {
    _server: Process,
    api: String,
    http: reqwest::Client,
    world: World,
    _folder: TempDir,
}

impl Scraper {
    /// `None` where it is missing, which is said.
    async fn start(test: &str) -> Option<Self> {
        let Some(prometheus) = program("prometheus") else {
            skip(test, "prometheus is missing; tests/run installs it");
            return None;
        };
        let (world, folder) = (World::new().await, tempfile::tempdir().expect("a folder"));
        let targets = world.places().map(|(job, url)| {
            let place = url.trim_start_matches("http://");
            format!("  - {{job_name: {job}, static_configs: [{{targets: [\"{place}\"]}}]}}\n")
        });
        let theirs = uptimepulse::jobs(world.relay.home.url.trim_start_matches("http://"));
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{}, {}]\nscrape_configs:\n{}{theirs}",
            root().join(RULES).display(),
            file(folder.path(), "theirs.yml", TARGET_DOWN),
            targets.concat()
        );
        let address = format!("{}:9090", own_address());
        let mut server = command(prometheus);
        server.arg(format!("--config.file={}", file(folder.path(), "prometheus.yml", &config)));
        server.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        server.arg(format!("--web.listen-address={address}"));
        let server = Process::start(server);
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let api = format!("http://{address}/api/v1");
        Some(Self { _server: server, api, http, world, _folder: folder })
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let address = Url::parse_with_params(&format!("{}{path}", self.api), query).expect("an address");
        let Ok(answer) = self.http.get(address).send().await else {
            return Value::Null;
        };
        answer.json().await.unwrap_or_default()
    }

    /// What an expression comes to.
    ///
    /// # Panics
    /// When it is none.
    async fn value(&self, expression: &str) -> Vec<Value> {
        let answer = self.get("/query", &[("query", expression)]).await;
        assert_ne!(answer["status"], "error", "{expression}: {answer}");
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until all of these have data, while somebody asks the beacon now and then.
    async fn have_data(&self, expressions: BTreeSet<String>) {
        let (until, mut missing) = (Instant::now() + LIMIT, expressions);
        while !missing.is_empty() {
            assert!(Instant::now() < until, "there is no data behind {missing:#?}");
            self.world.asked().await;
            self.world.checked().await;
            let mut still = BTreeSet::new();
            for expression in missing {
                if self.value(&expression).await.is_empty() {
                    still.insert(expression);
                }
            }
            missing = still;
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// The expressions of all alerts.
    async fn alerts(&self) -> Vec<String> {
        let until = Instant::now() + LIMIT;
        loop {
            let rules = self.get("/rules", &[]).await;
            let groups = rules["data"]["groups"].as_array().cloned().unwrap_or_default();
            let rules = groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
            let found: Vec<_> = rules.map(|rule| rule["query"].as_str().expect("an expression").to_owned()).collect();
            if !found.is_empty() {
                return found;
            }
            assert!(Instant::now() < until, "the rules are not loaded");
            sleep(Duration::from_millis(300)).await;
        }
    }
}

/// The series that an expression reads, each with its labels: a comparison may well have no result while all is well.
fn selectors(expression: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = expression;
    while let Some(start) = ["porchlight_", "pi_"].iter().filter_map(|prefix| rest.find(prefix)).min() {
        let before = rest[..start].chars().next_back();
        let name = rest[start..].chars().take_while(|c| is_name(*c)).count();
        let mut end = start + name;
        if rest[end..].starts_with('{') {
            end += rest[end..].find('}').expect("it is closed") + 1;
        }
        if !before.is_some_and(is_name) {
            found.insert(rest[start..end].to_owned());
        }
        rest = &rest[end..];
    }
    found
}

/// What a dashboard's variables stand for here.
fn with_variables(expression: &str) -> String {
    expression.replace("$component", ".*").replace("$check", ".*").replace("$__range", "1h")
}

fn dashboard(name: &str) -> Value {
    let path = root().join(format!("charts/home-beacon/dashboards/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON")
}

/// What its panels and variables ask.
fn questions(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let mut questions: Vec<_> = targets.map(|it| with_variables(it["expr"].as_str().expect("an expression"))).collect();
    let variables = dashboard["templating"]["list"].as_array().expect("variables").iter();
    for query in variables.filter(|it| it["type"] == "query").map(|it| it["query"].as_str().expect("a query")) {
        let (metric, label) =
            query.trim_start_matches("label_values(").trim_end_matches(')').split_once(", ").expect("both");
        questions.push(format!("{metric}{{{label}!=\"\"}}"));
    }
    questions
}

#[tokio::test]
async fn every_expression_of_alerts_and_dashboards_has_data_behind_it() {
    let Some(scraper) = Scraper::start("every_expression_of_alerts_and_dashboards_has_data_behind_it").await else {
        return;
    };
    let alerts = scraper.alerts().await;
    let rules = fs::read_to_string(root().join(RULES)).expect("the rules");
    assert_eq!(alerts.len(), rules.matches("- alert: ").count() + 1);
    let mut asked: BTreeSet<_> = alerts.iter().flat_map(|expression| selectors(expression)).collect();
    assert!(asked.len() > 30, "{asked:?}");
    asked.extend(DASHBOARDS.iter().flat_map(|name| questions(&dashboard(name))));
    asked.extend(uptimepulse::questions());
    scraper.have_data(asked).await;
    let down = "ALERTS{alertname=\"TargetDown\", alertstate=\"firing\", target=\"http://nas.lan/\"}";
    scraper.have_data(BTreeSet::from([down.to_owned()])).await;
    for (target, percent) in [("http://router.lan/", "100"), ("http://nas.lan/", "0")] {
        let available = scraper.value(&uptimepulse::availability(target)).await;
        assert!(available.iter().all(|it| it["value"][1] == percent), "{target}: {available:?}");
    }
    // In the form that it prefers.
    assert_eq!(scraper.value("up == 1").await.len(), 5, "{:?}", scraper.value("up").await);
    for (alert, cause) in [("PorchlightHomeDown", "refused"), ("PorchlightCheckFailing", "")] {
        let firing = format!("ALERTS{{alertname=\"{alert}\", alertstate=\"firing\", cause=\"{cause}\"}}");
        scraper.have_data(BTreeSet::from([firing])).await;
    }
}

#[test]
fn every_panel_asks_the_data_source_that_is_chosen() {
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        let chosen = &dashboard["templating"]["list"][0];
        assert_eq!((&chosen["name"], &chosen["type"]), (&"datasource".into(), &"datasource".into()), "{name}");
        let panels = dashboard["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row");
        for panel in panels {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{name}: {}", panel["title"]);
            assert!(
                panel["description"].as_str().is_some_and(|text| text.ends_with('.')),
                "{name}: {}",
                panel["title"]
            );
            for target in panel["targets"].as_array().expect("targets") {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{name}: {}", panel["title"]);
            }
        }
    }
}

#[test]
fn the_series_of_an_expression_are_found_with_their_labels() {
    let expression =
        "(porchlight_a == 1) * on (job) group_left (name) porchlight_b{x=\"y\", z!=\"\"}[5m] unless pi_c or api_d";
    let expected = ["porchlight_a", "porchlight_b{x=\"y\", z!=\"\"}", "pi_c"];
    assert_eq!(selectors(expression), expected.into_iter().map(ToOwned::to_owned).collect());
}
