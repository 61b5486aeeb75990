//! A request's body: JSON or a form, of at most 1 MiB, wrapped in one named object.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::header,
};
use serde_json::{Map, Value};

use super::{Refusal, fields::Fields};
use crate::keeper::form;

/// The largest body that is taken.
const LARGEST: usize = 1 << 20;

/// A body that could be read.
#[derive(Debug)]
pub(super) struct Payload(Map<String, Value>);

impl Payload {
    /// The fields inside the wrapper.
    ///
    /// # Errors
    /// When the wrapper is missing.
    pub(super) fn wrapped(mut self, name: &'static str) -> Result<Fields, Refusal> {
        match self.0.remove(name) {
            Some(Value::Object(fields)) => Ok(Fields::new(fields)),
            _ => Err(Refusal::bad_request(format!("{name} is missing: the body is {{\"{name}\":{{…}}}}"))),
        }
    }
}

/// A body that must be a JSON object.
#[derive(Debug)]
pub(super) struct JsonObject(pub(super) Map<String, Value>);

impl<S: Sync> FromRequest<S> for Payload {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let kind = ContentType::of(&request).ok_or_else(Refusal::wrong_content_type)?;
        let body = read(request.into_body()).await?;
        match kind {
            ContentType::Form => form::parse(&body).map_err(Refusal::bad_request),
            ContentType::Json => json_object(&body),
        }
        .map(Self)
    }
}

impl<S: Sync> FromRequest<S> for JsonObject {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        match ContentType::of(&request) {
            Some(ContentType::Json) => json_object(&read(request.into_body()).await?).map(Self),
            _ => Err(Refusal::wrong_content_type()),
        }
    }
}

fn json_object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Refusal::bad_request("the body must be a JSON object")),
        Err(error) => Err(Refusal::bad_request(format!("the body is not JSON: {error}"))),
    }
}

async fn read(body: Body) -> Result<axum::body::Bytes, Refusal> {
    to_bytes(body, LARGEST).await.map_err(|error| {
        use http_body_util::LengthLimitError;
        let source = std::error::Error::source(&error);
        if source.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            Refusal::too_large(LARGEST)
        } else {
            Refusal::bad_request("the body broke off")
        }
    })
}

enum ContentType {
    Json,
    Form,
}

impl ContentType {
    fn of(request: &Request) -> Option<Self> {
        let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
        match value.split(';').next()?.trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            _ => None,
        }
    }
}
