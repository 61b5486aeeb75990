//! The home side.
//!
//! - [`beacon`]: the public face; answers, and offers nothing else
//! - [`keeper`]: the private log; a statuspage.io-compatible server over one embedded database
//! - [`ping`], [`bandwidth`], [`dns`]: the jobs, which measure once and hand over; [`job`]: what they have in common
//! - [`checks`]: runs what `checks.yml` defines, and hands over what came of it
//! - [`heartbeat`]: how a home that nobody can reach says that it is there
//! - [`node`]: what the sensors of one machine say, for Prometheus
//! - [`join`]: how a home and its outside machine meet
//! - [`reading`]: what they hand over
//! - [`serve`]: the accept loop of beacon and keeper, with bounds that clients cannot exhaust
//! - [`clock`]: where the time comes from
//! - [`programs`]: what each executable reads and wires

#![warn(missing_docs)]

pub mod bandwidth;
pub mod beacon;
pub mod checks;
pub mod clock;
pub mod dns;
mod exposition;
pub mod heartbeat;
pub mod job;
pub mod join;
pub mod keeper;
pub mod node;
pub mod ping;
pub mod programs;
pub mod reading;
pub mod serve;
