//! The time of day, as it is handed in.

use jiff::Timestamp;

/// Says what time it is: [`Timestamp::now`], but for tests.
pub type Clock = fn() -> Timestamp;
