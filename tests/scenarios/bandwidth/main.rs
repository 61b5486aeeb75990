//! `bandwidth`, the real binary, against emulators of its sources.

mod budget;
mod bytes;
mod costs;
mod ends;
mod failures;
mod measured;
mod memory;
mod parsers;
mod settings;
mod shaped;
mod world;
