//! Times as they are stored and sent.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A time to the millisecond; RFC 3339 in answers, milliseconds since 1970 in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Timestamp);

impl Moment {
    /// Cut to the millisecond.
    pub fn new(time: Timestamp) -> Self {
        Self(Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time))
    }

    /// The time.
    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    /// Milliseconds since 1970.
    pub(in crate::keeper) fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// This time, or the next one after `other`: a change is always later than what it changes.
    pub(in crate::keeper) fn after(self, other: Self) -> Self {
        if self > other { self } else { Self::try_from(other.millis() + 1).unwrap_or(other) }
    }
}

impl TryFrom<i64> for Moment {
    type Error = jiff::Error;

    fn try_from(millis: i64) -> Result<Self, jiff::Error> {
        Timestamp::from_millisecond(millis).map(Self)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
