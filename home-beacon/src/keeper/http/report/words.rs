//! What a report says in words: times with their offset, causes as a provider's hotline knows them, beginnings
//! and ends.

use jiff::{Timestamp, tz::TimeZone};
use shared::verdict::{DownCause, Verdict};

use super::{
    super::page::length_words,
    read::{Listed, OfComponent, Report},
};
use crate::keeper::{
    history::{Beginning, Ending, Month, kinds::Evidence},
    looks::checked::CHECKS,
};

/// `2026-11-03T14:05:10+01:00`
pub(super) fn machine(millis: i64, zone: &TimeZone) -> String {
    written(millis, zone, "%Y-%m-%dT%H:%M:%S%:z")
}

/// `3 Nov 2026, 14:05:10 +01:00`
pub(super) fn time(millis: i64, zone: &TimeZone) -> String {
    written(millis, zone, "%-d %b %Y, %H:%M:%S %:z")
}

/// A time of a month's report: without the year where it is that month.
pub(super) fn time_of(month: Month, millis: i64, zone: &TimeZone) -> String {
    let is_within = Timestamp::from_millisecond(millis).is_ok_and(|time| Month::of(time, zone) == month);
    if is_within { written(millis, zone, "%-d %b, %H:%M:%S %:z") } else { time(millis, zone) }
}

fn written(millis: i64, zone: &TimeZone, format: &str) -> String {
    let time = Timestamp::from_millisecond(millis).unwrap_or_default();
    time.to_zoned(zone.clone()).strftime(format).to_string()
}

/// Why, as a provider's hotline understands it.
pub(super) const fn cause(verdict: Option<Verdict>) -> Option<&'static str> {
    match verdict {
        Some(Verdict::Down(cause)) => Some(match cause {
            DownCause::Unreachable => {
                "No answer: connections to the home's address timed out, or were reported unreachable."
            }
            DownCause::Refused => "The address answered, but refused the connection: the port was closed.",
            DownCause::Reset => "Connections were opened, and broken off or left without an answer.",
            DownCause::Tls => "Connections were opened, but no TLS handshake came about.",
            DownCause::Name => "The home's name did not exist in the DNS.",
            DownCause::Impostor => "Another beacon answered at the home's address.",
            DownCause::Unproven => "Something else than the home answered at its address.",
            DownCause::Unexpected => "The address answered, but not as expected of it.",
            DownCause::Inbound => "The home reached the world, and could not be reached from outside.",
            DownCause::Silent => "No heartbeat came from the home.",
        }),
        Some(verdict) => Some(verdict.sentence()),
        None => None,
    }
}

/// Who saw an outage.
pub(super) fn seen_from(component: &OfComponent, listed: &Listed) -> String {
    match (component.is_looked_at, &listed.seen_from[..]) {
        (false, _) => "As reported by this home.".into(),
        (true, []) => "As the page said while somebody looked.".into(),
        (true, [location]) if location == CHECKS => "Seen by its check.".into(),
        (true, locations) => format!("Seen from the cloud ({}).", locations.join(", ")),
    }
}

/// What the home's own records say of an outage of that length.
pub(super) fn at_home(evidence: Evidence, listed: &Listed) -> String {
    let (sentence, whole) = (evidence.kind.sentence(), listed.clipped.whole.length());
    if evidence.unrecorded == 0 || evidence.unrecorded >= whole {
        return sentence.to_owned();
    }
    let parts = [evidence.unrecorded, whole].map(length_words);
    format!("{sentence} Of these {} nothing was recorded there for {}.", parts[1], parts[0])
}

/// Why it was down as both sides have it, else what the home's own records say.
pub(super) fn why(listed: &Listed) -> Option<String> {
    let known = listed.inside.as_ref().map(|inside| inside.sentence().to_owned());
    known.or_else(|| listed.at_home.map(|evidence| at_home(evidence, listed)))
}

/// The same for machines.
pub(super) fn why_label(listed: &Listed) -> &'static str {
    let known = listed.inside.as_ref().map(|inside| inside.kind.label());
    known.or_else(|| listed.at_home.map(|evidence| evidence.kind.label())).unwrap_or_default()
}

/// Whether an outage reaches further than the report can tell, and how it ended: for machines.
pub(super) const fn ending(report: &Report, listed: &Listed) -> &'static str {
    match listed.clipped.whole.ending {
        Ending::Seen => "seen",
        Ending::Maintenance => "maintenance",
        Ending::Unseen => "unseen",
        Ending::Ongoing if listed.clipped.whole.to < report.as_of => "later",
        Ending::Ongoing => "ongoing",
    }
}

/// What is known of its beginning: for machines.
pub(super) const fn beginning(listed: &Listed) -> &'static str {
    match listed.clipped.beginning {
        Beginning::Seen => "seen",
        Beginning::Unseen => "unseen",
        Beginning::Earlier => "earlier",
    }
}

/// What there is to say of its beginning, beside the time.
pub(super) fn began(report: &Report, component: &OfComponent, listed: &Listed) -> Option<String> {
    let at = time_of(report.month, listed.clipped.whole.from, &report.zone);
    let before = listed.clipped.began_before();
    match (listed.clipped.beginning, component.is_looked_at) {
        (Beginning::Seen, _) => before.then(|| format!("began before this month: {at}")),
        (Beginning::Earlier, _) => Some(format!("began before this month: {at} or earlier")),
        (Beginning::Unseen, true) if before => {
            Some(format!("began before this month: seen first {at}, nobody had looked"))
        }
        (Beginning::Unseen, true) => Some("or earlier: nobody had looked".into()),
        (Beginning::Unseen, false) if before => Some(format!("began before this month: {at} or earlier, not recorded")),
        (Beginning::Unseen, false) => Some("or earlier: nothing was recorded".into()),
    }
}

/// How it ended, beside the time within the month.
pub(super) fn ended(report: &Report, component: &OfComponent, listed: &Listed) -> Option<String> {
    let at = time_of(report.month, listed.clipped.whole.to, &report.zone);
    let after = if listed.clipped.went_on() { format!("went on after this month, to {at}") } else { String::new() };
    let and = |what: &str| Some(if after.is_empty() { what.to_owned() } else { format!("{after}; {what}") });
    match (ending(report, listed), component.is_looked_at) {
        ("seen", _) => Some(after).filter(|after| !after.is_empty()),
        ("maintenance", _) => and("then somebody worked on it"),
        ("unseen", true) => and("end not seen: nobody looked any more"),
        ("unseen", false) => and("end not known: nothing was recorded"),
        ("later", _) => Some(format!("went on after this month, at least to {at}")),
        _ => Some("has not ended".into()),
    }
}

/// `12 min`, `at least 12 min`, `12 min so far`, `12 min in this month, at least 3 h in all`
pub(super) fn length(report: &Report, listed: &Listed) -> String {
    let clipped = &listed.clipped;
    let (part, whole) = (length_words(clipped.length()), length_words(clipped.whole.length()));
    let is_open = clipped.beginning != Beginning::Seen || !matches!(ending(report, listed), "seen" | "ongoing");
    let least = if is_open { "at least " } else { "" };
    let so_far = if ending(report, listed) == "ongoing" { " so far" } else { "" };
    if clipped.began_before() || clipped.went_on() {
        format!("{part} in this month, {least}{whole}{so_far} in all")
    } else {
        format!("{least}{part}{so_far}")
    }
}

/// A speed or a latency: as many decimals as it takes, one at most.
pub(super) fn number(value: f64) -> String {
    let written = format!("{value:.1}");
    written.strip_suffix(".0").map_or_else(|| written.clone(), str::to_owned)
}

/// How many were below: `12`, or `12 to 15` where only their hours are known.
pub(super) fn below((least, most): (i64, i64)) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_offset_of_their_day() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let month = Month::parse("2026-10").unwrap();
        for (time, words, machines) in [
            ("2026-10-25T00:30:00Z", "25 Oct, 02:30:00 +02:00", "2026-10-25T02:30:00+02:00"),
            ("2026-10-25T01:30:00Z", "25 Oct, 02:30:00 +01:00", "2026-10-25T02:30:00+01:00"),
            ("2026-11-01T00:00:00Z", "1 Nov 2026, 01:00:00 +01:00", "2026-11-01T01:00:00+01:00"),
        ] {
            assert_eq!((time_of(month, at(time), &zone), machine(at(time), &zone)), (words.into(), machines.into()));
        }
    }

    #[test]
    fn every_cause_of_downtime_has_words_of_its_own_that_address_nobody() {
        let all: std::collections::HashSet<_> =
            DownCause::ALL.into_iter().filter_map(|it| cause(Some(Verdict::Down(it)))).collect();
        assert_eq!(all.len(), DownCause::ALL.len());
        assert!(all.iter().all(|words| !words.contains("your")), "{all:?}");
        assert_eq!(cause(None), None);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([number(100.0), number(41.26), number(0.04)], ["100", "41.3", "0"].map(str::to_owned));
        assert_eq!([below((3, 3)), below((3, 5))], ["3", "3 to 5"].map(str::to_owned));
    }
}
