//! How the line is used: what `bandwidth` remembers between runs, and `ping` reads to mark what a test has spoilt.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name under which it is remembered.
pub(crate) const STATE: &str = "bandwidth";

/// The data that tests used, and the latest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineUse {
    /// The month that `used` is of, like `2026-11`, in UTC.
    pub(crate) month: String,
    /// Bytes used in that month. While a test is under way, all that it may use counts already: a run that is cut off
    /// must not lose its share.
    pub(crate) used: u64,
    /// The latest test.
    pub(crate) test: Option<Test>,
    /// What may be used in a month, in bytes, for whoever shows it; nothing where an older version wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<u64>,
}

/// When a test filled the line. Until it has ended, `until` is the latest time at which it will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Test {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl LineUse {
    /// Whether a test was under way at some time between the two.
    pub(crate) fn tested_between(&self, from: Timestamp, until: Timestamp) -> bool {
        self.test.is_some_and(|test| test.from <= until && from <= test.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_counts_where_it_overlaps() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let line_use = LineUse { test: Some(Test { from: at(10), until: at(20) }), ..LineUse::default() };
        for (from, until, overlaps) in [(0, 9, false), (0, 10, true), (12, 15, true), (20, 30, true), (21, 30, false)] {
            assert_eq!(line_use.tested_between(at(from), at(until)), overlaps, "{from} to {until}");
        }
        assert!(!LineUse::default().tested_between(at(0), at(100)));
    }
}
