//! Calendar months of the page's time zone, from local midnight to local midnight: where clocks change one is an
//! hour longer or shorter.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

/// The months that can be asked for.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2200;

/// A calendar month: its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

impl Month {
    /// The month of a time.
    pub fn of(time: Timestamp, zone: &TimeZone) -> Self {
        Self(time.to_zoned(zone.clone()).date().first_of_month())
    }

    /// `2026-11`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return None;
        }
        let date = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
        Some(Self(date)).filter(|month| month.can_be_asked_for())
    }

    /// Whether there is an address for it.
    pub fn can_be_asked_for(self) -> bool {
        YEARS.contains(&self.0.year())
    }

    /// When it begins and when the next one does. Where midnight is skipped, that is the first moment after it.
    pub fn bounds(self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let begins = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
        Some((begins(self.0)?, begins(self.next().0)?))
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1.month()))
    }

    /// The one before it.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1.month()))
    }

    /// As it is written in the address.
    pub fn name(self) -> String {
        self.0.strftime("%Y-%m").to_string()
    }

    /// `November 2026`
    pub fn words(self) -> String {
        self.0.strftime("%B %Y").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_four_digits_and_two() {
        let month = Month::parse("2026-12").unwrap();
        assert_eq!((month.name(), month.words()), ("2026-12".to_owned(), "December 2026".to_owned()));
        assert_eq!((month.next().name(), month.previous().name()), ("2027-01".to_owned(), "2026-11".to_owned()));
        for wrong in
            ["", "2026", "2026-13", "2026-00", "26-01", "2026-1", "2026-01-01", "1999-12", "2201-01", "+026-01"]
        {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
        assert!(!Month::parse("2200-12").unwrap().next().can_be_asked_for());
    }

    #[test]
    fn a_month_begins_at_local_midnight() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (from, to) = Month::parse("2026-10").unwrap().bounds(&zone).unwrap();
        assert_eq!(from.to_string(), "2026-09-30T22:00:00Z");
        assert_eq!(to.to_string(), "2026-10-31T23:00:00Z");
        assert_eq!(to.duration_since(from).as_hours(), 31 * 24 + 1);
    }
}
