//! The prober: probes homes from outside and keeps their status page true.
//!
//! A run is observe → judge → plan → publish. Judging and planning are pure; observing, publishing and what is kept
//! between runs are thin edges around them.
//!
//! # Layout
//!
//! - [`judge`]: from attempts to a verdict, its cause and its words; pure
//! - [`plan`]: from verdicts and a page to the calls that it needs; pure
//! - [`observe`]: probing homes and witnesses
//! - `publish`: reading the pages, and applying the plan
//! - [`heartbeat`]: homes that nobody can reach, judged by what they send
//! - [`kept`]: secrets, parameters, and the state of each home
//! - [`run`]: one run, which joins these
//! - [`notices`]: what people are told of an outage, once
//! - [`look`]: what homes are told of a run: that it looked, and from where
//! - [`report`]: the report of a run, as JSON and in words
//! - [`target`]: what a run probes, and where it publishes that
//! - [`timing`]: the deadlines of a run
//! - [`mode`]: whether a run writes, or only reports what it would write
//! - [`settings`]: the settings, and the prober and targets that they describe
//! - [`command`](mod@command): the front for a terminal and for service managers
//! - `function`: the front for AWS Lambda
//! - `event`: the events that trigger the function

#![warn(missing_docs)]

pub mod command;
#[cfg(feature = "aws")]
mod event;
#[cfg(feature = "aws")]
pub mod function;
pub mod heartbeat;
pub mod judge;
pub mod kept;
pub mod look;
pub mod mode;
pub mod notices;
pub mod observe;
pub mod plan;
mod publish;
pub mod report;
pub mod run;
pub mod settings;
pub mod target;
pub mod timing;
