//! Outages: stretches of downtime that belong together.

use std::ops::Range;

use shared::verdict::Verdict;

use super::{Segment, State};

/// An up that is shorter than this belongs to the outage around it, in milliseconds: what a prober calls resolved.
const RESOLVED_AFTER: i64 = 2 * 60 * 1000;

/// A time in which a component was down. Times are milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it was first seen down.
    pub from: i64,
    /// When it was seen up again, when work on it began, or when nobody looked any more.
    pub to: i64,
    /// How it ended.
    pub ending: Ending,
    /// What was concluded for most of the time, where that is known.
    pub verdict: Option<Verdict>,
}

/// How an outage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was seen to answer again.
    Seen,
    /// A person began to work on it: whether it answered then is not known.
    Maintenance,
    /// Nobody looked any more: when it really ended is not known.
    Unseen,
    /// It has not: it was down at the end of the window.
    Ongoing,
}

impl Outage {
    /// How long it lasted, in milliseconds, as far as anybody saw.
    pub const fn length(&self) -> i64 {
        self.to - self.from
    }
}

/// The outages of a window's segments, the oldest first.
pub fn outages(segments: &[Segment]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    // From one outage's first to its last segment that is down.
    let mut open: Option<Range<usize>> = None;
    for (index, segment) in segments.iter().enumerate() {
        let belongs = open.as_ref().is_some_and(|open| {
            let between = &segments[open.end..index];
            let answered = between.iter().all(|segment| matches!(segment.state, State::Up | State::Degraded));
            answered && between.iter().map(Segment::length).sum::<i64>() < RESOLVED_AFTER
        });
        match (segment.state, &mut open) {
            (State::Down, Some(open)) if belongs => open.end = index + 1,
            (State::Down, _) => {
                outages.extend(open.replace(index..index + 1).map(|open| outage(segments, &open)));
            }
            _ => (),
        }
    }
    outages.extend(open.map(|open| outage(segments, &open)));
    outages
}

fn outage(segments: &[Segment], of: &Range<usize>) -> Outage {
    let ending = match segments.get(of.end).map(|next| next.state) {
        None => Ending::Ongoing,
        Some(State::NotLookedAt) => Ending::Unseen,
        Some(State::Maintenance) => Ending::Maintenance,
        Some(_) => Ending::Seen,
    };
    let (from, to) = (segments[of.start].from, segments[of.end - 1].to);
    Outage { from, to, ending, verdict: most_of(&segments[of.clone()]) }
}

/// What was concluded for the longest time.
fn most_of(segments: &[Segment]) -> Option<Verdict> {
    let mut totals: Vec<(Verdict, i64)> = Vec::new();
    for segment in segments.iter().filter(|segment| segment.state == State::Down) {
        let Some(verdict) = segment.verdict else { continue };
        match totals.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, total)) => *total += segment.length(),
            None => totals.push((verdict, segment.length())),
        }
    }
    // Of two that lasted as long, the first.
    totals.into_iter().rev().max_by_key(|(_, total)| *total).map(|(verdict, _)| verdict)
}

#[cfg(test)]
mod tests {
    use shared::verdict::DownCause;

    use super::*;

    const MINUTE: i64 = 60_000;
    const REFUSED: Option<Verdict> = Some(Verdict::Down(DownCause::Refused));
    const SILENT: Option<Verdict> = Some(Verdict::Down(DownCause::Unreachable));

    /// Lengths in minutes.
    fn played(lengths: &[(i64, State, Option<Verdict>)]) -> Vec<Segment> {
        let mut from = 0;
        let segment = |&(length, state, verdict): &(i64, State, Option<Verdict>)| {
            let segment = Segment { from, to: from + length * MINUTE, state, verdict };
            from = segment.to;
            segment
        };
        lengths.iter().map(segment).collect()
    }

    fn minutes(segments: &[Segment]) -> Vec<(i64, i64, Ending, Option<Verdict>)> {
        outages(segments).iter().map(|it| (it.from / MINUTE, it.to / MINUTE, it.ending, it.verdict)).collect()
    }

    #[test]
    fn a_short_up_belongs_to_the_outage_and_a_long_one_ends_it() {
        let (down, up) = ((5, State::Down, SILENT), |length| (length, State::Up, None));
        let together = played(&[up(10), down, up(1), down, up(10)]);
        assert_eq!(minutes(&together), [(10, 21, Ending::Seen, SILENT)]);
        let apart = played(&[up(10), down, up(2), down, up(10)]);
        assert_eq!(minutes(&apart), [(10, 15, Ending::Seen, SILENT), (17, 22, Ending::Seen, SILENT)]);
    }

    #[test]
    fn an_outage_that_nobody_saw_end_says_so() {
        let unseen = played(&[(5, State::Down, SILENT), (60, State::NotLookedAt, None), (5, State::Down, SILENT)]);
        assert_eq!(minutes(&unseen), [(0, 5, Ending::Unseen, SILENT), (65, 70, Ending::Ongoing, SILENT)]);
    }

    #[test]
    fn the_cause_is_that_of_most_of_the_time() {
        let causes = played(&[(2, State::Down, REFUSED), (9, State::Down, SILENT), (3, State::Maintenance, None)]);
        assert_eq!(minutes(&causes), [(0, 11, Ending::Maintenance, SILENT)]);
        let equal = played(&[(2, State::Down, REFUSED), (2, State::Down, SILENT)]);
        assert_eq!(minutes(&equal)[0].3, REFUSED);
        assert_eq!(minutes(&played(&[(2, State::Down, None)]))[0].3, None);
    }

    #[test]
    fn where_nothing_was_down_there_is_no_outage() {
        assert_eq!(outages(&[]), []);
        assert_eq!(outages(&played(&[(5, State::Up, None), (5, State::NotLookedAt, None)])), []);
    }
}
