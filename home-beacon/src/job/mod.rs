//! What the jobs (`ping`, `bandwidth`, `dns`) have in common: a job measures once, hands over, and exits.
//!
//! - [`settings`]: the settings that all of them have
//! - `context`: what a job needs before its first run, made of these
//! - `destination`: where readings go, a keeper or statuspage.io
//! - `memory`: what must be remembered between runs
//! - `line_use`: what `bandwidth` remembers of the line, and `ping` reads
//! - `run`: once or again and again, and what each run reports
//! - [`keeper`]: the client of the keeper's own API

pub(crate) mod context;
pub(crate) mod destination;
pub mod keeper;
pub(crate) mod line_use;
pub(crate) mod memory;
pub(crate) mod run;
pub mod settings;
