//! Planning, pure: from verdicts and a page as read to the calls that make the page say what it should; none when it
//! does.
//!
//! The plan is made again after each read, so that what another client did meanwhile, or an earlier try whose answer
//! was lost, leaves less to do.
//!
//! - [`rules`](Rules): what the operator wants of a page
//! - [`statuses`]: the component's status for each cause
//! - [`view`](View): a page as read, and the targets that it shows
//! - [`our_incident`](OurIncident): incidents that a prober opened, and what it noted there
//! - [`call`](Call): a call that changes the page
//! - [`changes`](plan()): which calls are needed
//! - `incidents`: opening, updating and resolving an incident
//! - `texts`: what incidents say
//! - [`outage_kind`](OutageKind): power cut, restart of the beacon, or neither
//! - [`homes_word`](HomesWord): the outage in the home's own words
//! - [`recheck`]: what is read again right before a plan is applied, and which components are skipped then

mod call;
mod changes;
mod homes_word;
mod incidents;
mod our_incident;
mod outage_kind;
pub mod recheck;
mod rules;
pub mod statuses;
mod texts;
mod view;

pub use self::{
    call::Call,
    changes::plan,
    homes_word::HomesWord,
    our_incident::{Note, OurIncident},
    outage_kind::OutageKind,
    rules::Rules,
    view::{Subject, View},
};
pub(crate) use self::{
    our_incident::oldest_open,
    texts::{length, these, zone},
};

#[cfg(test)]
mod tests;
