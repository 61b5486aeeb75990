//! What a service was, from each time that it was checked: its readings, when it counted as up and down, and when it was looked at.
//! Pure.

use checks::{check::Check, outcome::State, thresholds::Standing};
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

/// What a check was, run by run.
#[derive(Debug)]
pub(super) struct Past<'a> {
    check: &'a Check,
    /// Those of the hour that is being read, in milliseconds since 1970.
    hour: i64,
    readings: Vec<Columns>,
    standing: Standing,
    statuses: Vec<(i64, String)>,
    looks: Vec<(i64, i64)>,
}

impl<'a> Past<'a> {
    pub(super) fn new(check: &'a Check) -> Self {
        let (standing, readings) = (Standing::default(), Vec::new());
        Self { check, hour: i64::MIN, readings, standing, statuses: Vec::new(), looks: Vec::new() }
    }

    /// One more run, and the hour before it, where that is over. A run of an hour that is over is left out.
    pub(super) fn add(&mut self, run: Run) -> Option<Record> {
        let hour = run.at.div_euclid(HOUR);
        if hour < self.hour {
            return None;
        }
        let over = if hour > self.hour { self.end_hour() } else { None };
        self.hour = hour;
        let state = if run.outcome.is_ok() { State::Ok } else { State::Critical };
        let after = self.standing.after(state, self.check.thresholds);
        if after.counts != self.standing.counts {
            let status = if after.counts == Some(State::Critical) { "major_outage" } else { "operational" };
            self.statuses.push((run.at, status.to_owned()));
        }
        self.standing = after;
        let allowed = self.pause();
        match self.looks.last_mut() {
            Some((_, ended)) if run.at - *ended <= allowed => *ended = run.at.max(*ended),
            _ => self.looks.push((run.at, run.at)),
        }
        self.readings.push(reading(run));
        over
    }

    /// How far apart two looks may be, in milliseconds.
    fn pause(&self) -> i64 {
        i64::try_from(pause(self.check.every).as_millis()).unwrap_or(i64::MAX)
    }

    fn end_hour(&mut self) -> Option<Record> {
        let rows = std::mem::take(&mut self.readings);
        let series = format!("check:{}", self.check.name);
        (!rows.is_empty()).then_some(Record::Readings(Measured { series, unit: None, rows }))
    }

    /// The last hour, the statuses and the looks.
    pub(super) fn finish(mut self) -> Vec<Record> {
        let mut records: Vec<_> = self.end_hour().into_iter().collect();
        let of = || Of { component: None, check: Some(self.check.name.clone()), made: None };
        // The newest first: whoever takes them in adds what is older than what is there.
        records.extend(
            self.statuses.rchunks(MAX_ROWS).map(|rows| Record::Statuses(Statuses { of: of(), rows: rows.to_vec() })),
        );
        records.extend(self.looks.chunks(MAX_ROWS).map(|rows| {
            let row = |(began, ended): &(i64, i64)| LookRow(*began, *ended, None, None, Some(self.pause()));
            let rows = rows.iter().map(row).collect();
            Record::Looks(Looks { of: of(), location: "checks".into(), inside: false, rows })
        }));
        records
    }
}

fn reading(run: Run) -> Columns {
    let row = match run.outcome {
        Ok(took) => json!({"at": run.at, "value": took}),
        Err(why) => {
            let why: String = why.replace('\0', "\u{fffd}").chars().take(MAX_TEXT).collect();
            json!({"at": run.at, "failure": if why.is_empty() { "it failed".to_owned() } else { why }})
        }
    };
    let Value::Object(row) = row else { return Columns::new() };
    row
}

/// Milliseconds since 1970 of a time as SQLite has it: with an offset, or in UTC. None of a time at which nobody measured: Go's zero
/// is of the year 1.
pub(super) fn millis(text: &str) -> Option<i64> {
    let time = text.parse::<Timestamp>().ok().or_else(|| {
        let time: DateTime = text.parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    // 2000-01-01
    Some(time.as_millisecond()).filter(|millis| *millis >= 946_684_800_000)
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
        let mut past = Past::new(&check);
        let mut records: Vec<_> = runs.into_iter().filter_map(|run| past.add(run)).collect();
        assert_eq!(past.add(run(0, true)), None, "of an hour that is over");
        records.extend(past.finish());
        let records = serde_json::to_value(records).unwrap();
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
        assert_eq!((millis("yesterday"), millis("0001-01-01 00:00:00+00:00")), (None, None));
    }
}
