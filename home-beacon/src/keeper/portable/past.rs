//! What is older than what is here: nothing of it changes what this keeper has seen itself.

use jiff::Timestamp;
use serde_json::json;
use shared::{
    look::Location,
    statuspage::ComponentStatus,
    verdict::{NO_CAUSE, Verdict},
};

use super::{
    Columns, LookRow, Looks, Measured, Of, Statuses,
    tables::{HOURS, READINGS},
};
use crate::{
    keeper::{
        KeeperError,
        db::{Tx, query},
        history::COVERED_BY_A_LOOK,
        measured::{
            ages::RAW,
            retention::{HOUR, roll_up_hour},
            series_rows::{find_or_create, set_unit},
        },
        status::Component,
    },
    reading::MetricName,
};

/// Larger ones are no measurements, nor sums of an hour's: the largest figure of a check is 1e18.
const MAX_NUMBER: f64 = 1e24;

/// The longest pause between two looks, in milliseconds: that of a check once a year, and more.
const LONGEST_PAUSE: i64 = 1000 * 24 * 3_600_000;

/// From when on this keeper itself speaks for a component: since it was made here. One that came with these records has no such time,
/// but nothing is added behind what it has.
fn speaks_since(component: &Component, of: &Of) -> Option<i64> {
    let made = component.created_at.millis();
    Some(made).filter(|made| of.made != Some(*made))
}

/// Adds those that are older than what is known here; how many.
pub(super) async fn statuses(tx: &mut Tx, component: &Component, statuses: &Statuses) -> Result<u64, KeeperError> {
    let id = component.id.as_str();
    let until = match speaks_since(component, &statuses.of) {
        Some(since) => Some(since),
        None => query("SELECT MIN(since) FROM component_statuses WHERE component_id = ?").bind(id).one(tx).await?,
    };
    let mut added = 0;
    for (since, status) in statuses.rows.iter().filter(|(since, _)| until.is_none_or(|until| *since < until)) {
        moment(*since)?;
        if !status.is_empty() {
            status.parse::<ComponentStatus>().map_err(|error| KeeperError::Invalid(format!("statuses: {error}")))?;
        }
        let add = query(
            "INSERT INTO component_statuses (component_id, since, status) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        );
        added += add.bind(id).bind(*since).bind(status).execute(tx).await?;
    }
    Ok(added)
}

/// Adds of each what lies at times at which nobody is known to have looked from there; how many.
pub(super) async fn looks(tx: &mut Tx, component: &Component, looks: &Looks) -> Result<u64, KeeperError> {
    looks.location.parse::<Location>().map_err(|error| KeeperError::Invalid(format!("location: {error}")))?;
    let until = speaks_since(component, &looks.of).unwrap_or(i64::MAX);
    let mut added = 0;
    for LookRow(began, ended, verdict, cause, pause) in &looks.rows {
        moment(*began)?;
        moment(*ended)?;
        let is_known = verdict
            .as_deref()
            .is_none_or(|verdict| Verdict::from_labels(verdict, cause.as_deref().or(Some(NO_CAUSE))).is_some());
        let is_pause = pause.is_none_or(|pause| (0..=LONGEST_PAUSE).contains(&pause));
        if began > ended || !is_known || !is_pause {
            return Err(KeeperError::Invalid(
                "looks: one ends before it begins, or has a verdict or a pause that there is not".into(),
            ));
        }
        let known = query(
            "SELECT began, ended FROM look_spans WHERE component_id = ? AND location = ? AND inside = ?
                 AND began <= ? AND ended >= ? ORDER BY began",
        );
        let known = known.bind(component.id.as_str()).bind(&looks.location).bind(looks.inside);
        let known: Vec<(i64, i64)> = known.bind(*ended).bind(*began).all(tx).await?;
        for (began, ended) in beside((*began, (*ended).min(until - 1)), &known) {
            let add = query(
                "INSERT INTO look_spans (component_id, location, inside, began, ended, verdict, cause, pause)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            );
            let add = add.bind(component.id.as_str()).bind(&looks.location).bind(looks.inside).bind(began).bind(ended);
            let pause = pause.filter(|pause| *pause != COVERED_BY_A_LOOK);
            added += add.bind(verdict).bind(cause).bind(pause).execute(tx).await?;
        }
    }
    Ok(added)
}

/// What is left of a span beside those that are known, which are in order; both ends are part of each.
fn beside((began, ended): (i64, i64), known: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (mut left, mut from) = (Vec::new(), began);
    for (known_began, known_ended) in known {
        left.push((from, ended.min(known_began - 1)));
        from = from.max(known_ended + 1);
    }
    left.push((from, ended));
    left.retain(|(began, ended)| began <= ended);
    left
}

/// Adds an hour's readings, unless what that hour came to is known; how many.
pub(super) async fn readings(tx: &mut Tx, measured: &Measured, now: Timestamp) -> Result<u64, KeeperError> {
    let Some(hour) = measured.rows.first().map(at).transpose()?.map(|at| at.div_euclid(HOUR) * HOUR) else {
        return Ok(0);
    };
    let series = series(tx, measured).await?;
    let is_known = query("SELECT EXISTS (SELECT 1 FROM hours WHERE series_id = ? AND at = ?)");
    if is_known.bind(series).bind(hour).one::<i64>(tx).await? > 0 {
        return Ok(0);
    }
    let mut added = 0;
    for row in &measured.rows {
        if at(row)?.div_euclid(HOUR) * HOUR != hour {
            return Err(KeeperError::Invalid("readings: one line has those of one hour".into()));
        }
        added += u64::from(READINGS.add(tx, row, &[("series_id", json!(series))]).await?);
    }
    let old = now.checked_sub(RAW).map_or(0, Timestamp::as_millisecond);
    if hour + HOUR <= old {
        roll_up_hour(tx, series, hour).await?;
    }
    Ok(added)
}

/// Adds what hours came to of which nothing is known; how many.
pub(super) async fn hours(tx: &mut Tx, measured: &Measured) -> Result<u64, KeeperError> {
    let series = series(tx, measured).await?;
    let mut added = 0;
    for row in &measured.rows {
        let at = at(row)?;
        if at.rem_euclid(HOUR) != 0 {
            return Err(KeeperError::Invalid("hours: one does not begin at a full hour".into()));
        }
        // While its readings are here one by one, they are what is known of it.
        let is_known = query("SELECT EXISTS (SELECT 1 FROM readings WHERE series_id = ? AND at >= ? AND at < ?)");
        if is_known.bind(series).bind(at).bind(at + HOUR).one::<i64>(tx).await? == 0 {
            added += u64::from(HOURS.add(tx, row, &[("series_id", json!(series))]).await?);
        }
    }
    Ok(added)
}

async fn series(tx: &mut Tx, measured: &Measured) -> Result<i64, KeeperError> {
    let Measured { series: name, unit, rows } = measured;
    let is_name = match name.strip_prefix('@') {
        Some(metric) => metric.parse::<shared::id::MetricId>().is_ok(),
        // A check's figure has the check's name before it, and may be called anything.
        None => name.starts_with("check:") || name.parse::<MetricName>().is_ok(),
    };
    if !is_name {
        return Err(KeeperError::Invalid("series: it is the name of no readings".into()));
    }
    for (column, value) in rows.iter().flatten().filter(|(column, _)| *column != "at") {
        if value.as_f64().is_some_and(|number| number.abs() > MAX_NUMBER) {
            return Err(KeeperError::Invalid(format!("{name}, {column}: {value} is no measurement")));
        }
    }
    let series = find_or_create(tx, name).await?;
    if let Some(unit) = unit {
        set_unit(tx, series, unit).await?;
    }
    Ok(series)
}

fn at(row: &Columns) -> Result<i64, KeeperError> {
    let at = row.get("at").and_then(serde_json::Value::as_i64);
    let at = at.ok_or_else(|| KeeperError::Invalid("at: is missing, or no number of milliseconds".into()))?;
    moment(at)?;
    Ok(at)
}

/// # Errors
/// When it is not a time that a page can show.
fn moment(millis: i64) -> Result<(), KeeperError> {
    // 1970 to 2200.
    if (0..7_258_118_400_000).contains(&millis) {
        return Ok(());
    }
    Err(KeeperError::Invalid(format!("{millis}: is no time in milliseconds since 1970")))
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn of_a_span_the_known_parts_are_left_out() {
        for (known, left) in [
            (vec![], vec![(10, 20)]),
            (vec![(10, 20)], vec![]),
            (vec![(5, 12)], vec![(13, 20)]),
            (vec![(18, 30)], vec![(10, 17)]),
            (vec![(12, 14), (16, 16)], vec![(10, 11), (15, 15), (17, 20)]),
            (vec![(0, 50)], vec![]),
        ] {
            assert_eq!(beside((10, 20), &known), left, "{known:?}");
        }
    }
}
