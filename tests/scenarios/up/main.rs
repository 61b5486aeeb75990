//! `porchlight up`, `down` and `status`, as a newcomer uses them.

mod checked;
mod dark;
mod half_made;
mod heartbeats;
mod life;
mod refused;
mod rejoined;
mod routed;
mod two;
mod two_machines;
mod world;
