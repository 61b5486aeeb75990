//! Scripted, in the place of what has no exposition of its own yet: the one place that feeds series by hand. The keeper's own
//! series of checks, and those of a Pi, take their place once they are there: then remove them from here.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use shared::metrics::{Format, Histogram, Name, Number, SECONDS, Snapshot};
use tests::notices::{Reply, Service};

/// The checks, and the state of each.
const CHECKS: [(&str, &str); 4] = [("nas", "critical"), ("router", "ok"), ("web", "warning"), ("wiki", "unknown")];
const STATES: [&str; 4] = ["ok", "warning", "critical", "unknown"];

/// A server whose counters rise with each scrape.
pub(crate) async fn exporter() -> Service {
    let scrapes = AtomicU64::new(0);
    Service::start(move |_, _| {
        let mut snapshot = Snapshot::default();
        checks(&mut snapshot, scrapes.fetch_add(1, Ordering::Relaxed));
        pi(&mut snapshot);
        Reply::text(200, &snapshot.written(Format::Text))
    })
    .await
}

fn checks(snapshot: &mut Snapshot, runs: u64) {
    let now = Timestamp::now().as_second();
    let each = |value: i64| CHECKS.map(move |(check, _)| (check.to_owned(), Number::from(value)));
    let of_state = |(check, state): (&str, &str)| {
        let check = check.to_owned();
        let state = state.to_owned();
        STATES.map(move |known| ([check.clone(), known.to_owned()], Number::from(known == state)))
    };
    let states = CHECKS.into_iter().flat_map(of_state);
    snapshot.gauges("check_state", "The state that counts.", ["check", "state"], states);
    snapshot.labelled_gauge("check_last_run_timestamp_seconds", "The last run.", "check", each(now));
    snapshot.labelled_gauge("check_under_maintenance", "Whether somebody works on it.", "check", each(0));
    snapshot.labelled_gauge("check_interval_seconds", "How often it runs.", "check", each(60));
    let help = "When its certificate ends.";
    snapshot.labelled_gauge("check_certificate_expiry_timestamp_seconds", help, "check", each(now + 86_400));
    let outcomes = CHECKS
        .into_iter()
        .flat_map(|(check, _)| STATES.map(|outcome| ([check.to_owned(), outcome.to_owned()], Number::from(runs))));
    snapshot.counters("check_runs", "Runs.", ["check", "outcome"], outcomes);
    let durations = CHECKS.map(|(check, _)| {
        let mut histogram = Histogram::new(SECONDS);
        for _ in 0..runs {
            histogram.observe(0.02);
        }
        ([check.to_owned()], histogram)
    });
    snapshot.histograms("check_duration_seconds", "How long a run took.", ["check"], durations);
}

fn pi(snapshot: &mut Snapshot) {
    let of_pi = |value: f64| [("pi-1".to_owned(), Number::from(value))];
    snapshot.labelled_gauge(Name::of_others("pi_temperature"), "Degrees Celsius.", "name", of_pi(48.3));
    let throttled =
        ["under_voltage", "throttled"].map(|reason| (["pi-1", reason].map(ToOwned::to_owned), false.into()));
    snapshot.gauges("node_throttled", "Held back by the firmware.", ["node", "reason"], throttled);
}
