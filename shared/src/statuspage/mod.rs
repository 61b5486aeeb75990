//! The statuspage.io Manage API as we use it: a typed client, its types, and what can go wrong.
//!
//! Requests are wrapped (`{"component":{…}}`), answers are bare, the token travels as `Authorization: OAuth …`.
//! A keeper speaks the same API, so they differ by the base URL alone.

mod client;
mod incident;
mod metrics;
mod status;
mod types;

pub use client::{COMPONENTS_PER_CALL, Client, STATUSPAGE_IO, Which};
pub use incident::{Incident, IncidentChange, Incidents};
pub use metrics::{MetricsProvider, NamedMetric, NewMetric};
pub use status::{ComponentStatus, Impact, IncidentStatus, UnknownImpact, UnknownIncidentStatus, UnknownStatus};
pub use types::{Component, Listing, NamedComponent, NamedPage, Page, Point, Warning};
