//! Looks: what the prober reports of its runs to the home, in signed requests and at a keeper.
//!
//! - [`concluded`]: what the run before concluded, and since when; pure
//! - [`vantage`]: whether a home is looked at from its own network; pure
//! - `viewpoint`: the addresses of this machine that this takes
//! - `outside`: the addresses that the world sees this machine come from
//! - `posted`: what a keeper receives of a run; pure

pub mod concluded;
mod outside;
mod posted;
pub mod vantage;
mod viewpoint;

pub(crate) use self::{
    concluded::Memory,
    outside::OutsideAddresses,
    posted::{looks_api, posted_look},
    viewpoint::Viewpoint,
};
