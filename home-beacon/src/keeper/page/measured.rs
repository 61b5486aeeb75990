//! What was measured at home, as the page shows it: the latest value of each metric, and whether the latest attempt
//! failed. Why it failed stays in the log: it may name what is nobody's business.

use jiff::tz::TimeZone;

use super::Time;
use crate::keeper::{
    Shared,
    store::{LatestReading, Metric, StoreError},
};

/// The most metrics that are shown.
const MOST: usize = 20;

pub(super) struct MeasuredView {
    pub(super) name: String,
    /// The value with its unit.
    pub(super) value: Option<String>,
    pub(super) at: Option<Time>,
    /// When the latest attempt failed, if it did.
    pub(super) failed: Option<Time>,
}

/// The metrics that have anything to show.
pub(super) async fn measured(shared: &Shared, zone: &TimeZone) -> Result<Vec<MeasuredView>, StoreError> {
    let mut views = Vec::new();
    let metrics = shared.store.metrics(&shared.page, None, 0, u32::MAX).await?;
    for metric in metrics.into_iter().filter(|metric| metric.display).take(MOST) {
        let (point, attempt) = shared.store.latest_of(&metric.id).await?;
        if point.is_some() || attempt.is_some() {
            views.push(view(metric, point, attempt, zone));
        }
    }
    Ok(views)
}

fn view(metric: Metric, point: Option<LatestReading>, attempt: Option<LatestReading>, zone: &TimeZone) -> MeasuredView {
    let time = |reading: &LatestReading| Time::new(reading.at.timestamp(), zone);
    let value = point.as_ref().and_then(|point| point.value);
    let places = usize::try_from(metric.decimal_places).unwrap_or(0);
    let unit = metric.suffix.filter(|suffix| !suffix.is_empty()).map(|suffix| format!(" {suffix}")).unwrap_or_default();
    MeasuredView {
        name: metric.name,
        value: value.map(|value| format!("{value:.places$}{unit}")),
        at: point.as_ref().map(time),
        failed: attempt.filter(|attempt| attempt.failed).as_ref().map(time),
    }
}
