use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::verdict::{DegradedCause, DownCause, UnknownCause};

use super::*;

const UP: Option<Verdict> = Some(Verdict::Up);
const SLOW: Option<Verdict> = Some(Verdict::Degraded(DegradedCause::Slow));
const DOWN: Option<Verdict> = Some(Verdict::Down(DownCause::Unreachable));
const BLIND: Option<Verdict> = Some(Verdict::Unknown(UnknownCause::Blind));

const MINUTE: i64 = 60_000;

fn span(began: i64, ended: i64, seen: Option<Verdict>) -> Span {
    Span { began, ..Span::at(ended, seen) }
}

fn new(span: Span) -> Change {
    Change { began: span.began, span: Some(span), is_new: true }
}

fn changed(span: Span) -> Change {
    Change { is_new: false, ..new(span) }
}

fn gone(began: i64) -> Change {
    Change { began, span: None, is_new: false }
}

#[test]
fn looks_with_one_verdict_are_one_span_until_nobody_looks_for_more_than_five_minutes() {
    let mut track = Track::default();
    for at in [0, MINUTE, 6 * MINUTE, 11 * MINUTE + 1] {
        assert!(track.add(Span::at(at, UP)).is_news);
    }
    assert_eq!(track.spans, [span(0, 6 * MINUTE, UP), Span::at(11 * MINUTE + 1, UP)]);
    let turned = track.add(Span::at(12 * MINUTE, DOWN));
    assert!(turned.has_turned);
    assert_eq!(turned.changes, [new(Span::at(12 * MINUTE, DOWN))]);
    let quiet = track.add(Span::at(13 * MINUTE, DOWN));
    assert_eq!((quiet.is_news, quiet.has_turned), (true, false));
    assert_eq!(quiet.changes, [changed(span(12 * MINUTE, 13 * MINUTE, DOWN))]);
}

#[test]
fn looks_of_another_pace_are_another_span_and_join_nothing_of_before() {
    let mut track = Track::default();
    for at in [0, 20 * MINUTE] {
        track.add(Span::at(at, UP));
    }
    let hourly = |at| Span { pause: 121 * MINUTE, ..Span::at(at, UP) };
    for at in [21 * MINUTE, 81 * MINUTE, 203 * MINUTE] {
        track.add(hourly(at));
    }
    let first = Span { ended: 81 * MINUTE, ..hourly(21 * MINUTE) };
    assert_eq!(track.spans, [Span::at(0, UP), Span::at(20 * MINUTE, UP), first, hourly(203 * MINUTE)]);
    assert_eq!(track.pause(), 121 * MINUTE);
    // A faster pace from then on: what was seen holds until its first look is due.
    let hurried = Span { pause: 12 * MINUTE, ..hourly(203 * MINUTE) };
    assert_eq!(track.hurry(5 * MINUTE, 210 * MINUTE), [changed(hurried)]);
    assert!(track.hurry(5 * MINUTE, 211 * MINUTE).is_empty(), "and not for longer each time that it is said");
    assert!(track.hurry(121 * MINUTE, 211 * MINUTE).is_empty(), "a slower one makes it no longer");
}

#[test]
fn the_first_word_about_a_time_stands_and_a_replay_adds_nothing() {
    let mut track = Track::default();
    track.add(span(0, 9 * MINUTE, UP));
    for again in [span(0, 9 * MINUTE, UP), Span::at(MINUTE, DOWN), span(2 * MINUTE, 3 * MINUTE, None)] {
        assert_eq!(track.add(again), Added::default(), "{again:?}");
    }
    assert_eq!(track.spans, [span(0, 9 * MINUTE, UP)]);
}

#[test]
fn a_verdict_that_comes_later_takes_the_place_of_looks_without_one() {
    let mut track = Track::default();
    assert_eq!(track.add(Span::at(0, None)).changes, [new(Span::at(0, None))]);
    let later = track.add(span(0, MINUTE - 1, UP));
    assert_eq!(later.changes, [changed(span(0, MINUTE - 1, UP))]);
    track.add(Span::at(MINUTE, None));
    let next = track.add(span(0, 2 * MINUTE - 1, UP));
    assert_eq!(next.changes, [gone(MINUTE), changed(span(0, 2 * MINUTE - 1, UP))]);
    assert!(!next.has_turned);
}

#[test]
fn an_outage_of_which_the_beacon_learns_only_afterwards_fills_the_gap() {
    let mut track = Track::default();
    track.add(span(0, 10 * MINUTE, UP));
    // The prober's own word came first, the signed one with the next question to the beacon.
    track.add(Span::at(40 * MINUTE, UP));
    track.add(span(11 * MINUTE, 40 * MINUTE - 1, DOWN));
    let (up, again) = (span(0, 10 * MINUTE, UP), Span::at(40 * MINUTE, UP));
    assert_eq!(track.spans, [up, span(11 * MINUTE, 40 * MINUTE - 1, DOWN), again]);
}

#[test]
fn the_newest_look_is_one_that_could_look() {
    let mut track = Track::default();
    track.add(Span::at(0, UP));
    track.add(Span::at(MINUTE, BLIND));
    assert_eq!((track.looked(), track.newest_seen().unwrap().seen), (Some(0), UP));
    track.add(Span::at(2 * MINUTE, None));
    assert_eq!(track.looked(), Some(2 * MINUTE));
}

#[test]
fn what_is_not_in_memory_any_more_is_not_written_over() {
    let mut track = Track::default();
    for index in 0..20 {
        track.add(Span::at(index * MINUTE, if index % 2 == 0 { UP } else { DOWN }));
    }
    assert_eq!((track.spans.len(), track.has_older), (KEPT, true));
    let first = 12 * MINUTE;
    assert_eq!(track.add(span(0, first, SLOW)), Added::default());
    assert!(track.add(span(0, first + 1, SLOW)).changes.iter().all(|change| change.began > first));
}

#[test]
fn what_a_clock_ahead_has_said_is_taken_back() {
    let mut track = Track::default();
    track.add(span(0, 60 * MINUTE, UP));
    track.add(Span::at(61 * MINUTE, DOWN));
    assert_eq!(track.cut(10 * MINUTE), [gone(61 * MINUTE), changed(span(0, 10 * MINUTE, UP))]);
    assert_eq!(track.add(Span::at(11 * MINUTE, UP)).changes, [changed(span(0, 11 * MINUTE, UP))]);
}

#[test]
fn a_look_that_was_another_vantages_is_forgotten_while_it_has_no_verdict() {
    let mut track = Track::default();
    track.add(span(0, MINUTE, UP));
    track.add(Span::at(2 * MINUTE, None));
    assert!(track.forget_pending(MINUTE).is_empty());
    assert_eq!(track.forget_pending(2 * MINUTE), [gone(2 * MINUTE)]);
    assert_eq!(track.spans, [span(0, MINUTE, UP)]);
}

/// What every moment says, moment by moment: the second list.
#[derive(Default)]
struct Moments(BTreeMap<i64, Option<Verdict>>);

impl Moments {
    fn add(&mut self, new: Span) {
        for at in new.began..=new.ended {
            let known = self.0.entry(at).or_insert(new.seen);
            if known.is_none() {
                *known = new.seen;
            }
        }
    }
}

/// Spans around each other, none so far from another that time between them could not count as looked at.
fn any_span() -> impl Strategy<Value = Span> {
    let seen = proptest::sample::select(vec![None, UP, SLOW, DOWN, BLIND]);
    (0..60_i64, 0..12_i64, seen).prop_map(|(began, length, seen)| span(began, began + length, seen))
}

proptest! {
    #[test]
    fn spans_say_of_each_moment_what_was_said_first(added in proptest::collection::vec(any_span(), 0..8)) {
        let (mut track, mut moments, mut rows) = (Track::default(), Moments::default(), BTreeMap::new());
        // Where nothing is dropped from memory, and nothing joined over a pause.
        for new in added.into_iter().map(|it| Span { began: it.began * 1_000_000, ended: it.ended * 1_000_000, ..it }) {
            let scaled = Span { began: new.began / 1_000_000, ended: new.ended / 1_000_000, ..new };
            let known_before: Vec<i64> = moments.0.iter().filter(|(_, seen)| seen.is_some()).map(|(at, _)| *at).collect();
            let news = (scaled.began..=scaled.ended).any(|at| {
                if new.seen.is_some() { !known_before.contains(&at) } else { !moments.0.contains_key(&at) }
            });
            let added = track.add(new);
            if track.has_older {
                return Ok(());
            }
            prop_assert!(added.is_news || !news);
            for Change { began, span: row, .. } in added.changes {
                match row {
                    Some(row) => rows.insert(began, row),
                    None => rows.remove(&began),
                };
            }
            moments.add(scaled);
            prop_assert_eq!(&rows.values().copied().collect::<Vec<_>>(), &track.spans, "the rows are what is in memory");
        }
        for (at, seen) in &moments.0 {
            let says = track.spans.iter().find(|span| (span.began..=span.ended).contains(&(at * 1_000_000)));
            prop_assert_eq!(says.map(|span| span.seen), Some(*seen), "{} {:?}", at, &track.spans);
        }
        for pair in track.spans.windows(2) {
            prop_assert!(pair[0].began <= pair[0].ended && pair[0].ended < pair[1].began, "{:?}", &track.spans);
            prop_assert!(!pair[0].goes_on_with(&pair[1]), "{:?}", &track.spans);
        }
    }
}
