//! How many streams share a transfer. One cannot fill every line, but many on a slow one lose each other's packets, and
//! are measured badly; so they join while that makes the whole faster, as on the page of fast.com.

use std::time::Duration;

use super::{
    speed::{Sample, rate},
    stream::Direction,
};

/// When the second stream joins.
const SECOND_STREAM_AFTER: Duration = Duration::from_millis(500);

/// How long after that its effect is judged.
const DECIDE_AFTER: Duration = Duration::from_secs(1);

/// The factor in speed by which it must have made a difference for more streams to join.
const MIN_GAIN: f64 = 1.15;

/// With nothing after so long, others may have more luck.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(1);

/// If the first 128 KiB of an upload take longer, it stays with one stream: what waits in this machine counts as sent, and on a
/// slow line most of what several streams have counted would still wait after the ramp-up.
const MAX_FIRST_UPLOAD: Duration = Duration::from_millis(700);

/// Decides how many streams run.
#[derive(Debug)]
pub(crate) struct StreamScaler {
    most: usize,
    direction: Direction,
    wanted: usize,
    settled: bool,
}

impl StreamScaler {
    /// One begins.
    pub(crate) fn new(most: usize, direction: Direction) -> Self {
        Self { most, direction, wanted: 1, settled: false }
    }

    /// How many streams there should be by now, after `quiet` without a byte.
    pub(crate) fn wanted(&mut self, samples: &[Sample], quiet: Duration) -> usize {
        if self.direction == Direction::Up || self.settled {
            return self.wanted;
        }
        let Some(last) = samples.last() else {
            if quiet >= FIRST_BYTE_TIMEOUT {
                self.settle(self.most);
            }
            return self.wanted;
        };
        if last.at >= DECIDE_AFTER {
            let more = if made_a_difference(samples) { self.most } else { self.wanted };
            self.settle(more);
        } else if last.at >= SECOND_STREAM_AFTER {
            self.wanted = self.most.min(2);
        }
        self.wanted
    }

    /// How many there should be once the first upload has been taken, so long after it began.
    pub(crate) fn wanted_after_upload(&mut self, took: Duration) -> usize {
        if self.direction == Direction::Up {
            self.settle(if took < MAX_FIRST_UPLOAD { self.most } else { 1 });
        }
        self.wanted
    }

    fn settle(&mut self, wanted: usize) {
        (self.wanted, self.settled) = (wanted, true);
    }
}

/// Whether the second stream made the whole faster. A line that still ramps up becomes faster by itself, and can have
/// more of them too.
fn made_a_difference(samples: &[Sample]) -> bool {
    let at = |time: Duration| samples.iter().rev().find(|sample| sample.at <= time).copied();
    let between = |from, until| rate(at(from)?, at(until)?);
    let begin = Duration::from_millis(100);
    match (between(SECOND_STREAM_AFTER / 2, SECOND_STREAM_AFTER), between(SECOND_STREAM_AFTER + begin, DECIDE_AFTER)) {
        (Some(alone), Some(together)) => together >= MIN_GAIN * alone,
        // What comes in bursts comes from far away.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples every 100 ms a line of so many Mbit/s for each stream, and of no more than that for all; how many
    /// streams there are in the end.
    fn joined(each: f64, all: f64, most: usize) -> usize {
        let mut scaler = StreamScaler::new(most, Direction::Down);
        let (mut samples, mut bytes, mut streams) = (vec![Sample { at: Duration::ZERO, bytes: 0 }], 0.0, 1_u32);
        for tick in 1..=30 {
            bytes += (each * f64::from(streams)).min(all) * 1e6 / 8.0 / 10.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a test's")]
            samples.push(Sample { at: Duration::from_millis(100 * tick), bytes: bytes as u64 });
            streams = u32::try_from(scaler.wanted(&samples, Duration::ZERO)).unwrap();
        }
        streams as usize
    }

    #[test]
    fn streams_join_where_that_makes_the_whole_faster() {
        for (what, each, all, most, expected) in [
            ("a slow line that one fills", 1e9, 10.0, 5, 2),
            ("a line that one cannot fill", 8.0, 50.0, 5, 5),
            ("a line that two fill", 8.0, 16.0, 8, 8),
            ("one is all that may be", 8.0, 50.0, 1, 1),
        ] {
            assert_eq!(joined(each, all, most), expected, "{what}");
        }
    }

    #[test]
    fn where_one_gets_nothing_all_try() {
        let mut scaler = StreamScaler::new(5, Direction::Down);
        assert_eq!(scaler.wanted(&[], Duration::from_millis(900)), 1);
        assert_eq!(scaler.wanted(&[], Duration::from_secs(1)), 5);
    }

    #[test]
    fn uploads_of_a_slow_line_go_alone() {
        for (took, expected) in [(600, 5), (800, 1)] {
            let mut scaler = StreamScaler::new(5, Direction::Up);
            assert_eq!(scaler.wanted(&[], Duration::from_secs(9)), 1);
            assert_eq!(scaler.wanted_after_upload(Duration::from_millis(took)), expected);
            assert_eq!(scaler.wanted(&[], Duration::from_secs(9)), expected);
        }
    }
}
