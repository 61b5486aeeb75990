//! `GET /porchlight/v1/series?metric=&from=&to=&step=`: what readings come to over time.
//!
//! `metric` is a reading's, like `ping`, or `@` and the id of a page's metric. `from` and `to` are times (RFC 3339, or
//! seconds since 1970), the last 24 hours if left out. `step` is the length of a bucket, like `5m` or a number of
//! seconds; left out, there are about 300 buckets. Buckets without a reading are not there.

use std::collections::HashMap;

use axum::{Json, Router, extract::State, routing::get};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::{AppState, HttpError, path::InQuery};
use crate::{
    keeper::{
        checks::figures,
        db::Moment,
        measured::series::{self, Bucket, Span},
    },
    reading::leap_second::is_leap_second,
};

/// The most buckets of an answer, and about how many there are by default.
const MAX_BUCKETS: i64 = 5000;
const DEFAULT_BUCKETS: i64 = 300;

const MINUTE: i64 = 60;
const SLOT: SignedDuration = SignedDuration::from_secs(30);
const DAY: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Serialize)]
struct Series {
    metric: String,
    /// Of a figure of a check: `s`, `B`, `%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    from: Moment,
    /// Not part of it.
    to: Moment,
    /// The length of a bucket in seconds.
    step: i64,
    points: Vec<Bucket>,
}

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/series", get(answer))
}

async fn answer(State(state): State<AppState>, InQuery(query): InQuery) -> Result<Json<Series>, HttpError> {
    let Some(metric) = query.get("metric").filter(|metric| !metric.is_empty()) else {
        let known = match series::names(&state.db).await?.join(", ") {
            none if none.is_empty() => "but there are no readings yet".into(),
            names => format!("one of {names}"),
        };
        return Err(HttpError::unprocessable(format!("metric: can't be blank; name {known}")));
    };
    let span = span(&query, state.clock.wall()).map_err(HttpError::unprocessable)?;
    let points = series::buckets(&state.db, metric, span).await?;
    let unit = figures::unit(&state.db, metric).await?;
    Ok(Json(Series { metric: metric.clone(), unit, from: span.from, to: span.to, step: span.step.as_secs(), points }))
}

/// # Errors
/// What is wrong, in words.
fn span(query: &HashMap<String, String>, now: Timestamp) -> Result<Span, String> {
    let time = |name: &str| query.get(name).map(|text| time(text).ok_or_else(|| wrong_time(name))).transpose();
    let to = match time("to")? {
        Some(to) => to,
        // The latest point may lie at a slot that is half over only then.
        None => now.checked_add(SLOT).map_err(|_| wrong_time("to"))?,
    };
    let from = match time("from")? {
        Some(from) => from,
        None => to.checked_sub(DAY).map_err(|_| wrong_time("to"))?,
    };
    let seconds = to.duration_since(from).as_secs();
    if seconds <= 0 {
        return Err("from: must be earlier than to".into());
    }
    let step = match query.get("step") {
        Some(text) => step(text).ok_or("step: must be a time like 5m, or a number of seconds, from 1s on")?,
        None => (seconds / DEFAULT_BUCKETS / MINUTE + 1) * MINUTE,
    };
    if seconds / step >= MAX_BUCKETS {
        return Err(format!(
            "step: that would be more than {MAX_BUCKETS} buckets; take {}s or more",
            seconds / MAX_BUCKETS + 1
        ));
    }
    Ok(Span { from: Moment::new(from), to: Moment::new(to), step: SignedDuration::from_secs(step) })
}

pub(super) fn time(text: &str) -> Option<Timestamp> {
    let time = text.parse().ok().filter(|_| !is_leap_second(text));
    time.or_else(|| Timestamp::from_second(text.parse().ok()?).ok())
}

pub(super) fn wrong_time(name: &str) -> String {
    format!("{name}: must be a time like 2026-11-21T04:30:00Z, or seconds since 1970")
}

fn step(text: &str) -> Option<i64> {
    let seconds = match text.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => text.parse::<SignedDuration>().ok()?.as_secs(),
    };
    (seconds >= 1).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<(i64, i64, i64), String> {
        let query = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let span = span(&query, Timestamp::from_second(1_000_000).unwrap())?;
        Ok((span.from.timestamp().as_second(), span.to.timestamp().as_second(), span.step.as_secs()))
    }

    #[test]
    fn the_last_day_in_about_300_buckets_is_the_usual() {
        assert_eq!(read(&[]), Ok((1_000_030 - 86_400, 1_000_030, 300)));
        assert_eq!(read(&[("from", "0"), ("to", "1970-01-02T00:00:00Z")]), Ok((0, 86_400, 300)));
        assert_eq!(read(&[("from", "0"), ("step", "1h")]), Ok((0, 1_000_030, 3600)));
        assert_eq!(read(&[("from", "999000"), ("step", "30")]), Ok((999_000, 1_000_030, 30)));
    }

    #[test]
    fn what_cannot_be_answered_is_told() {
        for (pairs, message) in [
            (&[("from", "yesterday")][..], "from: must be a time like"),
            (&[("from", "2026-12-31T23:59:60Z")], "from: must be a time like"),
            (&[("from", "9223372036854775807")], "from: must be a time like"),
            (&[("from", "5"), ("to", "5")], "from: must be earlier than to"),
            (&[("step", "0")], "step: must be a time like 5m"),
            (&[("step", "-5m")], "step: must be a time like 5m"),
            (&[("step", "1")], "step: that would be more than 5000 buckets; take 18s or more"),
        ] {
            let error = read(pairs).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(read(&[("step", "18")]).is_ok());
    }
}
