//! Which signed requests count as looks. Pure: what the clocks show is handed in, and signatures were checked before.
//!
//! A clock that is synchronised decides by itself. One that is not (a Pi after a power cut) cannot tell an old request
//! from a new one, so there each location's newest look is the mark that later ones are held against.

use std::{collections::VecDeque, time::Duration};

use jiff::Timestamp;
use shared::{
    look::{BeaconLook, Location, MAX_LOOKS, SignedLook},
    proof::Challenge,
};

/// How far a prober's clock may be from one that is synchronised, in seconds.
const TOLERANCE: i64 = 300;

/// How much older than its location's newest a look may be where no clock can be trusted, in seconds: runs overlap.
const MAX_AGE: i64 = 120;

/// How many locations have a mark.
const MAX_MARKS: usize = 16;

/// What the beacon's clocks show when a request comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) wall: Timestamp,
    /// The boot clock: whatever the wall clock shows, this one goes on evenly.
    pub(super) uptime: Duration,
    /// Whether the system says that the wall clock is synchronised.
    pub(super) synchronised: bool,
}

/// The last looks that counted, the oldest first: of a fixed size, whatever comes.
#[derive(Debug)]
pub(super) struct LookLog {
    kept: VecDeque<Kept>,
    marks: Vec<Mark>,
}

#[derive(Debug)]
struct Kept {
    challenge: Challenge,
    look: BeaconLook,
}

/// A location's newest look.
#[derive(Debug)]
struct Mark {
    location: Location,
    at: i64,
    /// When it came, by the boot clock.
    came: Duration,
}

impl LookLog {
    pub(super) fn new() -> Self {
        Self { kept: VecDeque::with_capacity(MAX_LOOKS), marks: Vec::with_capacity(MAX_MARKS) }
    }

    /// Whether a look whose signature fits counts; if so, it is kept.
    pub(super) fn count(&mut self, look: &SignedLook, challenge: &Challenge, now: &Moment) -> bool {
        if !self.is_of_now(look, now) || self.is_known(look, challenge) {
            return false;
        }
        self.mark(look, now);
        if self.kept.len() == MAX_LOOKS {
            self.kept.pop_front();
        }
        let SignedLook { at, ref location, last, .. } = *look;
        let look = BeaconLook { at, location: location.clone(), last };
        self.kept.push_back(Kept { challenge: challenge.clone(), look });
        true
    }

    /// In the order in which they came.
    pub(super) fn looks(&self) -> impl DoubleEndedIterator<Item = &BeaconLook> {
        self.kept.iter().map(|kept| &kept.look)
    }

    /// Of looks and of marks, what there is room for without more memory.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> (usize, usize) {
        (self.kept.capacity(), self.marks.capacity())
    }

    fn is_of_now(&self, look: &SignedLook, now: &Moment) -> bool {
        if now.synchronised {
            (look.at - now.wall.as_second()).abs() <= TOLERANCE
        } else {
            self.mark_of(&look.location).is_none_or(|mark| look.at >= mark.at - MAX_AGE)
        }
    }

    fn is_known(&self, look: &SignedLook, challenge: &Challenge) -> bool {
        self.kept.iter().any(|kept| kept.challenge == *challenge && kept.look.location == look.location)
    }

    fn mark_of(&self, location: &Location) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.location == *location)
    }

    /// Makes it its location's mark, unless that one is newer. One far ahead of what any clock here suggests never is: those
    /// after it, with the right time, would count no more.
    fn mark(&mut self, look: &SignedLook, now: &Moment) {
        let expected = |mark: &Mark| {
            let passed = now.uptime.saturating_sub(mark.came).as_secs();
            mark.at.saturating_add_unsigned(passed)
        };
        let is_ahead = |at: i64, of: i64| at > of.saturating_add(TOLERANCE);
        let wall = now.wall.as_second();
        let mark = Mark { location: look.location.clone(), at: look.at, came: now.uptime };
        if let Some(known) = self.marks.iter_mut().find(|known| known.location == look.location) {
            // A clock that was not synchronised may have taken a mark from the future, and has been set right since.
            let was_wrong = now.synchronised && is_ahead(known.at, wall);
            let is_newer = look.at > known.at && !(is_ahead(look.at, wall) && is_ahead(look.at, expected(known)));
            if was_wrong || is_newer {
                *known = mark;
            }
        } else if !is_ahead(look.at, wall) {
            if self.marks.len() == MAX_MARKS
                && let Some(oldest) = (0..MAX_MARKS).min_by_key(|index| self.marks[*index].came)
            {
                self.marks.swap_remove(oldest);
            }
            self.marks.push(mark);
        }
    }
}

#[cfg(test)]
mod tests;
