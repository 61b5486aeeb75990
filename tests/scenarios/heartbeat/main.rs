//! Heartbeats against a function that is as strict as the real one: of the program, and of a keeper.

mod job;
mod kept;
mod settings;
mod trouble;
mod world;
