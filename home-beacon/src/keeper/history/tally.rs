//! How much time of each state a window holds.

use super::{Segment, State};

/// Time in each state, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// It worked.
    pub up: i64,
    /// It worked, but not as it should.
    pub degraded: i64,
    /// It did not work.
    pub down: i64,
    /// A person worked on it.
    pub maintenance: i64,
    /// Nobody looked.
    pub not_looked_at: i64,
}

impl Tally {
    /// Of all these segments.
    pub fn of<'a>(segments: impl IntoIterator<Item = &'a Segment>) -> Self {
        let mut tally = Self::default();
        for segment in segments {
            *tally.of_state(segment.state) += segment.length();
        }
        tally
    }

    /// Of the parts of the segments that lie within a window.
    pub fn within(segments: &[Segment], window: &std::ops::Range<i64>) -> Self {
        let cut = |segment: &Segment| {
            let (from, to) = (segment.from.max(window.start), segment.to.min(window.end));
            (from < to).then_some(Segment { from, to, ..*segment })
        };
        Self::of(&segments.iter().filter_map(cut).collect::<Vec<_>>())
    }

    /// The time that counts: somebody looked, and nobody was working on it.
    pub const fn counted(&self) -> i64 {
        self.up + self.degraded + self.down
    }

    /// The whole window.
    pub const fn total(&self) -> i64 {
        self.counted() + self.maintenance + self.not_looked_at
    }

    /// The share of the time that counts in which it answered, from 0 to 1; `None` where no time counts. Maintenance is left
    /// out, and so is what nobody looked at: it is neither up nor down.
    pub fn uptime(&self) -> Option<f64> {
        share(self.up + self.degraded, self.counted())
    }

    /// The share of the whole window that nobody looked at, from 0 to 1.
    pub fn unseen(&self) -> Option<f64> {
        share(self.not_looked_at, self.total())
    }

    const fn of_state(&mut self, state: State) -> &mut i64 {
        match state {
            State::Up => &mut self.up,
            State::Degraded => &mut self.degraded,
            State::Down => &mut self.down,
            State::Maintenance => &mut self.maintenance,
            State::NotLookedAt => &mut self.not_looked_at,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of years are far below 2^53")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_looked_at_counts_for_nothing() {
        let tally = Tally { up: 60, degraded: 20, down: 20, maintenance: 100, not_looked_at: 800 };
        assert_eq!((tally.uptime(), tally.unseen()), (Some(0.8), Some(0.8)));
        assert_eq!(Tally { not_looked_at: 5, maintenance: 5, ..Tally::default() }.uptime(), None);
        assert_eq!(Tally::default().unseen(), None);
    }
}
