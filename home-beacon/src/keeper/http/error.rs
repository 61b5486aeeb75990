//! Refusals: a status and `{"error": …}`, as statuspage.io does. A client's mistake is never a 500.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::keeper::KeeperError;

/// How a keeper says that it has no relay.
pub const NO_RELAY: &str = "this keeper does not relay";

/// How a keeper says that no home can join it.
pub const NO_JOINS: &str = "this keeper takes no homes";

/// How a keeper says that it sends no notices.
pub const NO_NOTICES: &str = "this keeper writes to nobody";

/// How many seconds a client should leave a busy keeper alone.
const BUSY: u64 = 5;

/// An answer that is not what the client asked for.
#[derive(Debug)]
pub(in crate::keeper) struct HttpError {
    status: StatusCode,
    /// A sentence, or with 422 a list of them.
    error: Value,
    /// More than statuspage.io says.
    message: Option<String>,
    retry_after: Option<u64>,
}

impl HttpError {
    fn new(status: StatusCode, error: impl Into<Value>) -> Self {
        Self { status, error: error.into(), message: None, retry_after: None }
    }

    /// In statuspage.io's words, and what was wrong with the header.
    pub(super) fn unauthenticated(why: &str) -> Self {
        let message = format!("{why}: send the keeper's token as the header `Authorization: OAuth <KEEPER_TOKEN>`");
        Self { message: Some(message), ..Self::new(StatusCode::UNAUTHORIZED, "Could not authenticate") }
    }

    /// What is wrong with the key of a client of Pinglow's API.
    pub(super) fn wrong_key(why: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            format!("{why}: send this keeper's PINGLOW_API_KEY as the header `x-api-key`"),
        )
    }

    /// That a check runs by itself, and takes no word for it.
    pub(super) fn not_passive(name: &str) -> Self {
        let message =
            format!("{name} is no passive check: a program runs it, so what comes of that is no caller's to say");
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(super) fn no_check(name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no check {name}: GET /checks lists those that there are"))
    }

    /// What a token of one page does not open.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message.into())
    }

    pub(super) fn revoked() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Could not authenticate: this token was revoked")
    }

    pub(super) fn no_joins() -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{NO_JOINS}: it was not started by `porchlight up --outside`"))
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message.into())
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} could not be found"))
    }

    pub(super) fn no_home() -> Self {
        let message =
            "outages are not known: this keeper is not at a home whose component it knows, or has recorded nothing yet";
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn no_relay() -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{NO_RELAY}: UPSTREAM_URL is not set"))
    }

    pub(super) fn no_notices() -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{NO_NOTICES}: NOTIFY_URLS is not set"))
    }

    pub(super) fn no_address() -> Self {
        let message = "the home's address is not known: no run of `dns` with this keeper's KEEPER_URL has set it yet";
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn no_ipv4() -> Self {
        let message = "no IPv4 address of the home is known, and text/plain has no other: ask for application/json";
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
    }

    pub(super) fn too_large(bytes: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body may have {bytes} bytes"))
    }

    pub(super) fn wrong_content_type() -> Self {
        let message =
            "the content type must be application/json or application/x-www-form-urlencoded, and match the body";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, vec![message.into()])
    }

    /// The same as a 400, for calls whose description has no 422; what is no mistake of the client's stays what it is.
    pub(super) fn into_bad_request(self) -> Self {
        match self.error {
            Value::Array(said) if self.status == StatusCode::UNPROCESSABLE_ENTITY => {
                let said: Vec<_> = said.iter().filter_map(Value::as_str).collect();
                Self::bad_request(said.join("; "))
            }
            error => Self { error, ..self },
        }
    }

    /// The same, with where it is said first.
    pub(super) fn within(self, place: &str) -> Self {
        let within = |said: Value| match said {
            Value::String(said) => Value::String(format!("{place}.{said}")),
            said => said,
        };
        let error = match self.error {
            Value::Array(said) => said.into_iter().map(within).collect(),
            said => within(said),
        };
        Self { error, ..self }
    }

    pub(in crate::keeper) fn unavailable(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// statuspage.io sends 420 or 429; `seconds` is when the next call will pass.
    pub(super) fn rate_limited(status: StatusCode, seconds: u64) -> Self {
        let error = "too many calls in the last 60 seconds";
        Self { retry_after: Some(seconds), ..Self::new(status, error) }
    }
}

impl HttpError {
    /// Its status.
    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    /// What it says, for a person.
    pub(super) fn words(&self) -> String {
        match &self.error {
            Value::String(said) => said.clone(),
            Value::Array(said) => said.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        }
    }
}

impl From<KeeperError> for HttpError {
    fn from(error: KeeperError) -> Self {
        match error {
            KeeperError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            KeeperError::Conflict(_) => Self::new(StatusCode::PRECONDITION_FAILED, error.to_string()),
            KeeperError::Invalid(message) => Self::unprocessable(message),
            KeeperError::Storage(cause) if cause.is_busy() => {
                Self { retry_after: Some(BUSY), ..Self::unavailable("the keeper is busy; try again in a moment") }
            }
            // That is logged once, for as long as it lasts.
            KeeperError::Storage(cause) if cause.is_of_the_disk() => {
                Self::unavailable("the keeper's storage cannot be written now; try again later")
            }
            KeeperError::Storage(cause) => {
                tracing::error!(error = &cause as &dyn std::error::Error, "storage");
                Self::unavailable("the keeper's storage fails; try again later")
            }
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.error });
        if let Some(message) = self.message {
            body["message"] = message.into();
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
