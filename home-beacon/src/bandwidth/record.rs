//! What `bandwidth` remembers between runs, and `ping` looks at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name under which it is remembered.
pub const JOB: &str = "bandwidth";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The month that `used` is of, like `2026-11`, in UTC.
    pub month: String,
    /// Bytes used in that month. While a test is under way, all that it may use counts already: a run that is cut off
    /// must not lose its share.
    pub used: u64,
    /// The latest test.
    pub test: Option<Test>,
}

/// When a test filled the line. Until it has ended, `until` is the latest time at which it will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Record {
    /// Whether a test was under way at some time between the two.
    pub fn tested_between(&self, from: Timestamp, until: Timestamp) -> bool {
        self.test.is_some_and(|test| test.from <= until && from <= test.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_counts_where_it_overlaps() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let record = Record { test: Some(Test { from: at(10), until: at(20) }), ..Record::default() };
        for (from, until, overlaps) in [(0, 9, false), (0, 10, true), (12, 15, true), (20, 30, true), (21, 30, false)] {
            assert_eq!(record.tested_between(at(from), at(until)), overlaps, "{from} to {until}");
        }
        assert!(!Record::default().tested_between(at(0), at(100)));
    }
}
