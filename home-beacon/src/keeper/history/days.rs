//! Calendar days of the page's time zone, which have 23 or 25 hours where clocks change.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::{Segment, State, Tally};
use shared::verdict::Verdict;

/// A day of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// In the page's time zone.
    pub date: Date,
    /// What is past of it.
    pub tally: Tally,
    /// What was concluded while it was down or degraded, the longest time first, in milliseconds.
    pub causes: Vec<(Verdict, i64)>,
}

/// When the first of the last `count` days began, today among them, in milliseconds since 1970.
pub fn start(now: Timestamp, zone: &TimeZone, count: i32) -> i64 {
    begin(now.to_zoned(zone.clone()).date().saturating_sub((count - 1).days()), zone)
}

/// The last `count` days, the oldest first, the last one being today as far as it is past. `segments` cover all of them.
pub fn days(segments: &[Segment], now: Timestamp, zone: &TimeZone, count: i32) -> Vec<Day> {
    let today = now.to_zoned(zone.clone()).date();
    let mut rest = segments;
    (0..count)
        .rev()
        .map(|ago| {
            let date = today.saturating_sub(ago.days());
            let window = begin(date, zone)..begin(date.saturating_add(1.day()), zone).min(now.as_millisecond());
            // What ends before this day is of no interest to the later ones either.
            rest = &rest[rest.partition_point(|segment| segment.to <= window.start)..];
            let of_day = &rest[..rest.partition_point(|segment| segment.from < window.end)];
            Day { date, tally: Tally::within(of_day, &window), causes: causes(of_day, &window) }
        })
        .collect()
}

/// When a day begins, in milliseconds since 1970. Where midnight is skipped, it is the first moment after it.
fn begin(date: Date, zone: &TimeZone) -> i64 {
    date.to_zoned(zone.clone()).map_or(i64::MIN, |zoned| zoned.timestamp().as_millisecond())
}

fn causes(segments: &[Segment], window: &std::ops::Range<i64>) -> Vec<(Verdict, i64)> {
    let mut causes: Vec<(Verdict, i64)> = Vec::new();
    for segment in segments.iter().filter(|segment| matches!(segment.state, State::Down | State::Degraded)) {
        let Some(verdict) = segment.verdict else { continue };
        let length = segment.to.min(window.end) - segment.from.max(window.start);
        match causes.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, total)) => *total += length,
            None => causes.push((verdict, length)),
        }
    }
    causes.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours_of(date: &str, zone: &str) -> i64 {
        let zone = TimeZone::get(zone).unwrap();
        let noon: jiff::civil::DateTime = format!("{date}T12:00:00").parse().unwrap();
        let later = noon.to_zoned(zone.clone()).unwrap().timestamp() + jiff::SignedDuration::from_hours(48);
        let from = start(later, &zone, 5);
        let all = [Segment { from, to: later.as_millisecond(), state: State::Up, verdict: None }];
        let days = days(&all, later, &zone, 5);
        days.iter().find(|day| day.date == noon.date()).unwrap().tally.total() / 3_600_000
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_zone_says() {
        for (date, zone, hours) in [
            ("2026-03-28", "Europe/Berlin", 24),
            ("2026-03-29", "Europe/Berlin", 23),
            ("2026-10-25", "Europe/Berlin", 25),
            // Clocks are put forward at midnight: the day begins at one o'clock.
            ("2026-09-06", "America/Santiago", 23),
            ("2026-04-04", "America/Santiago", 25),
            ("2026-11-28", "UTC", 24),
        ] {
            assert_eq!(hours_of(date, zone), hours, "{date} {zone}");
        }
    }
}
