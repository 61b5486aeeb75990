//! What a service was, from each time that it was checked: its readings, when it counted as up and down, and when it was looked at.
//! Pure.

use checks::{
    check::{Check, Place},
    outcome::State,
    thresholds::Standing,
};
use home_beacon::keeper::{
    checks::pause,
    portable::{Columns, LookRow, Looks, Measured, Of, Record, Statuses},
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;

/// The most statuses or looks of a record.
const MAX_ROWS: usize = 5000;

/// The longest reason for a failure that a keeper takes, in characters.
const MAX_TEXT: usize = 300;

/// One time that a service was checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    /// In milliseconds since 1970.
    pub(super) at: i64,
    /// How many milliseconds it took, or why it failed.
    pub(super) outcome: Result<f64, String>,
}

/// The records of a check that has run so, in the order of time.
pub(super) fn records(check: &Check, runs: &[Run]) -> Vec<Record> {
    let mut records: Vec<Record> = runs
        .chunk_by(|one, other| one.at.div_euclid(HOUR) == other.at.div_euclid(HOUR))
        .map(|runs| {
            let rows = runs.iter().map(reading).collect();
            Record::Readings(Measured { series: format!("check:{}", check.name), unit: None, rows })
        })
        .collect();
    if check.component != Place::Own {
        return records;
    }
    let of = || Of { component: None, check: Some(check.name.clone()) };
    // The newest first: whoever takes them in adds what is older than what is there.
    let statuses = statuses(check, runs);
    records.extend(statuses.rchunks(MAX_ROWS).map(|rows| Record::Statuses(Statuses { of: of(), rows: rows.to_vec() })));
    let pause = i64::try_from(pause(check.every).as_millis()).unwrap_or(i64::MAX);
    let looks = looks(runs, pause);
    records.extend(looks.chunks(MAX_ROWS).map(|rows| {
        let rows = rows.iter().map(|(began, ended)| LookRow(*began, *ended, None, None, Some(pause))).collect();
        Record::Looks(Looks { of: of(), location: "checks".into(), inside: false, rows })
    }));
    records
}

fn reading(run: &Run) -> Columns {
    let row = match &run.outcome {
        Ok(took) => json!({"at": run.at, "value": took}),
        Err(why) => {
            let why: String = why.replace('\0', "\u{fffd}").chars().take(MAX_TEXT).collect();
            json!({"at": run.at, "failure": if why.is_empty() { "it failed".to_owned() } else { why }})
        }
    };
    let Value::Object(row) = row else { return Columns::new() };
    row
}

/// Since when it counted as what, by the check's thresholds.
fn statuses(check: &Check, runs: &[Run]) -> Vec<(i64, String)> {
    let (mut standing, mut statuses) = (Standing::default(), Vec::new());
    for run in runs {
        let state = if run.outcome.is_ok() { State::Ok } else { State::Critical };
        let after = standing.after(state, check.thresholds);
        if after.counts != standing.counts {
            let status = if after.counts == Some(State::Critical) { "major_outage" } else { "operational" };
            statuses.push((run.at, status.to_owned()));
        }
        standing = after;
    }
    statuses
}

/// From the first to the last of runs that are no further apart than that.
fn looks(runs: &[Run], pause: i64) -> Vec<(i64, i64)> {
    let mut looks: Vec<(i64, i64)> = Vec::new();
    for run in runs {
        match looks.last_mut() {
            Some((_, ended)) if run.at - *ended <= pause => *ended = run.at,
            _ => looks.push((run.at, run.at)),
        }
    }
    looks
}

/// Milliseconds since 1970 of a time as SQLite has it: with an offset, or in UTC.
pub(super) fn millis(text: &str) -> Option<i64> {
    let time = text.parse::<Timestamp>().ok().or_else(|| {
        let time: DateTime = text.parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use checks::file::{ThisMachine, checks_yml};

    use super::*;

    fn check(text: &str) -> Check {
        let text = format!("checks:\n- {{name: nas, tcp: {{host: nas.lan, port: 22}}, {text}}}\n");
        checks_yml::read(&text, "checks.yml", &ThisMachine).unwrap().checks.remove(0)
    }

    fn run(minute: i64, is_ok: bool) -> Run {
        Run { at: minute * 60_000, outcome: if is_ok { Ok(1.5) } else { Err(String::new()) } }
    }

    #[test]
    fn runs_are_readings_by_the_hour_statuses_by_the_thresholds_and_looks_without_what_nobody_saw() {
        let check = check("every: 1m, fail_after: 2");
        let runs: Vec<_> =
            (58..64).map(|minute| run(minute, ![59, 60].contains(&minute))).chain([run(100, true)]).collect();
        let records = serde_json::to_value(records(&check, &runs)).unwrap();
        let rows = |record: usize, kind: &str| records[record][kind]["rows"].clone();
        assert_eq!(
            rows(0, "readings"),
            json!([{"at": 3_480_000, "value": 1.5}, {"at": 3_540_000, "failure": "it failed"}])
        );
        assert_eq!(rows(1, "readings").as_array().unwrap().len(), 5);
        let expected = json!([[3_480_000, "operational"], [3_600_000, "major_outage"], [3_660_000, "operational"]]);
        assert_eq!(rows(2, "statuses"), expected);
        let expected =
            json!([[3_480_000, 3_780_000, null, null, 300_000], [6_000_000, 6_000_000, null, null, 300_000]]);
        assert_eq!(rows(3, "looks"), expected);
        assert_eq!(records.as_array().unwrap().len(), 4);
        let hidden = self::check("component: nowhere");
        assert_eq!(super::records(&hidden, &runs).len(), 2, "what is shown nowhere has readings alone");
    }

    #[test]
    fn times_are_read_as_sqlite_has_them() {
        let expected = Some(1_583_411_696_789);
        for text in [
            "2020-03-05 12:34:56.789+00:00",
            "2020-03-05T12:34:56.789Z",
            "2020-03-05 12:34:56.789",
            "2020-03-05 13:34:56.789000000+01:00",
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
        assert_eq!(millis("yesterday"), None);
    }
}
