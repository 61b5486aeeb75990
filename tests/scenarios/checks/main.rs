//! Checks, as a keeper takes them: real keepers, and calls as their clients make them.
//!
//! - `registered`: what programs register, and what comes of it; `passive`: checks that call us; `clients`: by clients that others
//!   published; `summary`: `UpTimePulse`'s interface; `pinglow`: Pinglow's

mod clients;
mod passive;
mod pinglow;
mod registered;
mod summary;
