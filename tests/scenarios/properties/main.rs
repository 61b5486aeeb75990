//! What holds of the prober's parsers and of its pure core, whatever comes.

mod parsers;
mod plans;
mod records;
