//! `bandwidth`: how fast the line is, without using it up.
//!
//! - `job`: one run; `budget`: what it may use (pure)
//! - `measure`: one measurement, with its `latency`; `error`: why there is none
//! - `sources`: what is measured against, fast.com, Cloudflare, or a file at any web server
//! - `transfer`: downloads and uploads, and what their samples come to
//! - `connection`: connections that know what they have used

mod budget;
mod connection;
mod error;
mod job;
mod latency;
mod measure;
mod settings;
mod sources;
mod transfer;

pub use job::command;
pub use settings::{BandwidthSettings, Choice};
pub use sources::parsers;
