//! Names and connections as every program here has them: real name servers, search lists, and lines that lose packets.

mod connecting;
mod search;
mod servers;
mod world;
