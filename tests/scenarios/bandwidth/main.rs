//! `bandwidth`, the real binary, against emulators of those whom it measures against.

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
