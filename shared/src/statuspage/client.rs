//! The client: one method per call, each tried once.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::{Component, ComponentStatus, Incident, IncidentChange, Listing, NamedPage, Page, Point};
use crate::{
    api::{Api, ApiError},
    http,
    id::{ComponentId, IncidentId, MetricId, PageId},
    secret::SecretSource,
};

/// Where statuspage.io serves the API.
pub const STATUSPAGE_IO: &str = "https://api.statuspage.io/v1";

/// The most components that one call lists (statuspage.io's maximum since February 2023).
pub const COMPONENTS_PER_CALL: usize = 100;

/// The most incidents that one call lists.
const INCIDENTS_PER_CALL: usize = 100;

/// A part of a page's incidents.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// The first 100 that are not resolved. Whether maintenance is among them is not documented: check the status.
    Unresolved,
    /// So many of the last, whatever became of them, the newest first.
    Recent(usize),
    /// The first 100 of maintenance that is planned.
    Scheduled,
    /// The first 100 of maintenance that is under way.
    ActiveMaintenance,
}

/// A client of one statuspage server with one token.
#[derive(Clone, Debug)]
pub struct Client(pub(super) Api);

impl Client {
    /// A client of the server whose API begins at `base` (statuspage.io's ends with `/v1`).
    pub fn new(http: http::Client, base: &Url, token: impl Into<SecretSource>) -> Self {
        Self(Api::new(http, base, token))
    }

    /// One listing of up to [`COMPONENTS_PER_CALL`] components, counted from 1.
    pub async fn components(&self, page: &PageId, listing: usize) -> Result<Listing, ApiError> {
        let path = format!("/pages/{page}/components?page={listing}&per_page={COMPONENTS_PER_CALL}");
        let (components, from_keeper) = self.0.call_perhaps_a_keeper(Method::GET, &path).await?;
        Ok(Listing::new(components, from_keeper))
    }

    /// One component.
    pub async fn component(&self, page: &PageId, component: &ComponentId) -> Result<Component, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}/components/{component}"), None).await
    }

    /// Sets the status of a component; the component as it is afterwards.
    pub async fn set_status(
        &self,
        page: &PageId,
        component: &ComponentId,
        status: ComponentStatus,
    ) -> Result<Component, ApiError> {
        let body = json!({ "component": { "status": status } });
        self.0.call(Method::PATCH, &format!("/pages/{page}/components/{component}"), Some(&body)).await
    }

    /// The pages that the token opens.
    pub async fn pages(&self) -> Result<Vec<NamedPage>, ApiError> {
        self.0.call(Method::GET, "/pages", None).await
    }

    /// Makes a component of that name, which is operational at first.
    pub async fn add_component(&self, page: &PageId, name: &str, description: &str) -> Result<Component, ApiError> {
        let component = json!({ "name": name, "description": description, "status": ComponentStatus::Operational });
        let body = json!({ "component": component });
        self.0.call(Method::POST, &format!("/pages/{page}/components"), Some(&body)).await
    }

    /// Deletes a component with its history.
    pub async fn delete_component(&self, page: &PageId, component: &ComponentId) -> Result<(), ApiError> {
        let path = format!("/pages/{page}/components/{component}");
        self.0.call::<Value>(Method::DELETE, &path, None).await.map(drop)
    }

    /// A page.
    pub async fn page(&self, page: &PageId) -> Result<Page, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}"), None).await
    }

    /// The first 100 metrics of a page, each whole.
    pub async fn metrics(&self, page: &PageId) -> Result<Vec<Value>, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}/metrics?per_page=100"), None).await
    }

    /// A metric, whole.
    pub async fn metric(&self, page: &PageId, metric: &MetricId) -> Result<Value, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}/metrics/{metric}"), None).await
    }

    /// The incidents of that part of the page: [`Incidents`](super::Incidents), or documents, each whole.
    pub async fn incidents<T: DeserializeOwned>(&self, page: &PageId, which: Which) -> Result<T, ApiError> {
        let path = match which {
            Which::Unresolved => format!("/pages/{page}/incidents/unresolved?per_page={INCIDENTS_PER_CALL}"),
            Which::Recent(count) => format!("/pages/{page}/incidents?limit={count}"),
            Which::Scheduled => format!("/pages/{page}/incidents/scheduled?per_page={INCIDENTS_PER_CALL}"),
            Which::ActiveMaintenance => {
                format!("/pages/{page}/incidents/active_maintenance?per_page={INCIDENTS_PER_CALL}")
            }
        };
        self.0.call(Method::GET, &path, None).await
    }

    /// Opens an incident, and sets the components that it names.
    pub async fn open_incident(&self, page: &PageId, incident: &IncidentChange) -> Result<Incident, ApiError> {
        let body = json!({ "incident": incident });
        self.0.call(Method::POST, &format!("/pages/{page}/incidents"), Some(&body)).await
    }

    /// Changes an incident, and the components that the change names.
    pub async fn change_incident(
        &self,
        page: &PageId,
        incident: &IncidentId,
        change: &IncidentChange,
    ) -> Result<Incident, ApiError> {
        let body = json!({ "incident": change });
        self.0.call(Method::PATCH, &format!("/pages/{page}/incidents/{incident}"), Some(&body)).await
    }

    /// Changes of an incident what the document names, and nothing else; the incident as it is afterwards, whole.
    pub async fn update_incident(
        &self,
        page: &PageId,
        incident: &IncidentId,
        change: &Value,
    ) -> Result<Value, ApiError> {
        self.0.call(Method::PATCH, &format!("/pages/{page}/incidents/{incident}"), Some(change)).await
    }

    /// Deletes an incident with its updates.
    pub async fn delete_incident(&self, page: &PageId, incident: &IncidentId) -> Result<(), ApiError> {
        self.0.call::<Value>(Method::DELETE, &format!("/pages/{page}/incidents/{incident}"), None).await.map(drop)
    }

    /// One incident, whole.
    pub async fn incident_document(&self, page: &PageId, incident: &IncidentId) -> Result<Value, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}/incidents/{incident}"), None).await
    }

    /// Adds points to several metrics in one call. The service answers before it has stored them, and moves each to its
    /// slot of 30 s, where the last one wins, so that sending them again changes nothing.
    pub async fn add_points(&self, page: &PageId, points: &BTreeMap<MetricId, Vec<Point>>) -> Result<(), ApiError> {
        let body = json!({ "data": points });
        self.0.call::<Value>(Method::POST, &format!("/pages/{page}/metrics/data"), Some(&body)).await.map(drop)
    }

    /// Adds a point to a metric. The service moves it to its slot of 30 s, where the last one wins, so that sending one
    /// again changes nothing.
    pub async fn add_point(&self, page: &PageId, metric: &MetricId, point: Point) -> Result<(), ApiError> {
        let body = json!({ "data": point });
        self.0.call::<Value>(Method::POST, &format!("/pages/{page}/metrics/{metric}/data"), Some(&body)).await.map(drop)
    }
}
