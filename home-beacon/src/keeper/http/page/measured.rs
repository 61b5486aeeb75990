//! What was measured at home, as the page shows it: the latest value of each metric, or that nothing answers, and since when.
//! Why it failed stays in the log: it may name what visitors are not to know.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    super::AppState,
    Time,
    graph::{Graph, Summary},
    graphs,
    range::Range,
};
use crate::keeper::{
    KeeperError,
    measured::{
        latest::{self, LatestOf},
        metrics::{self, Metric},
    },
};

/// The most metrics that are shown.
const MAX_METRICS: usize = 20;

pub(super) struct MeasuredView {
    pub(super) id: String,
    pub(super) name: String,
    /// The value with its unit, and when it was measured.
    pub(super) value: Option<String>,
    pub(super) at: Option<Time>,
    /// What stands in place of the value while nothing newer can be measured, and since when.
    pub(super) failing: Option<FailingView>,
    pub(super) graph: Arc<Graph>,
    /// The value at the top of the graph, with its unit.
    pub(super) top: String,
    /// What the graph shows, in words.
    pub(super) summary: Option<String>,
}

pub(super) struct FailingView {
    pub(super) words: &'static str,
    pub(super) since: Time,
}

/// The metrics that have anything to show.
pub(super) async fn measured(
    state: &AppState,
    zone: &TimeZone,
    now: Timestamp,
    range: Range,
) -> Result<Vec<MeasuredView>, KeeperError> {
    let mut views = Vec::new();
    let feeds = metrics::feeds(&state.db, &state.page).await?;
    let all = metrics::list(&state.db, &state.page, None, 0, u32::MAX).await?;
    for metric in all.into_iter().filter(|metric| metric.display).take(MAX_METRICS) {
        let latest = latest::of_metric(&state.db, now, &metric.id).await?;
        // An attempt that went well, but of which this metric has no point, is another metric's.
        if latest.point.is_some() || latest.failing().is_some() {
            let Some(feed) = feeds.iter().find(|feed| feed.metric == metric.id) else { continue };
            let promised = feed.reading.as_deref().and_then(|reading| state.promised.of(reading));
            let (key, slot) = ((metric.id.clone(), range), now.as_second() / graphs::lifetime(range));
            let drawn = graphs::read(&state.db, feed, promised, range, now, zone);
            let graph = state.past.graphs.get(key, slot, drawn).await?;
            views.push(view(metric, &latest, graph, zone, now));
        }
    }
    Ok(views)
}

/// Whether there is any metric that is shown once it has a value.
pub(super) async fn has_metrics(state: &AppState) -> Result<bool, KeeperError> {
    let all = metrics::list(&state.db, &state.page, None, 0, u32::MAX).await?;
    Ok(all.iter().any(|metric| metric.display))
}

fn view(metric: Metric, latest: &LatestOf, graph: Arc<Graph>, zone: &TimeZone, now: Timestamp) -> MeasuredView {
    // A point's time is its slot, which may lie ahead of the reading, and of now.
    let time = |at: Timestamp| Time::new(at.min(now), zone);
    let value = latest.point.as_ref().and_then(|point| point.value);
    let places = usize::try_from(metric.decimal_places).unwrap_or(0);
    let unit = metric.suffix.filter(|suffix| !suffix.is_empty()).map(|suffix| format!(" {suffix}")).unwrap_or_default();
    let failing = latest.failing().map(|(since, all_lost)| FailingView {
        words: if all_lost { "No answer" } else { "Not measured" },
        since: time(since.timestamp()),
    });
    MeasuredView {
        id: metric.id.to_string(),
        name: metric.name,
        value: value.map(|value| format!("{}{unit}", written(value, places))),
        at: latest.measured_at().map(|at| time(at.timestamp())),
        failing,
        top: format!("{}{unit}", plain(graph.top)),
        summary: summary(&graph, places, &unit),
        graph,
    }
}

/// The graph in words, for who cannot see it: `5.2 to 48 ms, 11.3 ms on average; 3 measurements failed`.
fn summary(graph: &Graph, places: usize, unit: &str) -> Option<String> {
    let failed = match graph.failed {
        0 => None,
        1 => Some("1 measurement failed".to_owned()),
        failed => Some(format!("{failed} measurements failed")),
    };
    let measured = graph.summary.map(|Summary { least, average, most }| {
        let [least, average, most] = [least, average, most].map(|value| written(value, places));
        format!("{least} to {most}{unit}, {average}{unit} on average")
    });
    let parts: Vec<String> = measured.into_iter().chain(failed).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A round value without the zeros that it does not need.
fn plain(value: f64) -> String {
    let written = format!("{value:.3}");
    written.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A value with so many places; one that is too small for them is not written as nothing.
fn written(value: f64, places: usize) -> String {
    let written = format!("{value:.places$}");
    if value > 0.0 && written.parse() == Ok(0.0) {
        let least = 10_f64.powi(-i32::try_from(places).unwrap_or(0));
        return format!("under {least:.places$}");
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_very_small_is_not_written_as_nothing() {
        assert_eq!(written(0.034, 1), "under 0.1");
        assert_eq!(written(0.4, 0), "under 1");
        assert_eq!(written(0.0, 1), "0.0");
        assert_eq!(written(12.34, 1), "12.3");
    }
}
