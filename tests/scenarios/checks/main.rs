//! Checks, as a keeper takes them: real keepers, and calls as their clients make them.
//!
//! - `registered`: what programs register, and what comes of it; `passive`: checks that call us; `summary`: `UpTimePulse`'s interface

mod passive;
mod registered;
mod summary;
