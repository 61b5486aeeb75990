//! What a component's time was: up, degraded, down, under maintenance, or not looked at. Pure; a time that no look covers is
//! never counted as up.
//!
//! - [`segments`]: from looks and statuses to stretches of one state
//! - [`Tally`]: how much time of each state a window holds, and what uptime that is
//! - [`outages`]: stretches of downtime that belong together
//! - [`days`]: the same for each calendar day of the page's time zone
//! - [`Month`]: calendar months; [`Stretch`]: what a month, or any other window, came to
//! - [`Standing`]: whether it is up now, and since when; [`Downtime`]: for how long it was not, by cause, as a counter
//! - [`kinds`]: what this home's own records say of an outage

mod days;
mod downtime;
pub mod kinds;
mod month;
mod outages;
#[cfg(test)]
mod seconds;
mod segments;
mod standing;
mod stretch;
mod tally;

pub use self::{
    days::{Day, days, start},
    downtime::{Downtime, UNKNOWN},
    month::Month,
    outages::{Ending, Outage, outages},
    segments::{COVERED_BY_A_LOOK, Look, Record, Segment, State, segments},
    standing::Standing,
    stretch::{Beginning, Clipped, Stretch},
    tally::Tally,
};
