//! What holds of addresses, of the prober's parsers and of its pure core, whatever comes.

mod addresses;
mod parsers;
mod plans;
mod records;
