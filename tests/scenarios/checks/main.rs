//! Checks, as a keeper takes them: real keepers, and calls as their clients make them.
//!
//! - `registered`: what programs register, and what comes of it; `passive`: checks that call us; `clients`: by clients that others
//!   published; `summary`: `UpTimePulse`'s interface

mod clients;
mod passive;
mod registered;
mod summary;
