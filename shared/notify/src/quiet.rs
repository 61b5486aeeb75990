//! Quiet hours: when nobody is to be written to. Pure.

use std::str::FromStr;

use jiff::{Timestamp, civil::Time, tz::TimeZone};

/// A part of each day, by the clocks of a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    from: Time,
    to: Time,
    /// `None` where it was written without one.
    zone: Option<TimeZone>,
}

impl Quiet {
    /// With that zone, unless it was written with one of its own.
    #[must_use]
    pub fn in_zone(self, zone: &TimeZone) -> Self {
        Self { zone: self.zone.or_else(|| Some(zone.clone())), ..self }
    }

    /// Whether it was written with a time zone.
    pub const fn has_zone(&self) -> bool {
        self.zone.is_some()
    }

    /// Whether that time is in them; without a zone it is taken as UTC.
    pub fn holds(&self, at: Timestamp) -> bool {
        let time = at.to_zoned(self.zone.clone().unwrap_or(TimeZone::UTC)).time();
        if self.from < self.to { (self.from..self.to).contains(&time) } else { time >= self.from || time < self.to }
    }
}

/// `22:00-07:00`, and perhaps a zone of the IANA database after a space.
impl FromStr for Quiet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (hours, zone) = match text.trim().split_once(' ') {
            Some((hours, zone)) => (hours, Some(zone.trim())),
            None => (text.trim(), None),
        };
        let wrong = || "quiet hours are written 22:00-07:00, or with a time zone, 22:00-07:00 Europe/Berlin".to_owned();
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (time(from).ok_or_else(wrong)?, time(to).ok_or_else(wrong)?);
        if from == to {
            return Err("quiet hours that end when they begin are none: leave them out".into());
        }
        let known = |zone: &str| {
            let known = TimeZone::get(zone).ok().filter(|_| zone.contains('/') || zone == "UTC");
            known.ok_or_else(|| {
                format!("the time zone `{}` is not known: write it like Europe/Berlin", zone.escape_debug())
            })
        };
        Ok(Self { from, to, zone: zone.map(known).transpose()? })
    }
}

/// `7:00` or `07:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    if minute.len() != 2 {
        return None;
    }
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(quiet: &str, at: &str) -> bool {
        quiet.parse::<Quiet>().unwrap().holds(at.parse().unwrap())
    }

    #[test]
    fn they_may_go_over_midnight_and_end_before_their_end() {
        for (at, expected) in
            [("20:59:59", false), ("21:00:00", true), ("23:30:00", true), ("05:59:59", true), ("06:00:00", false)]
        {
            assert_eq!(holds("22:00-07:00 Europe/Berlin", &format!("2026-11-29T{at}Z")), expected, "{at}");
        }
        assert!(holds("12:00-13:30", "2026-11-29T13:29:59Z") && !holds("12:00-13:30", "2026-11-29T11:59:59Z"));
    }

    #[test]
    fn they_follow_a_change_of_clocks() {
        // In Berlin it is 07:00 at 05:00Z in summer, from 2026-03-29 on.
        assert!(holds("22:00-07:00 Europe/Berlin", "2026-03-28T05:30:00Z"));
        assert!(!holds("22:00-07:00 Europe/Berlin", "2026-03-29T05:30:00Z"));
    }

    #[test]
    fn a_zone_is_its_own_or_that_of_the_page() {
        let quiet: Quiet = "7:00-8:00".parse().unwrap();
        assert!(!quiet.has_zone());
        let zoned = quiet.in_zone(&TimeZone::get("Asia/Kathmandu").unwrap());
        assert!(zoned.holds("2026-11-29T01:15:00Z".parse().unwrap()));
        let own: Quiet = "7:00-8:00 UTC".parse().unwrap();
        assert!(own.clone().in_zone(&TimeZone::get("Asia/Kathmandu").unwrap()) == own);
    }

    #[test]
    fn what_are_none_are_refused_in_a_sentence() {
        for (text, expected) in [
            ("22-7", "22:00-07:00"),
            ("22:00", "22:00-07:00"),
            ("22:00-24:00", "22:00-07:00"),
            ("22:0-07:00", "22:00-07:00"),
            ("+2:00-07:00", "22:00-07:00"),
            ("07:00-7:00", "leave them out"),
            ("22:00-07:00 Berlin", "`Berlin` is not known"),
            ("22:00-07:00 Europe/Nowhere", "not known"),
        ] {
            let wrong = text.parse::<Quiet>().unwrap_err();
            assert!(wrong.contains(expected), "{text}: {wrong}");
        }
    }
}
