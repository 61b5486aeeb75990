//! What is measured: readings, the metrics that show them, and when the keeper was alive to record any.
//!
//! - [`ingest`]: readings and points as they come in; `undated`: those that wait for the clock to be set; [`dating`]: and
//!   get their time
//! - `runs`: what comes of checks with them
//! - [`heartbeats`]: when the keeper was alive, and the gaps between
//! - [`metrics`], [`metrics_providers`]: a page's metrics, and the providers that they belong to
//! - `series_rows`: the rows of series; [`series`]: buckets of them over time; [`latest`]: their latest readings
//! - `on_the_way`: what was asked on the way to the world
//! - [`line_quality`]: what bandwidth tests say of the line as a whole; `monthly`, `at_rest`: what a month's
//!   readings came to
//! - [`retention`]: what becomes of old readings; `ages`: when they are old

pub(in crate::keeper) mod ages;
pub(in crate::keeper) mod at_rest;
pub mod dating;
pub mod heartbeats;
pub mod ingest;
pub mod latest;
pub mod line_quality;
pub mod metrics;
pub mod metrics_providers;
pub(in crate::keeper) mod monthly;
pub(in crate::keeper) mod on_the_way;
pub mod retention;
mod runs;
pub mod series;
pub(in crate::keeper) mod series_rows;
mod undated;

pub use self::{dating::Dated, ingest::Recorder};
