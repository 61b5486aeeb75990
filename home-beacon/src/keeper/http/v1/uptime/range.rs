//! Which days of a component's past are asked for: `2026`, `2026-11` or `2026-11-21` each, six months at most. Pure.

use jiff::{ToSpan, civil::Date};

/// How far back the answer looks where that is not said.
const DAYS: i32 = 90;

/// The longest range, as on statuspage.io.
const MONTHS: i32 = 6;

/// Days from the first to the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DateRange {
    pub(super) first: Date,
    pub(super) last: Date,
    /// What was changed of what was asked for.
    pub(super) warnings: Vec<String>,
}

/// Reads a range; `began` is the day since when there is something to ask for.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(super) fn read(
    start: Option<&str>,
    end: Option<&str>,
    began: Option<Date>,
    today: Date,
) -> Result<DateRange, String> {
    let mut warnings = Vec::new();
    let start = start.map(|text| date(text).map(|(first, _)| first).ok_or_else(|| wrong("start"))).transpose()?;
    let end = end.map(|text| date(text).map(|(_, last)| last).ok_or_else(|| wrong("end"))).transpose()?;
    let last = match end {
        Some(end) if end > today => {
            warnings
                .push("End date was adjusted to today. See range_end field in response for end date used.".to_owned());
            today
        }
        Some(end) => end,
        None => today,
    };
    let first = match (start, began) {
        (Some(start), Some(began)) if start < began && began <= last => {
            warnings.push(
                "Start date was adjusted to the start date of what is asked for. See range_start field in response for \
                 start date used."
                    .to_owned(),
            );
            began
        }
        (Some(start), _) => start,
        (None, began) => {
            let usual = last.saturating_sub(DAYS.days());
            began.filter(|began| *began <= last).map_or(usual, |began| began.max(usual))
        }
    };
    if first > last {
        return Err("start: must not be later than the end of the range, nor in the future".into());
    }
    if last > first.saturating_add(MONTHS.months()) {
        return Err(format!("start: the range may span six calendar months, and {first} to {last} is more"));
    }
    Ok(DateRange { first, last, warnings })
}

/// The first and the last day of a year, of a month, or that day.
fn date(text: &str) -> Option<(Date, Date)> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let numbers =
        parts.iter().map(|part| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i16>().ok())?);
    let numbers: Vec<i16> = numbers.collect::<Option<_>>()?;
    let part = |index: usize| i8::try_from(numbers[index]).ok();
    let (first, last) = match lengths.as_slice() {
        [4] => (Date::new(numbers[0], 1, 1).ok()?, Date::new(numbers[0], 12, 31).ok()?),
        [4, 2] => {
            let first = Date::new(numbers[0], part(1)?, 1).ok()?;
            (first, first.last_of_month())
        }
        [4, 2, 2] => {
            let day = Date::new(numbers[0], part(1)?, part(2)?).ok()?;
            (day, day)
        }
        _ => return None,
    };
    (numbers[0] >= 1970).then_some((first, last))
}

fn wrong(name: &str) -> String {
    format!("{name}: must be a day, a month or a year from 1970 on, like 2026-11-21, 2026-11 or 2026")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn asked(start: Option<&str>, end: Option<&str>, began: Option<&str>) -> Result<(String, String, usize), String> {
        let range = read(start, end, began.map(day), day("2026-11-28"))?;
        Ok((range.first.to_string(), range.last.to_string(), range.warnings.len()))
    }

    #[test]
    fn days_months_and_years_are_read_whole() {
        for (start, end, began, first, last, warnings) in [
            (None, None, None, "2026-08-30", "2026-11-28", 0),
            (None, None, Some("2026-11-01"), "2026-11-01", "2026-11-28", 0),
            (None, None, Some("2020-01-01"), "2026-08-30", "2026-11-28", 0),
            (Some("2026-11"), None, None, "2026-11-01", "2026-11-28", 0),
            (Some("2026-11"), Some("2026-11"), None, "2026-11-01", "2026-11-28", 1),
            (Some("2024-02"), Some("2024-02"), None, "2024-02-01", "2024-02-29", 0),
            (Some("2026-01-05"), Some("2026-07-05"), None, "2026-01-05", "2026-07-05", 0),
            (Some("2026-10-01"), Some("2026-11-01"), Some("2026-10-15"), "2026-10-15", "2026-11-01", 1),
            (None, Some("2026-02-01"), Some("2026-10-15"), "2025-11-03", "2026-02-01", 0),
        ] {
            assert_eq!(
                asked(start, end, began),
                Ok((first.into(), last.into(), warnings)),
                "{start:?} {end:?} {began:?}"
            );
        }
    }

    #[test]
    fn what_is_no_range_is_refused_in_a_sentence() {
        for (start, end, words) in [
            (Some("yesterday"), None, "start: must be a day"),
            (Some("26-11-01"), None, "start: must be a day"),
            (Some("2026-02-30"), None, "start: must be a day"),
            (Some("+026"), None, "start: must be a day"),
            (Some("1969-12-31"), None, "from 1970 on"),
            (None, Some("2026-13"), "end: must be a day"),
            (None, Some("2026-1-1"), "end: must be a day"),
            (Some("2026-11-29"), None, "nor in the future"),
            (Some("2026-11-02"), Some("2026-11-01"), "must not be later"),
            (Some("2026-01-05"), Some("2026-07-06"), "may span six calendar months"),
            (Some("2016"), Some("2026"), "2016-01-01 to 2026-11-28 is more"),
        ] {
            let error = asked(start, end, None).unwrap_err();
            assert!(error.contains(words), "{start:?} {end:?}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(start: String, end in "[0-9-]{0,12}") {
            let _ = asked(Some(&start), Some(&end), None);
        }
    }
}
