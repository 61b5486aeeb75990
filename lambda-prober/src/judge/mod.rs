//! Judging, pure: from the attempts of a run to a verdict. The same attempts always give the same verdict.
//!
//! - [`observation`]: what attempts saw, phase by phase
//! - [`identity`]: who sent an answer, by its proof and the home's keys
//! - [`start_times`]: when host and beacon started, by what a proof says
//! - [`headers`]: what an answer's headers say of its sender, and of caches
//! - [`verdict`]: the verdicts, each cause with its label and its sentence; the keeper reads them, too
//! - [`locations`]: what a prober at another location says
//! - `dependencies`: what is put down to the outage of something else
//! - [`addresses`]: a home with several web addresses
//! - `conclude`: which attempts count against a home, and which cause is named
//! - `advice`: what to do about an answer that is not the home's
//! - `explain`: attempts in words

pub mod addresses;
pub(crate) mod advice;
mod conclude;
mod dependencies;
pub(crate) mod explain;
pub mod headers;
pub mod identity;
pub mod locations;
pub mod observation;
pub mod start_times;

pub use shared::verdict;

pub use self::{
    conclude::{is_conclusive, judge},
    dependencies::with_dependencies,
};
