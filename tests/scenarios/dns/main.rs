//! `dns` against a scripted DuckDNS, address sources and name servers.

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
mod second;
mod settings;
mod world;
