//! The `porchlight` tool. It links the rooms as libraries and holds no logic that belongs to one of them.

pub mod command_line;
pub mod demo;
pub mod keygen;
pub mod probe;
pub mod program;
pub mod readings;
pub mod settings;
