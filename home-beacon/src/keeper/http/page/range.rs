//! How far the page's graphs look back: 24 hours, 7 days or 30 days, and in which steps.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};

/// How far a graph looks back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Range {
    /// 24 hours in steps of 10 minutes.
    #[default]
    Day,
    /// 7 days in steps of an hour.
    Week,
    /// 30 days in steps of 4 hours.
    Month,
}

impl Range {
    pub(super) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// As a reader knows it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    pub(super) const fn length(self) -> SignedDuration {
        match self {
            Self::Day => SignedDuration::from_hours(24),
            Self::Week => SignedDuration::from_hours(7 * 24),
            Self::Month => SignedDuration::from_hours(30 * 24),
        }
    }

    pub(super) const fn step(self) -> SignedDuration {
        match self {
            Self::Day => SignedDuration::from_mins(10),
            Self::Week => SignedDuration::from_hours(1),
            Self::Month => SignedDuration::from_hours(4),
        }
    }

    /// Labels of the time axis between two times, at round local times, and when they are.
    pub(super) fn ticks(self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<(Timestamp, String)> {
        let (apart, format) = match self {
            Self::Day => (6.hours(), "%H:%M"),
            Self::Week => (1.day(), "%-d %b"),
            Self::Month => (7.days(), "%-d %b"),
        };
        let mut ticks = Vec::new();
        // By the clock on the wall, so that they stay round where clocks change.
        let mut local = from.to_zoned(zone.clone()).date().to_datetime(jiff::civil::Time::midnight());
        while let Ok(zoned) = local.to_zoned(zone.clone()) {
            let at = zoned.timestamp();
            if at >= to {
                break;
            }
            if at >= from {
                ticks.push((at, zoned.strftime(format).to_string()));
            }
            let Ok(next) = local.checked_add(apart) else { break };
            local = next;
        }
        ticks
    }

    /// The range that a query names; the day for whatever is no range.
    pub(super) fn of(name: &str) -> Self {
        Self::ALL.into_iter().find(|range| range.name() == name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(range: Range, to: &str) -> Vec<String> {
        let (to, zone): (Timestamp, _) = (to.parse().unwrap(), TimeZone::get("Europe/Berlin").unwrap());
        range.ticks(to - range.length(), to, &zone).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn labels_are_at_round_local_times_also_where_clocks_change() {
        assert_eq!(ticks(Range::Day, "2026-11-28T12:10:00Z"), ["18:00", "00:00", "06:00", "12:00"]);
        assert_eq!(ticks(Range::Day, "2026-03-29T16:00:00Z"), ["18:00", "00:00", "06:00", "12:00", "18:00"][..4]);
        assert_eq!(ticks(Range::Week, "2026-10-27T12:00:00Z").last().unwrap(), "27 Oct");
        assert_eq!(ticks(Range::Month, "2026-11-28T12:00:00Z").len(), 4);
    }

    #[test]
    fn what_is_no_range_is_the_day() {
        assert_eq!(Range::of("week"), Range::Week);
        for other in ["", "year", "Week"] {
            assert_eq!(Range::of(other), Range::Day, "{other}");
        }
    }
}
