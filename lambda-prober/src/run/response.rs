//! The answer time of homes, as points of their metrics. A point that cannot be sent is missing; nothing else comes of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::{
    id::{MetricId, PageId},
    look::Vantage,
    statuspage::Point,
};
use tokio::time::Instant;

use super::{prober::Prober, target_state::TargetState};
use crate::{
    publish::{
        access::{Access, METRIC},
        page::Pages,
    },
    report::milliseconds,
};

impl Prober {
    /// Sends how long each home that answered took, in milliseconds, to the metric that its target names: one call for each
    /// page, while the run has calls left.
    pub(super) async fn add_response_times(
        &self,
        access: &Access<'_>,
        pages: &Pages,
        states: &[TargetState<'_>],
        at: Timestamp,
        until: Instant,
    ) {
        for (page, points) in points(states, at) {
            // A page that could not be read a moment ago would not take them either.
            if !pages.is_read(page) || !access.may_call() {
                continue;
            }
            access.count(1);
            let client = access.latest_client();
            let one = points.first_key_value().filter(|(_, of_one)| points.len() == 1 && of_one.len() == 1);
            let added = async {
                match one {
                    Some((metric, point)) => client.add_point(page, metric, point[0]).await,
                    None => client.add_points(page, &points).await,
                }
            };
            if let Err(error) = access.once(until, added).await {
                let error = access.describe_once(METRIC, error.as_ref());
                tracing::warn!(%page, error, "the answer time could not be sent");
            }
        }
    }
}

/// The points, by page and metric. What a prober at home measures is no answer time from outside.
fn points<'run>(states: &[TargetState<'run>], at: Timestamp) -> BTreeMap<&'run PageId, BTreeMap<MetricId, Vec<Point>>> {
    let mut points: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
    for state in states.iter().filter(|state| state.from == Vantage::Outside) {
        if let (Some(metric), Some(enough)) = (&state.target.response_metric, state.enough()) {
            let point = Point { timestamp: at.as_second(), value: milliseconds(enough.phases.until_answer()) };
            points.entry(&state.target.page).or_default().entry(metric.clone()).or_default().push(point);
        }
    }
    points
}
