//! The keeper as a server of statuspage.io's APIs: what real clients send is read as it is meant, or refused by name.

mod bodies;
mod keys;
mod places;
mod public;
mod real;
mod seeds;
mod times;
mod world;
