//! What the jobs (`ping`, `bandwidth`, `dns`) have in common: a job measures once, hands over, and exits.
//!
//! - [`settings`]: the settings that all of them have
//! - [`destination`]: where readings go, a keeper or statuspage.io
//! - [`memory`]: what must be remembered between runs
//! - [`run`]: once or again and again, and how a run is told
//! - [`keeper`]: the client of the keeper's own API

pub mod destination;
pub mod keeper;
pub mod memory;
pub mod run;
pub mod settings;
