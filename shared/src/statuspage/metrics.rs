//! Metrics of one's own data: each belongs to a provider of the type `Self`, which a page has one of, or none yet.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Client;
use crate::{
    api::ApiError,
    id::{MetricId, MetricsProviderId, PageId},
};

/// The type of what is sent points, as the API names it.
const OWN_DATA: &str = "Self";

/// What metrics belong to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MetricsProvider {
    /// Its id.
    pub id: MetricsProviderId,
    /// Pingdom, Datadog …, or `Self`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

impl MetricsProvider {
    /// Whether its metrics are sent points.
    pub fn takes_points(&self) -> bool {
        self.kind == OWN_DATA
    }
}

/// A metric of a page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedMetric {
    /// Its id.
    pub id: MetricId,
    /// As readers see it.
    #[serde(default)]
    pub name: String,
    /// What who made it called it.
    #[serde(default)]
    pub metric_identifier: Option<String>,
}

/// A metric that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMetric<'a> {
    /// As readers see it.
    pub name: &'a str,
    /// What it is known by to who made it.
    pub identifier: &'a str,
    /// The unit, like ms.
    pub suffix: &'a str,
    /// How many digits are shown behind the point.
    pub decimal_places: u8,
    /// What readers are told of it.
    pub description: &'a str,
}

impl Client {
    /// What the metrics of a page belong to.
    pub async fn providers(&self, page: &PageId) -> Result<Vec<MetricsProvider>, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}/metrics_providers"), None).await
    }

    /// Makes one whose metrics are sent points.
    pub async fn add_provider(&self, page: &PageId) -> Result<MetricsProvider, ApiError> {
        let body = json!({ "metrics_provider": { "type": OWN_DATA } });
        self.0.call(Method::POST, &format!("/pages/{page}/metrics_providers"), Some(&body)).await
    }

    /// Deletes one with all its metrics.
    pub async fn delete_provider(&self, page: &PageId, provider: &MetricsProviderId) -> Result<(), ApiError> {
        let path = format!("/pages/{page}/metrics_providers/{provider}");
        self.0.call::<Value>(Method::DELETE, &path, None).await.map(drop)
    }

    /// The first metrics of a provider.
    pub async fn metrics_of(&self, page: &PageId, provider: &MetricsProviderId) -> Result<Vec<NamedMetric>, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}/metrics_providers/{provider}/metrics"), None).await
    }

    /// The first 100 metrics of a page, by name.
    pub async fn named_metrics(&self, page: &PageId) -> Result<Vec<NamedMetric>, ApiError> {
        self.0.call(Method::GET, &format!("/pages/{page}/metrics?per_page=100"), None).await
    }

    /// Makes a metric that is sent points.
    pub async fn add_metric(
        &self,
        page: &PageId,
        provider: &MetricsProviderId,
        new: &NewMetric<'_>,
    ) -> Result<NamedMetric, ApiError> {
        let body = json!({ "metric": {
            "name": new.name,
            "metric_identifier": new.identifier,
            "suffix": new.suffix,
            "decimal_places": new.decimal_places,
            "tooltip_description": new.description,
            "display": true,
        } });
        self.0.call(Method::POST, &format!("/pages/{page}/metrics_providers/{provider}/metrics"), Some(&body)).await
    }

    /// Deletes a metric with its points.
    pub async fn delete_metric(&self, page: &PageId, metric: &MetricId) -> Result<(), ApiError> {
        self.0.call::<Value>(Method::DELETE, &format!("/pages/{page}/metrics/{metric}"), None).await.map(drop)
    }
}
