//! Property tests: what [`segments`](super::segments) and [`days`](super::days) say is what a count second by second says.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use proptest::prelude::*;
use shared::{
    statuspage::ComponentStatus,
    verdict::{DegradedCause, DownCause, UnknownCause, Verdict},
};

use super::{COVERED_BY_A_LOOK, Look, Month, Record, State, Stretch, Tally, days, days::start, segments};

const SECOND: i64 = 1000;

/// What a component was at a time, found without any cleverness.
fn at(time: i64, record: &Record<'_>) -> State {
    let status = record.statuses.iter().rfind(|(since, _)| *since <= time).and_then(|(_, status)| *status);
    if status == Some(ComponentStatus::UnderMaintenance) {
        return State::Maintenance;
    }
    let by_status = match status {
        Some(ComponentStatus::Operational) => State::Up,
        Some(ComponentStatus::DegradedPerformance) => State::Degraded,
        Some(_) => State::Down,
        None => State::NotLookedAt,
    };
    if !record.needs_looks {
        return by_status;
    }
    let mut latest: BTreeMap<u32, Look> = BTreeMap::new();
    for look in record.looks.iter().filter(|look| look.began <= time) {
        let before = latest.get(&look.place).map_or(i64::MIN, |before| before.began);
        if look.began > before {
            latest.insert(look.place, *look);
        }
    }
    let speaking: Vec<Look> = latest
        .into_values()
        .filter(|look| time < look.ended + COVERED_BY_A_LOOK && !matches!(look.verdict, Some(Verdict::Unknown(_))))
        .collect();
    if speaking.is_empty() {
        return State::NotLookedAt;
    }
    let verdicts: Vec<Verdict> = speaking.iter().filter_map(|look| look.verdict).collect();
    let down = verdicts.iter().filter(|verdict| !verdict.answers()).count();
    if verdicts.is_empty() {
        by_status
    } else if down == verdicts.len() {
        State::Down
    } else if down > 0 || !verdicts.contains(&Verdict::Up) {
        State::Degraded
    } else {
        State::Up
    }
}

fn any_verdict() -> impl Strategy<Value = Option<Verdict>> {
    prop_oneof![
        4 => Just(Some(Verdict::Up)),
        2 => Just(Some(Verdict::Down(DownCause::Unreachable))),
        1 => Just(Some(Verdict::Down(DownCause::Refused))),
        1 => Just(Some(Verdict::Degraded(DegradedCause::Slow))),
        1 => Just(Some(Verdict::Unknown(UnknownCause::Blind))),
        1 => Just(None),
    ]
}

fn any_status() -> impl Strategy<Value = Option<ComponentStatus>> {
    prop_oneof![1 => Just(None), 6 => proptest::sample::select(&ComponentStatus::ALL[..]).prop_map(Some)]
}

/// Looks of one place: pauses and lengths, in seconds.
fn any_looks(place: u32, seconds: i64) -> impl Strategy<Value = Vec<Look>> {
    let one = (1..seconds / 4, 0..seconds / 6, any_verdict());
    proptest::collection::vec(one, 0..8).prop_map(move |drawn| {
        let mut time = 0;
        let look = |(pause, length, verdict): (i64, i64, Option<Verdict>)| {
            let began = time + pause * SECOND;
            time = began + length * SECOND;
            Look { began, ended: time, verdict, place }
        };
        drawn.into_iter().map(look).collect()
    })
}

fn any_statuses(seconds: i64) -> impl Strategy<Value = Vec<(i64, Option<ComponentStatus>)>> {
    proptest::collection::btree_map(0..seconds, any_status(), 0..6)
        .prop_map(|drawn| drawn.into_iter().map(|(at, status)| (at * SECOND, status)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn each_second_is_what_it_was(
        statuses in any_statuses(4000), here in any_looks(0, 4000), there in any_looks(7, 4000),
        needs_looks in any::<bool>(), from in 0..1000_i64,
    ) {
        let looks = [here, there].concat();
        let record = Record { statuses: &statuses, looks: &looks, needs_looks };
        let window = from * SECOND..4000 * SECOND;
        let segments = segments(&record, window.clone());
        prop_assert_eq!(segments.first().map(|it| it.from), Some(window.start));
        prop_assert_eq!(segments.last().map(|it| it.to), Some(window.end));
        prop_assert!(segments.windows(2).all(|pair| pair[0].to == pair[1].from));
        for segment in &segments {
            for second in segment.from / SECOND..segment.to / SECOND {
                prop_assert_eq!(segment.state, at(second * SECOND, &record), "second {}", second);
            }
        }
    }
}

/// When clocks change, and where: at midnight, by half an hour, twice in a night's count.
const CHANGES: [(&str, &str); 6] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("America/Santiago", "2026-04-05T03:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Asia/Kolkata", "2026-11-28T00:00:00Z"),
];

/// Each day is counted in steps of so many seconds, and everything happens at multiples of it.
const STEP: i64 = 10;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_day_has_the_time_that_its_zone_says(
        (zone, change) in proptest::sample::select(&CHANGES[..]), after in 1..20_000_i64, looks in any_looks(0, 20_000),
        needs_looks in any::<bool>(),
    ) {
        let (zone, change): (_, Timestamp) = (TimeZone::get(zone).unwrap(), change.parse().unwrap());
        let now = Timestamp::from_second(change.as_second() / STEP * STEP + after * STEP).unwrap();
        let from = start(now, &zone, 3);
        let moved = |time: i64| from + time * STEP;
        let looks: Vec<Look> =
            looks.into_iter().map(|look| Look { began: moved(look.began), ended: moved(look.ended), ..look }).collect();
        let statuses = [(from, Some(ComponentStatus::Operational))];
        let record = Record { statuses: &statuses, looks: &looks, needs_looks };
        let segments = segments(&record, from..now.as_millisecond());
        let days = days(&segments, now, &zone, 3);
        let mut counted: BTreeMap<_, Tally> = days.iter().map(|day| (day.date, Tally::default())).collect();
        for step in from / SECOND / STEP..now.as_second() / STEP {
            let date = Timestamp::from_second(step * STEP).unwrap().to_zoned(zone.clone()).date();
            let tally = counted.get_mut(&date).expect("one of the days");
            *match at(step * STEP * SECOND, &record) {
                State::Up => &mut tally.up,
                State::Degraded => &mut tally.degraded,
                State::Down => &mut tally.down,
                State::Maintenance => &mut tally.maintenance,
                State::NotLookedAt => &mut tally.not_looked_at,
            } += STEP * SECOND;
        }
        for day in &days {
            prop_assert_eq!(day.tally, counted[&day.date], "{}", day.date);
            let explained: i64 = day.causes.iter().map(|(_, length)| length).sum();
            prop_assert!(explained <= day.tally.down + day.tally.degraded);
        }
    }
}

/// A month is counted in steps of so many seconds.
const LONG_STEP: i64 = 600;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_month_is_counted_right_where_clocks_change(
        (zone, change) in proptest::sample::select(&CHANGES[..]),
        looks in any_looks(0, 35 * 86_400 / LONG_STEP),
        maintenance in proptest::option::of(0..35 * 86_400 / LONG_STEP),
        until in 0..40 * 86_400 / LONG_STEP,
    ) {
        let (zone, change): (_, Timestamp) = (TimeZone::get(zone).unwrap(), change.parse().unwrap());
        let month = Month::of(change, &zone);
        let (from, to) = month.bounds(&zone).unwrap();
        // Two days before the month, so that something reaches over its edge.
        let began = from.as_second() - 2 * 86_400;
        let moved = |time: i64| (began + time / SECOND * LONG_STEP) * SECOND;
        // Looks ten minutes apart at least: each span is stretched, and speaks for five minutes after its end.
        let looks: Vec<Look> =
            looks.into_iter().map(|look| Look { began: moved(look.began), ended: moved(look.ended), ..look }).collect();
        let mut statuses = vec![(began * SECOND, Some(ComponentStatus::Operational))];
        statuses.extend(maintenance.map(|at| (moved(at * SECOND), Some(ComponentStatus::UnderMaintenance))));
        statuses.dedup_by_key(|(since, _)| *since);
        let record = Record { statuses: &statuses, looks: &looks, needs_looks: true };
        let now = (began + until * LONG_STEP).min(to.as_second() + 86_400);
        let window = from.as_millisecond()..to.as_millisecond().min(now * SECOND);
        let first = looks.iter().map(|look| look.began).min();
        let stretch = Stretch::new(&segments(&record, began * SECOND..now * SECOND), &window, first);
        let mut counted = Tally::default();
        let (mut before, half) = (0, COVERED_BY_A_LOOK);
        // In halves of a step, because a look speaks for as long as that.
        for time in (began * SECOND..now * SECOND).step_by(usize::try_from(half).unwrap()) {
            let of = Timestamp::from_millisecond(time).unwrap();
            if Month::of(of, &zone) != month {
                continue;
            }
            if first.is_none_or(|first| time < first) {
                before += half;
                continue;
            }
            *match at(time, &record) {
                State::Up => &mut counted.up,
                State::Degraded => &mut counted.degraded,
                State::Down => &mut counted.down,
                State::Maintenance => &mut counted.maintenance,
                State::NotLookedAt => &mut counted.not_looked_at,
            } += half;
        }
        prop_assert_eq!((stretch.tally, stretch.before), (counted, before));
        let down: i64 = stretch.outages.iter().map(|outage| outage.down).sum();
        prop_assert_eq!(down, counted.down, "every second of downtime is in exactly one outage");
        for outage in &stretch.outages {
            prop_assert!(window.start <= outage.within.start && outage.within.end <= window.end);
            prop_assert_eq!(outage.began_before(), outage.whole.from < window.start);
            prop_assert!(outage.length() > 0 && outage.down <= outage.length());
        }
    }

    #[test]
    fn months_follow_each_other_without_a_gap(
        (zone, _) in proptest::sample::select(&CHANGES[..]), year in 2000_i16..=2200, number in 1_i8..=12,
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let month = Month::parse(&format!("{year:04}-{number:02}")).unwrap();
        let (from, to) = month.bounds(&zone).unwrap();
        prop_assert_eq!(month.next().bounds(&zone).unwrap().0, to);
        prop_assert_eq!(Month::of(from, &zone), month);
        prop_assert_eq!(Month::of(to.checked_sub(1.nanosecond()).unwrap(), &zone), month);
        prop_assert_eq!(Month::of(to, &zone), month.next());
    }
}
