//! `dns` against a DuckDNS, address sources and name servers that do as they are told.

mod answers;
mod changes;
mod clock;
mod costs;
mod ddclient;
mod detect;
mod emulator;
mod families;
mod kept;
mod public;
mod running;
mod settings;
mod world;
