//! `bandwidth`: how fast the line is, without using it up.
//!
//! - `speed`, `crew`, `budget`, `allowance`: what samples come to, and what a run may use (pure)
//! - `foreign`: readers of what others wrote
//! - `dial`, `line`, `meter`: connections that know what they have used; `trouble`: what can go wrong with them
//! - `source`: who is measured against: fast.com (`fast`), Cloudflare, or a file of somebody's
//! - `latency`, `stream`, `transfer`, `measure`: the measuring
//! - `job`: one run

mod allowance;
mod budget;
mod crew;
mod dial;
mod download;
mod fast;
pub mod foreign;
mod job;
mod latency;
mod line;
mod measure;
mod meter;
mod payload;
mod progress;
mod settings;
mod source;
mod speed;
mod stream;
mod transfer;
mod trouble;
mod upload;

pub use job::command;
pub use settings::{BandwidthSettings, Choice};
