//! `porchlight setup` and `teardown` against moto, a keeper as statuspage.io, the emulator of DuckDNS and a real beacon. The one call
//! that moto cannot answer, the function's run, is answered by the prober beside it. In `lan` the router is a real
//! miniupnpd, and the prober looks from the other side of it.

mod alone;
mod beside;
mod checkout;
mod cluster;
mod front_door;
mod gone;
mod killed;
mod lan;
mod lan_cluster;
mod left;
mod networks;
mod ports;
mod questions;
mod refused;
mod road;
mod session;
mod world;
