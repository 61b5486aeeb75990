//! The keeper on a disk that lets it down: full, read-only, or with a database that is damaged; and how it ends while others
//! hang.

mod damaged;
mod ending;
mod full;
mod read_only;
mod world;
