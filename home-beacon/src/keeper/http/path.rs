//! The ids in a path, and the query behind it. What cannot be read is answered as the API does, not in plain text.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use shared::id::{ComponentGroupId, ComponentId, IncidentId, MetricId, MetricsProviderId, PageId};

use super::HttpError;

/// The parts of a path that the route names, each read into its type. An id of another shape cannot exist.
pub(super) struct InPath<T>(pub(super) T);

/// A part of a path.
pub(super) trait PathPart: Sized {
    fn read(text: &str) -> Result<Self, HttpError>;
}

/// One part, or several.
pub(super) trait PathParts: Sized {
    type Texts: DeserializeOwned + Send;

    fn read_all(texts: &Self::Texts) -> Result<Self, HttpError>;
}

impl<T: PathParts, S: Sync + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        // No id holds it, and a PostgreSQL would not even be asked.
        if parts.uri.path().contains("%00") {
            return Err(HttpError::not_found("this path"));
        }
        let path = Path::<T::Texts>::from_request_parts(parts, state).await;
        let Path(texts) = path.map_err(|_| HttpError::not_found("this path"))?;
        T::read_all(&texts).map(Self)
    }
}

impl<A: PathPart> PathParts for A {
    type Texts = String;

    fn read_all(text: &String) -> Result<Self, HttpError> {
        A::read(text)
    }
}

impl<A: PathPart, B: PathPart> PathParts for (A, B) {
    type Texts = (String, String);

    fn read_all((a, b): &Self::Texts) -> Result<Self, HttpError> {
        Ok((A::read(a)?, B::read(b)?))
    }
}

impl<A: PathPart, B: PathPart, C: PathPart> PathParts for (A, B, C) {
    type Texts = (String, String, String);

    fn read_all((a, b, c): &Self::Texts) -> Result<Self, HttpError> {
        Ok((A::read(a)?, B::read(b)?, C::read(c)?))
    }
}

impl PathPart for String {
    fn read(text: &str) -> Result<Self, HttpError> {
        Ok(text.to_owned())
    }
}

impl PathPart for PageId {
    fn read(text: &str) -> Result<Self, HttpError> {
        text.parse().map_err(|_| HttpError::not_found("this page"))
    }
}

impl PathPart for ComponentId {
    fn read(text: &str) -> Result<Self, HttpError> {
        text.parse().map_err(|_| HttpError::not_found("this component"))
    }
}

impl PathPart for ComponentGroupId {
    fn read(text: &str) -> Result<Self, HttpError> {
        text.parse().map_err(|_| HttpError::not_found("this component group"))
    }
}

impl PathPart for IncidentId {
    fn read(text: &str) -> Result<Self, HttpError> {
        text.parse().map_err(|_| HttpError::not_found("this incident"))
    }
}

impl PathPart for MetricId {
    fn read(text: &str) -> Result<Self, HttpError> {
        text.parse().map_err(|_| HttpError::not_found(&format!("metric {}", text.escape_default())))
    }
}

impl PathPart for MetricsProviderId {
    fn read(text: &str) -> Result<Self, HttpError> {
        text.parse().map_err(|_| HttpError::not_found("this metrics provider"))
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
