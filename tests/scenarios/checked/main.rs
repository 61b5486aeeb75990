//! The program `checks` over real sockets: real keepers, and targets that answer as they are told.
//!
//! - `world`: targets, and the program
//! - `runs`: results that a keeper gets, and what they turn
//! - `reloads`: files that change while checks run
//! - `faults`: what is wrong or missing, beside what runs
//! - `asked`: `--once`, `--check` and `--schema`
//! - `alone`: without a keeper; `guide`: the commands of CHECKS.md; `imported`: files of others; `past`: what others have measured; `peer`: the same targets by another program

mod alone;
mod asked;
mod faults;
mod guide;
mod imported;
mod past;
mod peer;
mod reloads;
mod runs;
mod world;
