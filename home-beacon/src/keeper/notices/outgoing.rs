//! What a channel is sent next, of what waits for it. Pure.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};
use notify::event::{Event, Stage, Subject};

use super::{learning::ADDRESS, queue::Waiting};
use crate::keeper::length::length;

/// So many at once are sent one by one; of more, there is one that names the first few.
const BURST: usize = 5;

/// How many a channel's queue is looked into for that.
pub(super) const LOOKED_AT: u32 = 6;

/// The time of which a limit is.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A notice that is later says so.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// When a channel was sent something lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent(VecDeque<Timestamp>);

impl Sent {
    pub(super) fn note(&mut self, at: Timestamp) {
        self.0.push_back(at);
    }

    /// How many were sent in the hour until then, and when the first of them is an hour old. A time to come is a clock's fault.
    fn lately(&mut self, now: Timestamp) -> (usize, Option<Duration>) {
        self.0.retain(|at| (SignedDuration::ZERO..HOUR).contains(&now.duration_since(*at)));
        let wait = self.0.front().map(|first| HOUR - now.duration_since(*first));
        (self.0.len(), wait.and_then(|wait| Duration::try_from(wait).ok()))
    }
}

/// What is to be done for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// There is nothing to send.
    Nothing,
    /// The first one is to be sent.
    First(Event),
    /// All are to be sent as one.
    Summary(Event),
    /// Its hour is full: so long.
    Wait(Duration),
}

/// What is to be done, of the first few of `count` that wait. Programs are given each one: who keeps a state by them must not miss
/// one.
pub(super) fn next(
    few: &[Waiting],
    count: usize,
    sent: &mut Sent,
    limit: Option<usize>,
    is_for_people: bool,
    now: Timestamp,
) -> Next {
    let Some(first) = few.first() else { return Next::Nothing };
    if !is_for_people {
        return Next::First(first.event.clone());
    }
    let (lately, wait) = sent.lately(now);
    let left = limit.map_or(usize::MAX, |limit| limit.saturating_sub(lately));
    // What is serious waits for no hour, as long as that is no flood either.
    let is_urgent = first.event.is_serious && limit.is_none_or(|limit| lately < limit * 2);
    match wait {
        Some(wait) if left == 0 && !is_urgent => Next::Wait(wait),
        _ if count > BURST || (count > left && count > 1) => Next::Summary(summary(few, count, now)),
        _ => Next::First(late(&first.event, now)),
    }
}

fn summary(few: &[Waiting], count: usize, now: Timestamp) -> Event {
    let mut titles: Vec<_> = few.iter().take(BURST).map(|waiting| waiting.event.title.clone()).collect();
    let more = count.saturating_sub(titles.len());
    if more > 0 {
        titles.push(format!("and {more} more"));
    }
    let (first, last) = (few.first(), few.last());
    let id = |waiting: Option<&Waiting>| waiting.map_or(0, |waiting| waiting.id);
    Event {
        // What is sent again is the same as long as nothing has joined it.
        key: format!("keeper/summary/{}/{}/{count}", id(first), id(last)),
        subject: Subject::Keeper,
        stage: Stage::Began,
        since: first.map_or(now, |first| first.event.at),
        at: now,
        title: format!("{count} notices at once"),
        text: format!("{}.", titles.join("; ")),
        is_serious: few.iter().any(|waiting| waiting.event.is_serious),
        ends: Some(now),
        link: None,
    }
}

/// The notice, which says so where it is late.
fn late(event: &Event, now: Timestamp) -> Event {
    let by = now.duration_since(event.at);
    // The clock may have been wrong when an address changed: that is often just after a power cut.
    if by < LATE || event.key.starts_with(ADDRESS) {
        return event.clone();
    }
    let text = format!("{} (This is {} late: it could not be sent before.)", event.text, length(by));
    Event { text: text.trim_start().to_owned(), ..event.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn waiting(id: i64, serious: bool) -> Waiting {
        let event = Event {
            key: format!("job/{id}"),
            subject: Subject::Job,
            stage: Stage::Began,
            since: at(0),
            at: at(0),
            title: format!("The job {id} fails"),
            text: "Why.".into(),
            is_serious: serious,
            ends: None,
            link: None,
        };
        Waiting { id, event, tries: 0, unless_seen: false }
    }

    fn sent(times: &[i64]) -> Sent {
        Sent(times.iter().map(|second| at(*second)).collect())
    }

    #[test]
    fn a_few_are_sent_one_by_one_and_many_as_one() {
        let few: Vec<_> = (1..=6).map(|id| waiting(id, false)).collect();
        let next = |count: usize| next(&few[..count.min(6)], count, &mut Sent::default(), Some(20), true, at(1));
        assert_eq!(next(0), Next::Nothing);
        assert_eq!(next(5), Next::First(few[0].event.clone()));
        let Next::Summary(summary) = next(1000) else { panic!("it is one") };
        assert_eq!(summary.title, "1000 notices at once");
        assert_eq!(
            summary.text,
            "The job 1 fails; The job 2 fails; The job 3 fails; The job 4 fails; The job 5 fails; and 995 more."
        );
    }

    #[test]
    fn a_full_hour_is_waited_for_and_what_has_come_meanwhile_is_one() {
        let few = [waiting(1, false), waiting(2, false)];
        let next = |times: &[i64], count, now| next(&few[..count], count, &mut sent(times), Some(2), true, at(now));
        assert_eq!(next(&[100], 1, 200), Next::First(few[0].event.clone()));
        assert_eq!(next(&[100, 150], 1, 200), Next::Wait(Duration::from_secs(3500)));
        assert!(matches!(next(&[100, 150], 2, 3700), Next::Summary(_)));
        assert_eq!(next(&[9000, 9001], 1, 200), Next::First(few[0].event.clone()), "a clock was ahead");
    }

    #[test]
    fn what_is_serious_waits_for_no_hour_and_programs_are_given_each() {
        let few = [waiting(1, true)];
        let next = |times: &[i64], people| next(&few, 1, &mut sent(times), Some(2), people, at(200));
        assert!(matches!(next(&[100, 150], true), Next::First(_)));
        assert!(matches!(next(&[100, 150, 160, 170], true), Next::Wait(_)), "that is a flood, too");
        assert!(matches!(next(&[100, 150, 160, 170], false), Next::First(_)));
    }

    #[test]
    fn what_is_late_says_so() {
        let Next::First(event) = next(&[waiting(1, false)], 1, &mut Sent::default(), None, true, at(2500)) else {
            panic!()
        };
        assert_eq!(event.text, "Why. (This is 41 min late: it could not be sent before.)");
    }
}
