//! What is worth telling a person, and the channels over which that is done. Who sends what, and when, is decided elsewhere.
//!
//! - [`event`]: what happened, in words; [`rules`]: which stage of it is due; [`quiet`]: when none is (all pure)
//! - [`channel`]: one line of `NOTIFY_URLS`, checked, and what it makes of an event (pure)
//! - [`send`]: the calls; [`settings`]: where the addresses stand

pub mod channel;
pub mod event;
pub mod quiet;
pub mod rules;
pub mod send;
pub mod settings;
