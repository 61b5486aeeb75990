//! What a keeper takes and how much it bears, as figures: printed, and held against what the design promises.
//!
//! - `day`: what a day writes to the disk
//! - `year`: memory, answers and start after a year
//! - `flood`: a thousand points a second
//! - `offline`: how long 27 days without a line take to be sent
//! - `world`: what they have in common

mod day;
mod flood;
mod offline;
mod world;
mod year;
