//! The keeper's relay, mirror and hold, through the real program.

mod causes;
mod clocks;
mod cuts;
mod delivery;
mod mirrored;
mod outage;
mod owned;
mod queued;
mod refused;
mod repeated;
mod world;
