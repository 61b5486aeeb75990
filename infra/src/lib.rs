//! The `porchlight` tool. It links the other crates as libraries and holds no logic that belongs to one of them.
//!
//! - [`settings`][]: the subcommands and their flags
//! - [`demo`][]: keeper, beacon, prober and a line that can be cut, in one process
//! - [`doctor`][]: which link between a home and its page is broken
//! - [`up`]: a home on one machine, without any account
//! - [`probe`][]: one probe of a home, explained
//! - [`readings`][]: the latest readings of a keeper
//! - [`health`][]: how the program of a container is
//! - [`tokens`][]: what opens a page of a keeper, and codes by which a home joins
//! - [`notify`][]: tries the channels of notices
//! - [`import`]: what other programs check, as a `checks.yml`, and their past; [`export`][]: what a keeper knows
//! - [`keygen`][]: keys
//! - [`port`][]: the router's port
//! - [`setup`][]: from accounts to a page that tells the truth, and back
//! - [`cost`][]: what homes cost in the cloud
//! - [`program`]: the other programs as commands of this one
//! - [`command_line`]: completions and man pages of all programs

mod child;
pub mod command_line;
pub mod copy;
pub mod cost;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod health;
pub mod import;
pub mod keygen;
pub mod notify;
pub mod port;
pub mod probe;
pub mod program;
pub mod readings;
pub mod settings;
pub mod setup;
mod terminal;
pub mod tokens;
pub mod up;
