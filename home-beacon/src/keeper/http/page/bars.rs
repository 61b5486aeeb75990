//! Ninety days of a component: a bar for each day, in words too, and its uptime over four stretches. Pure.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use shared::verdict::Verdict;

use crate::keeper::{
    history::{Day, Outage, Record, Segment, State, Tally, days, outages, segments, start},
    length::length_words,
};

/// How many days are drawn.
pub(super) const DAYS: i32 = 90;

/// The stretches whose uptime is given: their names, and their lengths in hours.
pub(super) const STRETCHES: [(&str, i64); 4] =
    [("24 hours", 24), ("7 days", 7 * 24), ("30 days", 30 * 24), ("90 days", 90 * 24)];

/// How far back outages are listed one by one.
const OUTAGES: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The share of a day that nobody looked at above which its bar is grey, and above which it is marked as seen in part.
pub(super) const UNSEEN_DAY: f64 = 0.5;
const PARTLY_SEEN_DAY: f64 = 0.05;

pub(super) struct HistoryView {
    /// The oldest first.
    pub(super) bars: Vec<BarView>,
    pub(super) uptimes: Vec<UptimeView>,
    /// The days on which it was not simply up, the newest first.
    pub(super) notable: Vec<BarView>,
    /// The outages of the last days, the oldest first.
    pub(super) outages: Vec<Outage>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BarView {
    /// `2026-11-28`
    pub(super) date: String,
    /// `28 Nov 2026`
    pub(super) day: String,
    /// The style of the bar, which has a shape of its own: `up`, `partly` (up as far as anybody
    /// looked), `degraded`, `down`, `maintenance`, `unseen`.
    pub(super) class: &'static str,
    /// `Down 12 min (connection refused), not looked at 2 h`
    pub(super) words: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct UptimeView {
    pub(super) stretch: &'static str,
    /// `99.95 %`; `None` where no time counts.
    pub(super) uptime: Option<String>,
    /// `2.1 %`; `None` where somebody looked all the time.
    pub(super) unseen: Option<String>,
    /// What both are made of.
    pub(super) tally: Tally,
}

/// What the page shows of a component's past.
pub(super) fn history(record: &Record<'_>, now: Timestamp, zone: &TimeZone) -> HistoryView {
    let to = now.as_millisecond();
    let longest = STRETCHES.iter().map(|(_, hours)| hours * 3_600_000).max().unwrap_or_default();
    let segments = segments(record, start(now, zone, DAYS).min(to - longest)..to);
    // From the first look on: before it, there was nothing that could have been seen.
    let since = began(record, &segments);
    let bars: Vec<BarView> = days(&segments, now, zone, DAYS).iter().map(bar).collect();
    let notable = bars.iter().rev().filter(|bar| !matches!(bar.class, "up" | "unseen")).cloned().collect();
    let uptimes = STRETCHES.iter().map(|&(stretch, hours)| {
        let from = now.as_millisecond() - SignedDuration::from_hours(hours).as_secs() * 1000;
        UptimeView::new(stretch, &Tally::within(&segments, &(from.max(since)..to)))
    });
    let recent = to - OUTAGES.as_secs() * 1000;
    let outages = outages(&segments).into_iter().filter(|outage| outage.to > recent).collect();
    HistoryView { uptimes: uptimes.collect(), notable, outages, bars }
}

/// When the first thing was known.
fn began(record: &Record<'_>, segments: &[Segment]) -> i64 {
    let first = record.looks.iter().map(|look| look.began).min();
    let known = || segments.iter().find(|segment| segment.state != State::NotLookedAt).map(|segment| segment.from);
    first.filter(|_| record.needs_looks).or_else(known).unwrap_or(i64::MAX)
}

fn bar(day: &Day) -> BarView {
    let tally = &day.tally;
    let class = if tally.down > 0 {
        "down"
    } else if tally.degraded > 0 {
        "degraded"
    } else if tally.maintenance > 0 {
        "maintenance"
    } else if tally.unseen().is_none_or(|unseen| unseen > UNSEEN_DAY) {
        "unseen"
    } else if tally.unseen().is_some_and(|unseen| unseen > PARTLY_SEEN_DAY) {
        "partly"
    } else {
        "up"
    };
    BarView { date: day.date.to_string(), day: day.date.strftime("%-d %b %Y").to_string(), class, words: words(day) }
}

fn words(day: &Day) -> String {
    let tally = &day.tally;
    let causes = |wanted: fn(&Verdict) -> bool| {
        let named: Vec<&str> = day.causes.iter().map(|(verdict, _)| *verdict).filter(wanted).map(short).collect();
        if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
    };
    let down = causes(|verdict| !verdict.answers());
    let degraded = causes(|verdict| verdict.answers());
    let parts = [
        (tally.down, "down", down),
        (tally.degraded, "degraded", degraded),
        (tally.maintenance, "under maintenance", String::new()),
        (tally.not_looked_at, "not looked at", String::new()),
        (tally.up, "up", String::new()),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(length, _, _)| *length > 0)
        .map(|(length, what, why)| format!("{what} {}{why}", length_words(length)))
        .collect();
    let mut words = said.join(", ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if words.is_empty() { "Nothing yet".into() } else { words }
}

/// A cause in two or three words.
fn short(verdict: Verdict) -> &'static str {
    match verdict.cause() {
        Some("slow") => "slow to be reached",
        Some("certificate_ends") => "certificate ends soon",
        Some("certificate") => "certificate not valid",
        Some("only_name_service" | "name_service") => "name service",
        Some("late") => "heartbeats late",
        Some("inbound") => "could not be reached, and had internet",
        Some("silent") => "no heartbeat",
        Some("heartbeats") => "the way of heartbeats",
        Some("impostor") => "another beacon answered",
        Some("unproven") => "something else answered",
        Some("unexpected") => "answered not as expected",
        Some("refused") => "connection refused",
        Some("reset") => "connection broken off",
        Some("tls") => "no secure connection",
        Some("unreachable") => "no answer",
        Some("name") => "name does not exist",
        _ => "cause not known",
    }
}

impl UptimeView {
    fn new(stretch: &'static str, tally: &Tally) -> Self {
        let unseen = tally.unseen().filter(|share| *share > 0.0).map(|share| percent(share, 1, f64::ceil));
        // Rounded down: 100 % is said only where there was no second of downtime.
        let uptime = tally.uptime().map(|share| percent(share, 3, f64::floor));
        Self { stretch, uptime, unseen, tally: *tally }
    }
}

/// With up to so many decimals, as many as it takes.
pub(in crate::keeper::http) fn percent(share: f64, decimals: i32, round: fn(f64) -> f64) -> String {
    let scale = 10_f64.powi(decimals);
    // What is 97.2 % by arithmetic must not become 97.199 % by the last bit of a number.
    let shown = round((share * 100.0 * scale * 1e6).round() / 1e6) / scale;
    let written = format!("{shown:.3}");
    format!("{} %", written.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use shared::{statuspage::ComponentStatus, verdict::DownCause};

    use super::*;
    use crate::keeper::history::Look;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    fn shown(looks: &[Look]) -> HistoryView {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let statuses = [(0, Some(ComponentStatus::Operational))];
        let record = Record { statuses: &statuses, looks, needs_looks: true };
        history(&record, now, &TimeZone::UTC)
    }

    /// Hours before now.
    fn look(began: i64, ended: i64, verdict: Verdict) -> Look {
        let now = "2026-11-28T12:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        Look { began: now - began * HOUR, ended: now - ended * HOUR, verdict: Some(verdict), place: 0 }
    }

    #[test]
    fn a_component_that_nobody_ever_looked_at_has_no_uptime() {
        let shown = shown(&[]);
        assert_eq!((shown.bars.len(), shown.notable.len()), (90, 0));
        assert!(shown.bars.iter().all(|bar| bar.class == "unseen"));
        assert!(shown.uptimes.iter().all(|uptime| uptime.uptime.is_none()));
        assert_eq!(shown.bars[89].words, "Not looked at 12 h");
    }

    #[test]
    fn an_outage_of_yesterday_is_on_its_day_and_in_the_uptime() {
        let down = Verdict::Down(DownCause::Refused);
        let shown = shown(&[look(48, 30, Verdict::Up), look(30, 29, down), look(29, 0, Verdict::Up)]);
        let day = &shown.notable[0];
        assert_eq!((day.day.as_str(), day.class), ("27 Nov 2026", "down"));
        assert_eq!(day.words, "Down 1 h (connection refused), up 23 h");
        let said: Vec<_> = shown.uptimes.iter().map(|it| (it.stretch, it.uptime.as_deref(), &it.unseen)).collect();
        assert_eq!(said[0], ("24 hours", Some("100 %"), &None));
        assert_eq!(said[1], ("7 days", Some("97.916 %"), &None), "counted from the first look on");
    }

    #[test]
    fn what_nobody_looked_at_stands_beside_the_uptime() {
        let shown = shown(&[look(20, 10, Verdict::Up)]);
        let day = &shown.uptimes[0];
        assert_eq!(day.uptime.as_deref(), Some("100 %"));
        assert_eq!(day.unseen.as_deref(), Some("49.6 %"), "ten hours less the five minutes that a look speaks for");
        assert_eq!(shown.bars[89].class, "unseen", "ten of the day's twelve hours");
    }

    #[test]
    fn a_day_that_was_seen_in_part_is_marked_and_listed() {
        let shown = shown(&[look(80, 33, Verdict::Up), look(30, 0, Verdict::Up)]);
        assert_eq!((shown.bars[88].class, shown.bars[89].class), ("partly", "up"));
        assert_eq!(shown.notable[0].words, "Not looked at 2 h 55 min, up 21 h 5 min");
    }

    #[test]
    fn uptime_is_never_rounded_up_to_all() {
        for (share, written) in [
            (1.0, "100 %"),
            (0.999_999, "99.999 %"),
            (0.972, "97.2 %"),
            (0.5, "50 %"),
            (0.123_456_7, "12.345 %"),
            (0.0, "0 %"),
        ] {
            assert_eq!(percent(share, 3, f64::floor), written);
        }
        assert_eq!(percent(0.000_000_1, 1, f64::ceil), "0.1 %", "and what was not seen never down to nothing");
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3600, "1 h"),
            (3900, "1 h 5 min"),
            (86_400, "1 day"),
            (180_000, "2 days 2 h"),
        ] {
            assert_eq!(length_words(seconds * 1000), words);
        }
    }
}
