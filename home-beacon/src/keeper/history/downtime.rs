//! For how long components were down, by cause, as a counter: it only grows, though what is known of the past changes. A home
//! that was cut off learns of its outage afterwards. Pure.

use std::{collections::BTreeMap, ops::Range};

use jiff::{Timestamp, civil::date, tz::TimeZone};
use shared::verdict::{DownCause, Verdict};

use super::{Segment, State};

/// What is older than this is taken as it is known by then, in milliseconds.
const SETTLES_AFTER: i64 = 7 * DAY;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The label of downtime that nobody has named a cause of.
pub const UNKNOWN: &str = "unknown";

/// The time for which components were down since the year began (UTC). It begins with the year because looks are kept for two: a
/// counter that lost its oldest part would seem to have begun anew.
#[derive(Clone, Debug, Default)]
pub struct Downtime {
    year: Option<i16>,
    /// Up to when the past is settled, in milliseconds since 1970, and what it came to.
    until: i64,
    settled: ByCause,
    /// The most that was ever counted: what turns out to have been shorter waits until it has grown again.
    most: ByCause,
}

/// Milliseconds by a cause's label.
type ByCause = BTreeMap<&'static str, i64>;

impl Downtime {
    /// The time whose segments are to be counted at that time, in milliseconds since 1970.
    pub fn unsettled(&mut self, now: Timestamp) -> Range<i64> {
        let year = now.to_zoned(TimeZone::UTC).year();
        if self.year != Some(year) {
            let begin = date(year, 1, 1).to_zoned(TimeZone::UTC);
            let until = begin.map_or(i64::MIN, |begin| begin.timestamp().as_millisecond());
            *self = Self { year: Some(year), until, ..Self::default() };
        }
        self.until..now.as_millisecond()
    }

    /// Counts the segments of all components, which cover that time.
    pub fn count(&mut self, unsettled: &Range<i64>, components: &[Vec<Segment>]) {
        for (cause, time) in downtime(components, unsettled) {
            let total = time + self.settled.get(cause).copied().unwrap_or_default();
            let most = self.most.entry(cause).or_default();
            *most = total.max(*most);
        }
        let settles = unsettled.end - SETTLES_AFTER;
        // Once a day, and not at each scrape.
        if settles - unsettled.start > DAY {
            for (cause, time) in downtime(components, &(unsettled.start..settles)) {
                *self.settled.entry(cause).or_default() += time;
            }
            self.until = settles;
        }
    }

    /// The seconds of each cause that there is, also of those that there were none of.
    pub fn seconds(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let causes = DownCause::ALL.into_iter().filter_map(|cause| Verdict::Down(cause).cause()).chain([UNKNOWN]);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a year are far below 2^53")]
        let seconds = |cause| self.most.get(cause).map_or(0.0, |time| *time as f64 / 1000.0);
        causes.map(move |cause| (cause, seconds(cause)))
    }
}

fn downtime(components: &[Vec<Segment>], window: &Range<i64>) -> ByCause {
    let mut times = ByCause::new();
    for segment in components.iter().flatten().filter(|segment| segment.state == State::Down) {
        let time = segment.to.min(window.end) - segment.from.max(window.start);
        if time > 0 {
            *times.entry(segment.verdict.and_then(Verdict::cause).unwrap_or(UNKNOWN)).or_default() += time;
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const REFUSED: Verdict = Verdict::Down(DownCause::Refused);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Down from and to, in minutes since a time.
    fn down(since: Timestamp, from: i64, to: i64, verdict: Option<Verdict>) -> Segment {
        let minutes = |count| since.as_millisecond() + count * MINUTE;
        Segment { from: minutes(from), to: minutes(to), state: State::Down, verdict }
    }

    fn refused(downtime: &Downtime) -> f64 {
        downtime.seconds().find(|(cause, _)| *cause == "refused").unwrap().1
    }

    #[test]
    fn every_cause_is_there_from_the_beginning() {
        let seconds: Vec<_> = Downtime::default().seconds().collect();
        assert!(seconds.len() == DownCause::ALL.len() + 1 && seconds.iter().all(|(_, seconds)| *seconds == 0.0));
    }

    #[test]
    fn outages_of_all_components_add_up_and_what_is_known_of_them_later_counts() {
        let (now, mut downtime) = (at("2026-06-01T12:00:00Z"), Downtime::default());
        let window = downtime.unsettled(now);
        assert_eq!(window, at("2026-01-01T00:00:00Z").as_millisecond()..now.as_millisecond());
        let one = vec![down(now, -10, -5, Some(REFUSED))];
        downtime.count(&window, &[one.clone(), vec![down(now, -3, 4, Some(REFUSED)), down(now, -60, -59, None)]]);
        assert!((refused(&downtime) - 480.0).abs() < 0.001, "what is yet to come does not count");
        assert_eq!(downtime.seconds().last(), Some((UNKNOWN, 60.0)));
        // A part of it turns out to have been shorter: the counter does not fall.
        downtime.count(&window, &[one]);
        assert!((refused(&downtime) - 480.0).abs() < 0.001);
        downtime.count(&window, &[vec![down(now, -100, -50, Some(REFUSED))]]);
        assert!((refused(&downtime) - 3000.0).abs() < 0.001);
    }

    #[test]
    fn what_is_long_past_is_read_once() {
        let (begin, mut downtime) = (at("2026-06-01T12:00:00Z"), Downtime::default());
        let outage = vec![down(begin, -30, -20, Some(REFUSED))];
        for day in 0..30 {
            let now = begin + jiff::SignedDuration::from_hours(24 * day);
            let window = downtime.unsettled(now);
            let is_read = outage[0].to > window.start;
            assert_eq!(is_read, day < 9, "{day}");
            downtime.count(&window, if is_read { std::slice::from_ref(&outage) } else { &[] });
            assert!((refused(&downtime) - 600.0).abs() < 0.001, "{day}: {}", refused(&downtime));
        }
    }

    #[test]
    fn a_year_begins_at_nothing() {
        let (eve, mut downtime) = (at("2026-12-31T23:00:00Z"), Downtime::default());
        let outage = [vec![down(eve, -10, 70, Some(REFUSED))]];
        let window = downtime.unsettled(eve);
        downtime.count(&window, &outage);
        assert!((refused(&downtime) - 600.0).abs() < 0.001);
        let window = downtime.unsettled(at("2027-01-01T00:30:00Z"));
        downtime.count(&window, &outage);
        assert!((refused(&downtime) - 600.0).abs() < 0.001, "ten minutes of the new year: {}", refused(&downtime));
    }
}
