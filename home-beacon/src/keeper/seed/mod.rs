//! The seed: page, components and metrics with the ids that the user already has upstream.
//!
//! - `file`: the TOML file
//! - [`apply`]: what a start does with it; [`first_page`]: and without one
//! - [`Branding`]: how the page looks by it
//! - `marks`: what the database remembers of it

mod apply;
mod branding;
mod file;
mod first;
mod marks;

pub(super) use self::apply::metrics_put_away;
pub use self::{
    apply::apply,
    branding::{Branding, Colour, Logo},
    file::{MAX_DECIMAL_PLACES, Seed, SeedComponent, SeedMetric, SeedPage},
    first::first_page,
};
