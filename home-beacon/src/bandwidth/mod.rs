//! `bandwidth`: how fast the line is, without using it up.

pub mod record;
