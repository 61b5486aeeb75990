//! The page's metrics, and the age of their last points.

use jiff::Timestamp;
use shared::id::MetricId;

use super::{
    super::{finding::Finding, link::Link, reply::Reply, words::ago},
    page::{LISTED, is_cut, unanswered},
};

/// A function sends a point a minute: its schedule says so.
const OF_RUNS: i64 = 10 * 60;

/// A job usually measures every three hours, and is late by as much as its test takes; how often is a setting.
const OF_JOBS: i64 = 4 * 3600;

/// Who sends milliseconds where seconds belong is far ahead.
const AHEAD: i64 = 3600;

/// The metrics, and the age of their last points.
pub fn metrics(metrics: &Reply, wanted: &[(&'static str, MetricId)], now: Timestamp) -> Finding {
    let link = Link::Metrics;
    if wanted.is_empty() {
        return Finding::unused(link, "no setting names a metric");
    }
    if let Some(finding) = unanswered(link, metrics) {
        return finding;
    }
    let Reply::Is(list) = metrics else { return Finding::unknown(link, metrics.why(), "see the link page") };
    let (mut well, mut none_yet, mut unusual) = (Vec::new(), Vec::new(), None);
    for (setting, id) in wanted {
        let Some(found) = list.as_array().into_iter().flatten().find(|metric| metric["id"] == id.as_str()) else {
            if is_cut(list) {
                return Finding::unknown(
                    link,
                    format!("{id} ({setting}) is not among the page's first {LISTED} metrics"),
                    "see whether the page has it: its address in the page's administration ends in its id",
                );
            }
            return Finding::failed(
                link,
                format!("the page has no metric {id} ({setting})"),
                format!("set {setting} to the id in the metric's address, or make one for your own data (API)"),
            );
        };
        let name = found["name"].as_str().unwrap_or(id.as_str());
        let newest: Option<Timestamp> = found["most_recent_data_at"].as_str().and_then(|at| at.parse().ok());
        let Some(newest) = newest else {
            none_yet.push(format!("{name} ({setting})"));
            continue;
        };
        let age = now.duration_since(newest).as_secs();
        if age < -AHEAD {
            return Finding::failed(
                link,
                format!("the last point of {name} ({setting}) lies in the future, at {newest:.0}"),
                "see who else sends to it: a time in milliseconds ends there; reset the metric's data",
            );
        }
        let is_of_runs = *setting == "METRIC_ID_RESPONSE";
        let saw = || format!("the last point of {name} ({setting}) is {} old", ago(age));
        if is_of_runs && age > OF_RUNS {
            return Finding::symptom(link, saw(), "see the function, which is to send it, and its log");
        }
        if !is_of_runs && age > OF_JOBS {
            unusual.get_or_insert_with(saw);
            continue;
        }
        well.push(format!("{name} {} ago", ago(age)));
    }
    if let Some(saw) = unusual {
        let next = "see whether its job is to measure that seldom (INTERVAL, its timer or CronJob), and its log";
        return Finding::unknown(link, format!("{saw}, which is more than is usual"), next);
    }
    match none_yet.first() {
        Some(name) => {
            Finding::unknown(link, format!("{name} has no point yet"), "wait for the first run; then see this again")
        }
        None => Finding::ok(link, well.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::{limited, refused, silent};
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn a_metric_has_a_young_point_an_old_one_one_in_the_future_or_is_missing() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let response: Vec<(&'static str, MetricId)> = vec![("METRIC_ID_RESPONSE", "8kbf7d35c07m".parse().unwrap())];
        let at = |age: i64| {
            let at = Timestamp::from_second(1_800_000_000 - age).unwrap().to_string();
            Reply::Is(json!([{"id": "8kbf7d35c07m", "name": "Response", "most_recent_data_at": at}]))
        };
        let found = |reply: &Reply| metrics(reply, &response, now);
        assert_eq!((found(&at(40)).outcome, found(&at(40)).saw.as_str()), (Outcome::Ok, "Response 40 s ago"));
        assert_eq!(found(&at(3600)).outcome, Outcome::Failed);
        assert!(found(&at(-40_000)).saw.contains("lies in the future"));
        assert!(found(&Reply::Is(json!([]))).saw.contains("no metric 8kbf7d35c07m (METRIC_ID_RESPONSE)"));
        let none_yet = Reply::Is(json!([{"id": "8kbf7d35c07m", "most_recent_data_at": null}]));
        assert_eq!(found(&none_yet).outcome, Outcome::NotConclusive);
        let of_job: [(&'static str, MetricId); 1] = [("METRIC_ID", "8kbf7d35c07m".parse().unwrap())];
        assert_eq!(metrics(&at(3600), &of_job, now).outcome, Outcome::Ok);
        assert_eq!(metrics(&at(90_000), &of_job, now).outcome, Outcome::NotConclusive, "a job may run once a day");
        let long = Reply::Is(json!(vec![json!({"id": "8kbf7d35c07n"}); LISTED]));
        assert_eq!(found(&long).outcome, Outcome::NotConclusive, "it may be the next one");
        for reply in [limited(), silent(), refused("401"), refused("500")] {
            assert_eq!(found(&reply).outcome, Outcome::NotConclusive);
        }
        assert_eq!(metrics(&silent(), &[], now).outcome, Outcome::NotUsed);
    }
}
