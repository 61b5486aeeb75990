//! `porchlight doctor`: a chain that is well, and worlds in which one link is broken: that one is named first, and nothing else is
//! called broken with certainty.

mod answers;
mod bare;
mod cabin;
mod children;
mod cloud;
mod counted;
mod drifted;
mod healthy;
mod home;
mod page;
mod probed;
mod receiver;
mod setup;
mod slow;
mod variant;
mod world;
