//! Services of which an answer is expected, some of them behind a home: what the real prober concludes, and what a keeper's page
//! says afterwards.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    front::Front,
    home::{Home, Manner},
    keeper::{COMPONENT, Keeper, PAGE},
    prober::{MAX_RUN, Run, probe_with, prober_command},
    process::run,
};
use tokio::process::Command;

/// A page with a home, and a service as another component.
struct World {
    keeper: Keeper,
    /// The service's.
    component: String,
}

impl World {
    async fn new() -> Self {
        let keeper = Keeper::start().await;
        let body = json!({"component": {"name": "Cloud", "status": "operational"}});
        let made = keeper.ok(Method::POST, &format!("/pages/{PAGE}/components"), Some(body)).await;
        Self { component: made["id"].as_str().expect("an id").to_owned(), keeper }
    }

    fn home(url: &str) -> Value {
        json!({"name": "Home", "url": url, "page_id": PAGE, "component_id": COMPONENT})
    }

    fn service(&self, url: &str, expect: &Value) -> Value {
        json!({"name": "Cloud", "url": url, "page_id": PAGE, "component_id": self.component, "expect": expect})
    }

    fn command(&self, targets: &[Value]) -> Command {
        let mut command = prober_command("http://127.0.0.1:9/", &self.keeper.api());
        for name in ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"] {
            command.env_remove(name);
        }
        command.env("TARGETS", Value::from(targets).to_string()).env("ATTEMPTS", "2");
        command
    }

    /// What the page says of the service.
    async fn says(&self) -> String {
        let path = format!("/pages/{PAGE}/components/{}", self.component);
        let component = self.keeper.ok(Method::GET, &path, None).await;
        component["status"].as_str().expect("a status").to_owned()
    }
}

/// Verdict and cause of the target at that place.
fn concluded(run: &Run, place: usize) -> (&str, &str) {
    let target = &run.report["targets"][place];
    (target["verdict"].as_str().expect("a verdict"), target["cause"].as_str().unwrap_or_default())
}

/// What was not as expected, in words.
fn unmet(target: &Value) -> (&str, &str) {
    let exchange = &target["attempts"][0]["exchanges"][0];
    (exchange["unmet"].as_str().unwrap_or_default(), exchange["unmet_text"].as_str().unwrap_or_default())
}

/// Probes a service that answers like that; a key of the prober's is none of the service's.
async fn comes_to(answer: &'static str, expect: Value, cause: &str, unmet_by: (&str, &str)) {
    let (world, service) = (World::new().await, Home::open(Manner::Answers(answer)).await);
    let mut command = world.command(&[world.service(&service.url(), &expect)]);
    command.env("BEACON_KEY", super::world::KEY);
    let run = probe_with(command).await;
    let (verdict, says) = if cause.is_empty() { ("up", "operational") } else { ("down", "major_outage") };
    assert_eq!(concluded(&run, 0), (verdict, cause), "{answer}: {:#}", run.report);
    assert_eq!(unmet(&run.target), unmet_by, "{answer}: {:#}", run.report);
    assert_eq!((world.says().await.as_str(), run.code), (says, Some(0)), "{answer}: {}", run.stderr);
    if !cause.is_empty() {
        let advice = run.target["advice"].as_str().unwrap_or_default();
        assert_eq!(advice[1..], format!("{}.", &unmet_by.1[1..]), "a person reads it, too");
    }
}

#[tokio::test]
async fn an_answer_is_up_only_as_it_is_expected() {
    const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n";
    const JSON: &str = "HTTP/1.0 200 OK\r\nContent-Length: 26\r\n\r\n{\"state\":\"down\",\"since\":3}";
    const ENDLESS: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nhello";
    let hello = || json!({"body": {"matches": "^hello$"}});
    let cases = [
        (HELLO, hello(), "", ("", "")),
        (CHUNKED, hello(), "", ("", "")),
        (HELLO, json!({}), "", ("", "")),
        (HELLO, json!({"headers": {"Content-Type": {"matches": "^text/"}}, "largest": "5"}), "", ("", "")),
        ("HTTP/1.1 404 Not Found", json!({"status": [404]}), "", ("", "")),
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/", json!({"status": "301-303"}), "", ("", "")),
        ("HTTP/1.1 503 Service Unavailable", json!({}), "unexpected", ("status", "HTTP 503 instead of 200-399")),
        (
            HELLO,
            json!({"body": {"matches": "welcome"}}),
            "unexpected",
            ("body", "/welcome/ is not found in its body, which begins with \"hello\""),
        ),
        (
            CHUNKED,
            json!({"body": {"matches_not": "ell"}}),
            "unexpected",
            ("body", "/ell/ is found in its body, where it must not be"),
        ),
        (
            JSON,
            json!({"json": [{"path": "$.since", "equals": 3}, {"path": "$.state", "equals": "up"}]}),
            "unexpected",
            ("body", "$.state is \"down\" instead of \"up\""),
        ),
        (HELLO, json!({"headers": {"X-Cloud": null}}), "unexpected", ("header", "its answer has no header x-cloud")),
        (ENDLESS, json!({"largest": "1KiB"}), "unexpected", ("too_large", "its body is larger than 1024 bytes")),
        (ENDLESS, hello(), "unexpected", ("reset", "the connection was closed before the end of its body")),
    ];
    let probes = cases.into_iter().map(|(answer, expect, cause, by)| comes_to(answer, expect, cause, by));
    futures_util::future::join_all(probes).await;
}

#[tokio::test]
async fn a_service_behind_a_line_that_is_down_is_left_as_it_is() {
    let world = World::new().await;
    let (home, service) = (Home::open(Manner::Refuses).await, Home::open(Manner::Refuses).await);
    let mut behind = world.service(&service.url(), &json!({}));
    behind["depends_on"] = json!("Home");
    let state = world.keeper.folder.path().join("state.json");
    let mut command = world.command(&[behind.clone(), World::home(&home.url())]);
    command.env("STATE_FILE", &state);
    let run = probe_with(command).await;
    assert_eq!(concluded(&run, 0), ("unknown", "dependency"), "{:#}", run.report);
    assert_eq!(concluded(&run, 1), ("down", "refused"), "{:#}", run.report);
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("unknown"), Some(0)), "{}", run.stderr);
    assert_eq!((world.keeper.status().await, world.says().await), ("major_outage".into(), "operational".into()));
    let state = std::fs::read_to_string(&state).expect("the home's record");
    assert!(state.contains("down_since") && state.matches("down_since").count() == 1, "{state}");

    // The line is back, and the service is not.
    let home = Home::open(Manner::Answers("HTTP/1.1 200 OK")).await;
    let run = probe_with(world.command(&[behind, World::home(&home.url())])).await;
    assert_eq!((concluded(&run, 0), concluded(&run, 1)), (("down", "refused"), ("up", "")), "{:#}", run.report);
    assert_eq!((world.keeper.status().await, world.says().await), ("operational".into(), "major_outage".into()));
}

#[tokio::test]
async fn a_service_that_answers_wrongly_behind_a_home_that_is_up_is_red() {
    let world = World::new().await;
    let home = Home::open(Manner::Answers("HTTP/1.1 200 OK")).await;
    let service = Home::open(Manner::Answers("HTTP/1.1 502 Bad Gateway")).await;
    let mut behind = world.service(&service.url(), &json!({"status": 200}));
    behind["depends_on"] = json!(COMPONENT);
    let targets = [World::home(&home.url()), behind];
    let mut command = world.command(&targets);
    command.args(["--once", "--dry-run"]);
    let shown = run(command, MAX_RUN).await.stdout;
    assert!(shown.lines().any(|line| line.trim() == "HTTP 502 instead of 200."), "{shown}");
    assert_eq!(world.says().await, "operational", "nothing was written");

    let run = probe_with(world.command(&targets)).await;
    assert_eq!((concluded(&run, 0), concluded(&run, 1)), (("up", ""), ("down", "unexpected")), "{:#}", run.report);
    assert_eq!((world.keeper.status().await, world.says().await), ("operational".into(), "major_outage".into()));
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_seen_in_time() {
    let expect = json!({"certificate": {"warning": "14d", "critical": "3d"}});
    for (days, verdict, says, attempts) in [
        (20, ("up", ""), "operational", 1),
        (10, ("degraded", "certificate_ends"), "degraded_performance", 1),
        (2, ("down", "unexpected"), "major_outage", 2),
    ] {
        let (world, service) = (World::new().await, Home::open(Manner::Answers("HTTP/1.1 200 OK")).await);
        let front = Front::ending_in(days, service.address, world.keeper.folder.path()).await;
        let mut command = world.command(&[world.service(&front.url(), &expect)]);
        command.env("SSL_CERT_FILE", &front.authority);
        let run = probe_with(command).await;
        assert_eq!(concluded(&run, 0), verdict, "{:#}", run.report);
        assert_eq!(run.target["attempts"].as_array().map(Vec::len), Some(attempts), "{:#}", run.report);
        assert_eq!(world.says().await, says);
        let advice = run.target["advice"].as_str().unwrap_or_default();
        assert_eq!(advice.starts_with("The certificate ends in "), verdict.0 != "up", "{advice}");
    }
}
