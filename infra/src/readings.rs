//! `porchlight readings`: the latest readings of a keeper.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use home_beacon::{
    job::{
        keeper::KeeperClient,
        settings::{KEEPER_API, KEEPER_TOKEN},
    },
    reading::MetricName,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Deserialize;
use shared::{
    api::{ApiError, Permanent},
    http::{Deadlines, client_for},
    retry,
};
use tokio::time::{Instant, sleep};

use crate::settings::ReadingsSettings;

/// How long a keeper that does not answer is tried.
const SERIES_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a keeper without a reading is asked for one.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The step is chosen so that about this many lines are printed.
const LINES: u32 = 60;

#[derive(Debug, Deserialize)]
struct Series {
    points: Vec<Point>,
}

/// One step of a series: a mean, and the number of readings that have no part in it.
#[derive(Debug, Deserialize)]
struct Point {
    at: Timestamp,
    failed: u32,
    skipped: u32,
    marked: u32,
    value: Option<f64>,
    loss: Option<f64>,
}

/// Prints the readings, after waiting for a first one if `--wait` is set; fails if there is none.
///
/// # Errors
/// When the keeper does not answer in time, or refuses the token.
pub async fn readings(settings: &ReadingsSettings) -> anyhow::Result<ExitCode> {
    let http = client_for([&settings.keeper_url], Deadlines::default())?;
    let keeper = KeeperClient::new(http, &settings.keeper_url, KEEPER_TOKEN.require()?);
    let end = Instant::now() + settings.wait.unwrap_or_default();
    let question = MetricName::question(&settings.metric);
    if settings.wait.is_some() && !question.is_empty() {
        tracing::warn!("no program of ours has readings of {}{question}", settings.metric);
    }
    let points = loop {
        let points = points(&keeper, settings).await;
        let points = points.map_err(|error| anyhow::anyhow!(error.advice(&KEEPER_API)))?;
        if !points.is_empty() || Instant::now() + POLL_INTERVAL > end {
            break points;
        }
        sleep(POLL_INTERVAL).await;
    };
    let mut out = io::stdout().lock();
    if points.is_empty() {
        let within = SignedDuration::try_from(settings.within).unwrap_or_default();
        let question = MetricName::question(&settings.metric);
        writeln!(out, "the keeper has no reading of {} of the last {within:#}{question}", settings.metric)?;
        return Ok(ExitCode::FAILURE);
    }
    points.iter().try_for_each(|point| writeln!(out, "{point}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The points of the time range; none if the keeper does not know the metric.
async fn points(keeper: &KeeperClient, settings: &ReadingsSettings) -> Result<Vec<Point>, ApiError> {
    let from = Timestamp::now() - SignedDuration::try_from(settings.within).unwrap_or(SignedDuration::MAX);
    let step = (settings.within / LINES).max(Duration::from_mins(1));
    let series =
        retry::silently(Instant::now() + SERIES_TIMEOUT, || keeper.series::<Series>(&settings.metric, from, step));
    match series.await {
        Ok(series) => Ok(series.points),
        Err(ApiError::Permanent(Permanent { status: 404, message, .. })) if message.contains(&settings.metric) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M"))?;
        if let Some(value) = self.value {
            write!(f, "  {value:.2}")?;
        }
        if let Some(loss) = self.loss.filter(|loss| *loss > 0.0) {
            write!(f, "  loss {loss:.0} %")?;
        }
        for (count, what) in
            [(self.failed, "failed"), (self.skipped, "skipped"), (self.marked, "during a bandwidth test")]
        {
            if count > 0 {
                write!(f, "  {count} {what}")?;
            }
        }
        Ok(())
    }
}
