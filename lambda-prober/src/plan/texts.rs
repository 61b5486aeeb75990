//! The texts of incidents: short, plain, and for the page's readers, so they hold no address and no host name.

use std::{fmt::Write as _, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use crate::judge::verdict::DownCause;

/// In characters; statuspage.io takes 255.
const MAX_NAME: usize = 200;

/// The name of an incident about these components.
pub(super) fn name(components: &[&str]) -> String {
    let name = format!("{} not reachable", these(components));
    if name.chars().count() <= MAX_NAME { name } else { format!("{} homes are not reachable", components.len()) }
}

/// `Home is`, `Home and Cabin are`, `Home, Cabin and 3 more are`.
pub(crate) fn these(names: &[&str]) -> String {
    match names {
        [] => "Home is".into(),
        [one] => format!("{one} is"),
        [one, other] => format!("{one} and {other} are"),
        [one, other, rest @ ..] => format!("{one}, {other} and {} more are", rest.len()),
    }
}

/// Why a home is not reachable, as its page's readers may know it.
pub(super) const fn why(cause: DownCause) -> &'static str {
    match cause {
        DownCause::Inbound => "It has power and internet, but cannot be reached from outside.",
        DownCause::Impostor => {
            "Another beacon answers at its address. If your address just changed, this clears within minutes."
        }
        DownCause::Unproven => {
            "Something else answers in its place: a proxy or tunnel that does not reach it, a router's own page, or \
             another machine if its address just changed."
        }
        DownCause::Unexpected => "It answers, but not as it should.",
        DownCause::Refused => {
            "Its address answers, but the port is closed: the beacon is stopped, the port is no longer forwarded, or the \
             address is now that of another line."
        }
        DownCause::Reset => "Connections are accepted, but reset, or left without an answer.",
        DownCause::Tls => "Connections are accepted, but no secure one can be made.",
        DownCause::Unreachable => "Nothing answers: the line or the power is cut.",
        DownCause::Name => "Its name does not exist any more.",
        DownCause::Silent => "Nothing is heard of it any more: the line or the power is cut.",
    }
}

/// A time in the page's zone: `14:03 CET`, with the day where it is not today's.
pub(super) fn time(time: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (then, now) = (time.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = if then.date() == now.date() { "%H:%M %Z" } else { "%-d %B %H:%M %Z" };
    then.strftime(format).to_string()
}

/// How long, to the nearest minute: `less than a minute`, `1 minute`, `2 hours 5 minutes`, `1 day 3 hours`.
pub(crate) fn length(length: Duration) -> String {
    let minutes = (length.as_secs() + 30) / 60;
    let units = [(minutes / 1440, "day"), (minutes / 60 % 24, "hour"), (minutes % 60, "minute")];
    let mut text = String::new();
    let shown = units.iter().skip_while(|(number, _)| *number == 0).take(2).filter(|(number, _)| *number > 0);
    for (number, unit) in shown {
        let (gap, plural) = (if text.is_empty() { "" } else { " " }, if *number == 1 { "" } else { "s" });
        let _ = write!(text, "{gap}{number} {unit}{plural}");
    }
    if text.is_empty() { "less than a minute".into() } else { text }
}

/// A page's time zone: an IANA name, or one of those that Rails has, most of which are an IANA zone's city. Anything
/// else is taken for UTC.
pub(crate) fn zone(name: Option<&str>) -> TimeZone {
    let name = name.unwrap_or("UTC");
    let known = RAILS.iter().find(|(rails, _)| *rails == name).map_or(name, |(_, iana)| iana);
    let city = || {
        let city = format!("/{}", known.replace(' ', "_"));
        let zone = jiff::tz::db().available().find(|zone| zone.as_str().ends_with(&city))?;
        TimeZone::get(zone.as_str()).ok()
    };
    TimeZone::get(known).ok().or_else(city).unwrap_or(TimeZone::UTC)
}

/// Rails' names that are no city of an IANA zone, those of the most people.
const RAILS: [(&str, &str); 14] = [
    ("Hawaii", "Pacific/Honolulu"),
    ("Alaska", "America/Anchorage"),
    ("Pacific Time (US & Canada)", "America/Los_Angeles"),
    ("Arizona", "America/Phoenix"),
    ("Mountain Time (US & Canada)", "America/Denver"),
    ("Central Time (US & Canada)", "America/Chicago"),
    ("Eastern Time (US & Canada)", "America/New_York"),
    ("Atlantic Time (Canada)", "America/Halifax"),
    ("Brasilia", "America/Sao_Paulo"),
    ("Edinburgh", "Europe/London"),
    ("Bern", "Europe/Zurich"),
    ("Mumbai", "Asia/Kolkata"),
    ("New Delhi", "Asia/Kolkata"),
    ("Beijing", "Asia/Shanghai"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units() {
        for (seconds, text) in [
            (0, "less than a minute"),
            (29, "less than a minute"),
            (30, "1 minute"),
            (105, "2 minutes"),
            (14 * 60 + 29, "14 minutes"),
            (7_500, "2 hours 5 minutes"),
            (86_400, "1 day"),
            (86_400 + 3 * 3_600 + 60, "1 day 3 hours"),
            (86_400 + 120, "1 day"),
        ] {
            assert_eq!(length(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn times_are_those_of_the_page_s_zone_with_the_day_where_it_is_another() {
        let time_of = |text: &str| text.parse::<Timestamp>().unwrap();
        let (then, now) = (time_of("2026-11-21T22:55:00Z"), time_of("2026-11-21T23:30:00Z"));
        assert_eq!(time(then, now, &zone(Some("UTC"))), "22:55 UTC");
        assert_eq!(time(then, now, &zone(Some("Europe/Berlin"))), "21 November 23:55 CET");
        assert_eq!(time(then, now, &zone(Some("Tokyo"))), "07:55 JST");
        assert_eq!(zone(Some("Nowhere (at all)")), TimeZone::UTC);
        for (rails, iana) in [("Rome", "Europe/Rome"), ("Hong Kong", "Asia/Hong_Kong"), ("Hawaii", "Pacific/Honolulu")]
        {
            assert_eq!(zone(Some(rails)), TimeZone::get(iana).unwrap());
        }
        assert!(RAILS.iter().all(|(_, iana)| TimeZone::get(iana).is_ok()));
    }

    #[test]
    fn names_are_those_of_the_components() {
        assert_eq!(name(&["Home"]), "Home is not reachable");
        assert_eq!(name(&["Home", "Cabin"]), "Home and Cabin are not reachable");
        assert_eq!(name(&["a", "b", "c", "d"]), "a, b and 2 more are not reachable");
        assert_eq!(name(&[&"x".repeat(300), "b"]), "2 homes are not reachable");
    }
}
