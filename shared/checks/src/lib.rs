//! What a check is, and how one is made. Who runs it, and where its outcome goes, is left to others.
//!
//! - [`answer`]: whether an answer is what was expected; pure
//! - [`check`]: the definition of a check, as plain values
//! - [`mod@file`]: the files that define checks
//! - [`outcome`]: what a run of it came to: a state, a cause, a sentence, the duration of each phase
//! - [`cause`]: what can go wrong, a closed set with a sentence each
//! - [`performance`]: the figures beside an outcome, each with its unit and ranges
//! - [`thresholds`]: when a failing check counts as down, and a working one as up again; pure
//! - [`icmp`]: how echoes are sent, and what they come to
//! - [`probe`]: one run of each kind of check

#![warn(missing_docs)]

pub mod answer;
pub mod cause;
pub mod check;
pub mod file;
#[cfg(feature = "probes")]
pub mod icmp;
pub mod outcome;
pub mod performance;
#[cfg(feature = "probes")]
pub mod probe;
pub mod thresholds;
