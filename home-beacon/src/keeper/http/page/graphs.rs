//! The graphs of the page's metrics, read from the readings that feed them, and kept for a while: many visitors ask for the
//! same one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use shared::id::MetricId;

use super::{
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

/// The most graphs that are kept.
const MAX_KEPT: usize = 128;

/// Graphs that were drawn lately. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::keeper::http) struct GraphCache(Arc<Mutex<HashMap<Key, Kept>>>);

type Key = (MetricId, Range);

#[derive(Debug)]
struct Kept {
    /// The minute, or the bucket, in which it was drawn.
    slot: i64,
    graph: Arc<Graph>,
}

impl GraphCache {
    /// The graph of a metric.
    ///
    /// # Errors
    /// When the storage fails.
    pub(super) async fn graph(
        &self,
        db: &Db,
        feed: &Feed,
        promised: Option<f64>,
        range: Range,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Arc<Graph>, KeeperError> {
        let (key, slot) = ((feed.metric.clone(), range), now.as_second() / lifetime(range));
        if let Some(graph) = self.kept(&key, slot) {
            return Ok(graph);
        }
        let graph = Arc::new(read(db, feed, promised, range, now, zone).await?);
        self.keep(key, Kept { slot, graph: Arc::clone(&graph) });
        Ok(graph)
    }

    fn kept(&self, key: &Key, slot: i64) -> Option<Arc<Graph>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|kept| kept.slot == slot).map(|kept| Arc::clone(&kept.graph))
    }

    fn keep(&self, key: Key, new: Kept) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT && !kept.contains_key(&key) {
            kept.clear();
        }
        kept.insert(key, new);
    }
}

/// For how many seconds a graph is kept: a day's is cheap, a month's reads tens of thousands of readings.
fn lifetime(range: Range) -> i64 {
    match range {
        Range::Day => 60,
        Range::Week | Range::Month => range.step().as_secs() / 6,
    }
}

async fn read(
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
