//! The graphs of the page's metrics, read from the readings that feed them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use shared::id::MetricId;

use super::{
    cache::Cache,
    graph::{Drawing, Graph, Part},
    range::Range,
};
use crate::{
    keeper::{
        KeeperError,
        db::{Db, Moment},
        measured::{
            metrics::Feed,
            series::{self, Span},
        },
    },
    reading::Field,
};

/// Graphs that were drawn lately.
pub(super) type GraphCache = Cache<(MetricId, Range), Graph>;

/// For how many seconds a graph is kept: a day's is cheap, a month's reads tens of thousands of readings.
pub(super) fn lifetime(range: Range) -> i64 {
    match range {
        Range::Day => 60,
        Range::Week | Range::Month => range.step().as_secs() / 6,
    }
}

/// The graph of a metric.
///
/// # Errors
/// When the storage fails.
pub(super) async fn read(
    db: &Db,
    feed: &Feed,
    promised: Option<f64>,
    range: Range,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Graph, KeeperError> {
    let step = range.step();
    // One step more at each end: the drawing leaves out what it does not hold.
    let from = now.checked_sub(range.length() + step).unwrap_or(Timestamp::MIN);
    let to = now.checked_add(step).unwrap_or(Timestamp::MAX);
    let (series, part) = match (&feed.reading, feed.field) {
        (Some(reading), Field::Value) => (reading.clone(), Part::Value),
        (Some(reading), Field::Jitter) => (reading.clone(), Part::Jitter),
        (Some(reading), Field::Loss) => (reading.clone(), Part::Loss),
        (Some(_), Field::Min | Field::Max) | (None, _) => (feed.points(), Part::Value),
    };
    let span = Span { from: Moment::new(from), to: Moment::new(to), step: SignedDuration::from_secs(step.as_secs()) };
    let buckets = match series::buckets(db, &series, span).await {
        // Nothing has been measured yet.
        Err(KeeperError::NotFound(_)) => Vec::new(),
        buckets => buckets?,
    };
    Ok(Drawing { buckets: &buckets, part, range, now, zone, promise: promised }.graph())
}
