//! `bandwidth`, the real binary, against emulators of its sources.

mod budget;
mod bytes;
mod costs;
mod ends;
mod measured;
mod parsers;
mod settings;
mod shaped;
mod troubles;
mod world;
