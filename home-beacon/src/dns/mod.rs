//! `dns`: keeps the home's name at DuckDNS true.
//!
//! Settings, and what the world says:
//! - [`name`], `token`: a name and a token of DuckDNS
//! - [`answer`], [`source`]: what DuckDNS and address sources answer
//!
//! What is done about it:
//! - `detect`: what sources together say of our address
//! - `decide`: whether DuckDNS is to be called
//! - `update`: what one call sets, and whether it did
//! - `second`: whether the second name's service is to be called; `dyndns`, its protocol; `keep_second`, the call
//! - `consensus`: what public DNS says of it
//! - `record`: what is remembered between runs; `known`: what of it is of use to others
//!
//! For others: [`seen`], the address that the world sees; [`tried`] and [`prove`], whether DuckDNS takes a token.
//!
//! What goes outside: `services` (DuckDNS and sources, over `fetch`), `public` (name servers), and `own`, the
//! address to ask from; `find`, which asks them what is to be done, `job`, one run, and `run_state`, what it has come to.

pub mod answer;
mod consensus;
#[cfg(test)]
mod corpus;
mod decide;
mod detect;
mod dyndns;
mod fetch;
mod find;
mod job;
mod keep_second;
mod known;
pub mod name;
mod own;
mod public;
mod record;
mod run_state;
mod second;
mod seen;
mod services;
mod settings;
mod share;
pub mod source;
mod token;
mod update;

pub use job::command;
pub(crate) use known::{KnownAddresses, STATE};
pub use name::SubName;
pub use own::{Own, own};
pub use seen::seen;
pub use services::{prove, tried};
pub use settings::{ADDRESS_SOURCES, Address, DnsSettings, Families};
pub use token::{DUCKDNS_TOKEN, check_token};
