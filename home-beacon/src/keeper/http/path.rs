//! The ids in a path, and the query behind it. What cannot be read is answered as the API does, not in plain text.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use shared::id::{ComponentId, IncidentId, MetricId, MetricsProviderId, PageId};

use super::HttpError;

/// The parts of a path that the route names.
pub(super) struct InPath<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Sync + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        // No id holds it, and a PostgreSQL would not even be asked.
        if parts.uri.path().contains("%00") {
            return Err(HttpError::not_found("this path"));
        }
        let path = Path::from_request_parts(parts, state).await.map_err(|_| HttpError::not_found("this path"))?;
        Ok(Self(path.0))
    }
}

/// What follows the question mark.
pub(super) struct InQuery(pub(super) HashMap<String, String>);

impl<S: Sync + Send> FromRequestParts<S> for InQuery {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        let query = Query::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let query = query.map_err(|_| HttpError::bad_request("the query cannot be read"))?.0;
        match query.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            None => Ok(Self(query)),
            Some((name, _)) => Err(HttpError::unprocessable(format!(
                "{}: holds the character U+0000, which no text may",
                name.replace('\0', "\u{fffd}")
            ))),
        }
    }
}

pub(super) fn component_id(text: &str) -> Result<ComponentId, HttpError> {
    text.parse().map_err(|_| HttpError::not_found("this component"))
}

pub(super) fn incident_id(text: &str) -> Result<IncidentId, HttpError> {
    text.parse().map_err(|_| HttpError::not_found("this incident"))
}

pub(super) fn metric_id(text: &str) -> Result<MetricId, HttpError> {
    text.parse().map_err(|_| HttpError::not_found(&format!("metric {}", text.escape_default())))
}

pub(super) fn provider_id(text: &str) -> Result<MetricsProviderId, HttpError> {
    text.parse().map_err(|_| HttpError::not_found("this metrics provider"))
}

/// An id in a path; one of another shape cannot exist.
pub(super) fn page_id(text: &str) -> Result<PageId, HttpError> {
    text.parse().map_err(|_| HttpError::not_found("this page"))
}
