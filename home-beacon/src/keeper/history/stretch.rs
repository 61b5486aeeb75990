//! What a component's time within a window came to: how much of each state, and the outages that reach into it.

use std::ops::Range;

use super::{Outage, Segment, State, Tally, outages};

/// A component's time within a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The window as far as there was anything to be seen in it, in milliseconds since 1970.
    pub counted: Range<i64>,
    /// How much of the window lies before that, in milliseconds.
    pub before: i64,
    /// What the counted time came to.
    pub tally: Tally,
    /// The outages that reach into the window, the oldest first.
    pub outages: Vec<Clipped>,
}

/// The part of an outage that lies within a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clipped {
    /// The outage as a whole, as far as the segments show it.
    pub whole: Outage,
    /// The part within the window, in milliseconds since 1970.
    pub within: Range<i64>,
    /// What is known of its beginning.
    pub beginning: Beginning,
    /// How much of the part it was down, in milliseconds: less than its length where it answered for a moment.
    pub down: i64,
}

/// What is known of an outage's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// Somebody had just looked, or a person worked on it.
    Seen,
    /// Nobody had looked before: it may have begun earlier.
    Unseen,
    /// It reaches back to where the segments begin.
    Earlier,
}

impl Clipped {
    /// How long the part is, in milliseconds.
    pub const fn length(&self) -> i64 {
        self.within.end - self.within.start
    }

    /// Whether it began before the window.
    pub const fn began_before(&self) -> bool {
        self.whole.from < self.within.start
    }

    /// Whether it went on after the window.
    pub const fn went_on(&self) -> bool {
        self.whole.to > self.within.end
    }
}

impl Stretch {
    /// Of segments that cover the window, and some time around it, so that an outage is found whole. `first` is when
    /// there was anything to be seen at all; `None`: never.
    pub fn new(segments: &[Segment], window: &Range<i64>, first: Option<i64>) -> Self {
        let end = window.end.max(window.start);
        let from = first.map_or(end, |first| first.clamp(window.start, end));
        let counted = from..end;
        let reaches = |outage: &Outage| outage.from < window.end && outage.to > window.start;
        let clipped = |whole: Outage| {
            let within = whole.from.max(window.start)..whole.to.min(window.end);
            let down = Tally::within(segments, &within).down;
            Clipped { beginning: beginning(segments, whole.from), whole, within, down }
        };
        Self {
            before: from - window.start,
            tally: Tally::within(segments, &counted),
            outages: outages(segments).into_iter().filter(reaches).map(clipped).collect(),
            counted,
        }
    }

    /// The longest part of an outage, in milliseconds; 0 where there was none.
    pub fn longest(&self) -> i64 {
        self.outages.iter().map(Clipped::length).max().unwrap_or_default()
    }
}

fn beginning(segments: &[Segment], from: i64) -> Beginning {
    match segments[..segments.partition_point(|segment| segment.to <= from)].last() {
        None => Beginning::Earlier,
        Some(before) if before.state == State::NotLookedAt => Beginning::Unseen,
        Some(_) => Beginning::Seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::history::Ending;

    /// Ends and states; the first one begins at 0.
    fn played(ends: &[(i64, State)]) -> Vec<Segment> {
        let mut from = 0;
        let segment = |&(to, state): &(i64, State)| {
            let segment = Segment { from, to, state, verdict: None };
            from = to;
            segment
        };
        ends.iter().map(segment).collect()
    }

    #[test]
    fn an_outage_over_the_edge_is_cut_there_and_known_as_a_whole() {
        let segments =
            played(&[(10, State::Up), (30, State::Down), (80, State::Up), (120, State::Down), (130, State::Up)]);
        let stretch = Stretch::new(&segments, &(20..100), Some(0));
        // An up of 50 ms is far too short to end an outage.
        let whole = Outage { from: 10, to: 120, ending: Ending::Seen, verdict: None };
        assert_eq!(stretch.outages, [Clipped { whole, within: 20..100, beginning: Beginning::Seen, down: 30 }]);
        assert!(stretch.outages[0].began_before() && stretch.outages[0].went_on());
        assert_eq!((stretch.tally.down, stretch.tally.up, stretch.longest(), stretch.before), (30, 50, 80, 0));
    }

    #[test]
    fn what_only_touches_the_window_is_not_in_it() {
        let segments = played(&[(20, State::Down), (400_000, State::Up), (500_000, State::Down)]);
        assert_eq!(Stretch::new(&segments, &(20..400_000), Some(0)).outages, []);
    }

    #[test]
    fn before_the_first_look_nothing_counts() {
        let segments = played(&[(40, State::NotLookedAt), (60, State::Down), (100, State::NotLookedAt)]);
        let stretch = Stretch::new(&segments, &(0..100), Some(40));
        assert_eq!((stretch.before, stretch.counted.clone()), (40, 40..100));
        assert_eq!((stretch.tally.not_looked_at, stretch.tally.down), (40, 20));
        assert_eq!(stretch.outages[0].beginning, Beginning::Unseen);
        let never = Stretch::new(&segments[..1], &(0..40), None);
        assert_eq!((never.before, never.tally, never.counted), (40, Tally::default(), 40..40));
        let earlier = Stretch::new(&played(&[(50, State::Down)]), &(10..50), Some(0));
        assert_eq!(earlier.outages[0].beginning, Beginning::Earlier);
    }

    #[test]
    fn a_window_that_is_yet_to_come_is_empty() {
        for first in [None, Some(0), Some(900)] {
            let (from, to) = (500, 400);
            let stretch = Stretch::new(&[], &(from..to), first);
            assert_eq!((stretch.before, stretch.tally, stretch.outages.len()), (0, Tally::default(), 0));
        }
    }
}
