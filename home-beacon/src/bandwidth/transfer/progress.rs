//! A line on a terminal that shows how far a transfer is, and the live speed.

use std::io::{self, IsTerminal, Write};

use tokio::time::Instant;

use super::{
    speed::{Sample, live},
    stream::Direction,
};

/// How many characters the bar has.
const BAR: usize = 30;

/// The line, or nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    /// Shows nothing where stderr is no terminal, or where a machine reads the output.
    pub(crate) fn new(wanted: bool) -> Self {
        Self { shown: wanted && io::stderr().is_terminal() }
    }

    /// Shows a transfer that began with the first of `samples` and ends at `until` at the latest.
    pub(crate) fn show(&self, direction: Direction, samples: &[Sample], until: Instant) {
        if !self.shown {
            return;
        }
        let gone = samples.last().map_or(0.0, |sample| sample.at.as_secs_f64());
        let left = until.saturating_duration_since(Instant::now()).as_secs_f64();
        let line = line(direction, gone / (gone + left).max(f64::EPSILON), live(samples));
        // A closed terminal needs no progress.
        let _ = write!(io::stderr(), "\r{line}\x1b[K");
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn line(direction: Direction, part: f64, mbit_s: Option<f64>) -> String {
    let way = match direction {
        Direction::Down => "down",
        Direction::Up => "up  ",
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it is small"
    )]
    let full = (part.clamp(0.0, 1.0) * BAR as f64) as usize;
    let speed = mbit_s.map_or_else(|| "…".into(), |mbit_s| format!("{mbit_s:.1} Mbit/s"));
    format!("{way} [{}{}] {speed}", "=".repeat(full), " ".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_and_shows_the_speed() {
        for (part, mbit_s, expected) in [
            (0.0, None, "down [                              ] …"),
            (0.5, Some(93.44), "down [===============               ] 93.4 Mbit/s"),
            (2.0, Some(1.0), "down [==============================] 1.0 Mbit/s"),
        ] {
            assert_eq!(line(Direction::Down, part, mbit_s), expected);
        }
    }
}
