//! The latest of what is measured.

use shared::metrics::{Number, Snapshot};

use crate::keeper::{
    db::Moment,
    measured::{
        latest::{Latest, LatestReading},
        line_quality::Promised,
    },
};

/// What a contract promises something of.
const PROMISED: [&str; 2] = ["bandwidth", "upload"];

/// What is measured: the latest measurement that was one, with its own time. One that a speed test spoilt, or that was
/// skipped, does not take its place.
pub(super) fn add(snapshot: &mut Snapshot, latest: &[Latest], promised: &Promised) {
    type Sample<'a> = (&'static str, &'static str, &'a dyn Fn(&Latest) -> Option<Number>);
    let seconds = |at: Moment| Number::from(at.timestamp().as_second());
    let measured = |latest: &Latest, of: fn(&LatestReading) -> Option<f64>| latest.measured.as_ref().and_then(of);
    let gauges: [Sample<'_>; 6] = [
        ("reading", "The value of the latest measurement, in its unit.", &|it| {
            measured(it, |it| it.value).map(Number::from)
        }),
        ("reading_loss_ratio", "The share of packets that the latest measurement lost, from 0 to 1.", &|it| {
            measured(it, |it| it.loss).map(|percent| Number::from(percent / 100.0))
        }),
        ("reading_failed", "Whether the latest measurement failed.", &|it| {
            it.measured.as_ref().map(|it| Number::from(it.failed))
        }),
        ("reading_timestamp_seconds", "When the latest measurement was made, since 1970.", &|it| {
            it.measured.as_ref().map(|it| seconds(it.at))
        }),
        (
            "reading_spoilt_timestamp_seconds",
            "When a measurement was last spoilt by a bandwidth test, since 1970: it is none of the latest.",
            &|it| it.spoilt_at.map(seconds),
        ),
        ("reading_skipped_timestamp_seconds", "When a measurement was last skipped, since 1970.", &|it| {
            it.skipped_at.map(seconds)
        }),
    ];
    for (name, help, value) in gauges {
        let samples = latest.iter().filter_map(|latest| Some((latest.name.clone(), value(latest)?)));
        snapshot.labelled_gauge(name, help, "metric", samples);
    }
    let of_contract = PROMISED.into_iter().filter_map(|metric| Some((metric.to_owned(), promised.of(metric)?.into())));
    let help = "What the provider promises of what is measured, in its unit.";
    snapshot.labelled_gauge("reading_promised", help, "metric", of_contract);
}
