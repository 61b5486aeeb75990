//! What a page says: pages, their components, and incidents.
//!
//! - `model`: what is stored, in the shape that the API sends; `rows`: how it is read
//! - [`pages`], [`components`], [`incidents`]: reading and changing them
//! - `incident_changes`: what a patch does to an incident; `incident_rows`: its rows
//! - [`groups`]: groups of components, and the order in which all are shown
//! - `plan`: what a maintenance does by itself, and when; `transitions`: does it
//! - [`postmortems`]: what is written about an incident when it is over
//! - `timeline`: incidents as the page lists them
//! - `overall`: the state of a page as a whole
//! - `deleted`: what clients have deleted

pub mod components;
pub(super) mod deleted;
pub mod groups;
mod incident_changes;
pub(super) mod incident_rows;
pub mod incidents;
mod model;
pub(super) mod overall;
pub mod pages;
mod plan;
pub mod postmortems;
mod rows;
pub(super) mod timeline;
pub(super) mod transitions;

pub(super) use self::model::IncidentTimes;
pub use self::{
    incident_changes::IncidentPatch,
    model::{AffectedComponent, Component, Incident, IncidentState, IncidentUpdate, Page, StatusChange},
    overall::Sight,
    plan::{Plan, PlanPatch},
};
