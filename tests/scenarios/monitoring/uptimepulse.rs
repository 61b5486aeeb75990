//! What the 25 panels of `UpTimePulse`'s dashboard ask, by our names for them, and the rule that it had.

use std::fs;

use tests::binaries::root;

/// Of a target: a panel for each, and the one of successes and failures asks for both.
const OF_A_TARGET: [(&str, &[&str]); 7] = [
    ("successes", &["sum(increase(ping_success_total{TARGET}[5m]))"]),
    ("failures", &["sum(increase(ping_failure_total{TARGET}[5m]))"]),
    ("availability", &[AVAILABILITY]),
    ("rates", &["rate(ping_success_total{TARGET}[INTERVAL])", "rate(ping_failure_total{TARGET}[INTERVAL])"]),
    ("heat map", &["sum by (le) (rate(ping_latency_seconds_bucket{TARGET}[1m]))"]),
    (
        "average",
        &["sum(rate(ping_latency_seconds_sum{TARGET}[INTERVAL]))
             / clamp_min(sum(rate(ping_latency_seconds_count{TARGET}[INTERVAL])), 1)"],
    ),
    ("p95", &["histogram_quantile(0.95, sum by (le) (rate(ping_latency_seconds_bucket{TARGET}[5m])))"]),
];

const AVAILABILITY: &str = "100 * increase(ping_success_total{TARGET}[5m])
     / clamp_min(increase(ping_success_total{TARGET}[5m]) + increase(ping_failure_total{TARGET}[5m]), 1)";

/// It has the panels of two targets: here one that works, and one that does not.
const TARGETS: [&str; 2] = ["http://router.lan/", "http://nas.lan/"];

/// Of the gateway, of the scraper, and of alerts: a panel each.
const OF_THE_REST: [&str; 11] = [
    "sum(increase(api_gateway_requests_total[5m]))",
    "sum by (path) (increase(api_gateway_requests_total[5m]))",
    "sum by (path) (rate(api_gateway_requests_total[INTERVAL]))",
    "sum by (status) (rate(api_gateway_requests_total[INTERVAL]))",
    "sum(rate(api_gateway_requests_total{status=~\"5..\"}[5m]))",
    "100 * sum(rate(api_gateway_requests_total{status=~\"5..\"}[5m])) / clamp_min(sum(rate(api_gateway_requests_total[5m])), 1)",
    "sum by (le) (rate(api_gateway_request_duration_seconds_bucket[5m]))",
    "sum(ALERTS{alertstate=\"firing\"})",
    "max(up{job=\"ping-agent\"})",
    "max(up{job=\"api-gateway\"})",
    "scrape_duration_seconds{job=~\"ping-agent|api-gateway\"}",
];

/// It wanted more failures in a minute than its agent could count.
pub(crate) const TARGET_DOWN: &str = "groups:
- name: theirs
  rules: [{alert: TargetDown, expr: \"increase(ping_failure_total[1m]) > 2\", for: 1s}]
";

/// What a panel asks of that target.
fn of_target(expression: &str, target: &str) -> String {
    expression.replace("TARGET", &format!("target=\"{target}\"")).replace("INTERVAL", "1m")
}

/// What its panels ask.
pub(crate) fn questions() -> Vec<String> {
    let of_targets = TARGETS.iter().flat_map(|target| {
        let all = OF_A_TARGET.iter().flat_map(|(_, asked)| *asked);
        all.map(move |expression| of_target(expression, target))
    });
    assert_eq!(OF_A_TARGET.len() * TARGETS.len() + OF_THE_REST.len(), 25, "its panels");
    of_targets.chain(OF_THE_REST.map(|expression| of_target(expression, ""))).collect()
}

/// The availability of a target, in percent.
pub(crate) fn availability(target: &str) -> String {
    of_target(AVAILABILITY, target)
}

/// Its two jobs, as the guide has them go on with a keeper at that place.
pub(crate) fn jobs(keeper: &str) -> String {
    let guide = fs::read_to_string(root().join("infra/CHECKS.md")).expect("the guide");
    let (_, rest) = guide.split_once("```yaml\nscrape_configs:\n").expect("the jobs");
    let (jobs, _) = rest.split_once("```").expect("their end");
    assert_eq!(jobs.matches("keeper.lan:8030").count(), 2, "{jobs}");
    jobs.replace("keeper.lan:8030", keeper)
}
