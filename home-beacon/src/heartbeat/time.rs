//! What time is sent. A home whose clock is wrong after a power cut is told the time by a signed answer, and counts on from there
//! until its clock agrees. Pure; all in whole seconds.

use shared::heartbeat::MAX_SKEW;

/// The time of the other side, where this clock's is not the time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    /// What to add to the uptime.
    booted: Option<u64>,
}

/// What this host's clocks show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    /// Since 1970.
    pub(super) wall: u64,
    /// Since it booted, sleep included.
    pub(super) uptime: u64,
}

impl Time {
    /// What to send.
    pub(super) fn at(self, clocks: Clocks) -> u64 {
        self.booted.map_or(clocks.wall, |booted| booted.saturating_add(clocks.uptime))
    }

    /// A signed answer told the time.
    pub(super) fn answered(&mut self, at: u64, clocks: Clocks) {
        // What is near needs no help, and a clock that is set in small steps is not fought with.
        let is_near = at.abs_diff(clocks.wall) <= MAX_SKEW / 2;
        self.booted = (!is_near).then(|| at.saturating_sub(clocks.uptime));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_a_year_off_is_counted_past_until_it_is_set() {
        let mut time = Time::default();
        let clocks = |wall, uptime| Clocks { wall, uptime };
        assert_eq!(time.at(clocks(1_000, 50)), 1_000);
        time.answered(31_536_000, clocks(1_001, 51));
        assert_eq!(time.at(clocks(1_001, 51)), 31_536_000);
        assert_eq!(time.at(clocks(1_061, 111)), 31_536_060);
        time.answered(31_536_060, clocks(31_536_000, 111));
        assert_eq!(time.at(clocks(31_536_001, 112)), 31_536_001, "by its own clock, which is set now");
        time.answered(31_536_062, clocks(31_535_000, 113));
        assert_eq!(time.at(clocks(0, 114)), 31_536_063);
    }
}
