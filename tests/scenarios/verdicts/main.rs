//! The design's table, row by row, by real sockets and packets: what the real prober concludes, and what a keeper's page
//! says afterwards.

mod answers;
mod blindness;
mod caches;
mod certificates;
mod degraded;
mod expected;
mod locations;
mod names;
mod packets;
mod several;
mod strangers;
mod terminal;
mod world;
