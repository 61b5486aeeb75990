//! A request's body: JSON or a form, of at most 1 MiB, wrapped in one named object.
//!
//! What it is, its first character says before its content type does: clients send JSON without a type, and `curl -d`
//! calls everything a form. Nothing that a database would refuse gets further than here.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, Request},
    http::header,
};
use futures_util::stream;
use multer::Multipart;
use serde_json::{Map, Value};

use super::{
    HttpError,
    fields::{Fields, says_something},
    form::{self, Form},
};

/// The largest body that is taken.
const MAX_BODY: usize = 1 << 20;

/// The same where all checks of a program come at once.
const MAX_LARGE_BODY: usize = 8 << 20;

/// The same where a picture of a mebibyte may be in it, in base64.
const MAX_BODY_WITH_PICTURE: usize = 1_500_000;

/// What some editors and Windows put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What may stand beside the wrapper: what Rails' own forms send along, and the key of who is let in by one.
const BESIDE: [&str; 5] = ["_method", "api_key", "authenticity_token", "commit", "utf8"];

const ENCODED_TWICE: &str = "is a text that holds JSON: it was encoded twice; send the object itself";

/// A body that could be read.
#[derive(Debug)]
pub(super) struct Payload(Map<String, Value>);

impl Payload {
    /// Whether nothing was sent.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a field that the description has beside the wrapper into it, unless it is there already.
    pub(super) fn move_inside(&mut self, name: &str, wrapper: &str) {
        if let (Some(value), Some(Value::Object(fields))) = (self.0.remove(name), self.0.get_mut(wrapper)) {
            fields.entry(name).or_insert(value);
        }
    }

    /// The fields inside the wrapper.
    ///
    /// # Errors
    /// When the wrapper is missing, or when one of `inside`, or anything else that says something, stands beside it, where it
    /// would be lost.
    pub(super) fn wrapped(mut self, name: &'static str, inside: &[&str]) -> Result<Fields, HttpError> {
        match self.0.remove(name) {
            Some(Value::Object(fields)) => {
                let lost = |(key, value): &(&String, &Value)| {
                    let key = key.as_str();
                    inside.contains(&key) || (!BESIDE.contains(&key) && says_something(value))
                };
                match self.0.iter().find(lost) {
                    None => Ok(Fields::new(fields)),
                    Some((lost, _)) => Err(HttpError::unprocessable(format!(
                        "{lost}: stands beside {name}, where it would be lost: send it as {name}[{lost}], or leave it out"
                    ))),
                }
            }
            Some(Value::String(text)) if holds_json(&text) => {
                Err(HttpError::bad_request(format!("{name} {ENCODED_TWICE}")))
            }
            _ => Err(HttpError::bad_request(format!("{name} is missing: the body is {{\"{name}\":{{…}}}}"))),
        }
    }
}

/// A body that must be a JSON object.
#[derive(Debug)]
pub(super) struct JsonObject(pub(super) Map<String, Value>);

/// A body that must be a JSON object, and may be large.
#[derive(Debug)]
pub(super) struct LargeJsonObject(pub(super) Map<String, Value>);

/// A body that must be a JSON object, and may hold a picture.
#[derive(Debug)]
pub(super) struct JsonObjectWithPicture(pub(super) Map<String, Value>);

impl<S: Sync> FromRequest<S> for JsonObjectWithPicture {
    type Rejection = HttpError;

    async fn from_request(request: Request, _: &S) -> Result<Self, HttpError> {
        object(request, MAX_BODY_WITH_PICTURE).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for LargeJsonObject {
    type Rejection = HttpError;

    async fn from_request(request: Request, _: &S) -> Result<Self, HttpError> {
        object(request, MAX_LARGE_BODY).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for Payload {
    type Rejection = HttpError;

    async fn from_request(request: Request, _: &S) -> Result<Self, HttpError> {
        let kind = ContentType::of(&request);
        let body = read(request.into_body(), MAX_BODY).await?;
        let object = match kind {
            _ if looks_like_json(&body) => json_object(&body),
            ContentType::Json => json_object(&body),
            ContentType::Form => form::parse(&body).map_err(HttpError::bad_request),
            // As Rack has it. A text that is no field at all is more likely something else.
            ContentType::None if body.is_empty() || body.contains(&b'=') => {
                form::parse(&body).map_err(HttpError::bad_request)
            }
            ContentType::Parts(boundary) => parts(body, boundary).await,
            ContentType::None | ContentType::Other => Err(HttpError::wrong_content_type()),
        }?;
        can_be_stored(&object)?;
        Ok(Self(object))
    }
}

impl<S: Sync> FromRequest<S> for JsonObject {
    type Rejection = HttpError;

    async fn from_request(request: Request, _: &S) -> Result<Self, HttpError> {
        object(request, MAX_BODY).await.map(Self)
    }
}

async fn object(request: Request, most: usize) -> Result<Map<String, Value>, HttpError> {
    let kind = ContentType::of(&request);
    let body = read(request.into_body(), most).await?;
    if !looks_like_json(&body) && !matches!(kind, ContentType::Json) {
        return Err(HttpError::wrong_content_type());
    }
    let object = json_object(&body)?;
    can_be_stored(&object)?;
    Ok(object)
}

/// Whether it begins as an object does, or as the text of a client that encodes twice.
fn looks_like_json(body: &[u8]) -> bool {
    matches!(without_mark(body).trim_ascii_start().first(), Some(b'{' | b'"'))
}

fn holds_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object() || value.is_array() || value.is_string())
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}

fn json_object(body: &[u8]) -> Result<Map<String, Value>, HttpError> {
    match serde_json::from_slice(without_mark(body)) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::String(text)) if holds_json(&text) => {
            Err(HttpError::bad_request(format!("the body {ENCODED_TWICE}")))
        }
        Ok(_) => Err(HttpError::bad_request("the body must be a JSON object")),
        Err(_) if body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]) => {
            Err(HttpError::bad_request("the body is UTF-16: send it in UTF-8"))
        }
        Err(error) => Err(HttpError::bad_request(format!("the body is not JSON: {error}"))),
    }
}

/// A form in parts (RFC 7578), as `curl -F` sends it.
async fn parts(body: Bytes, boundary: String) -> Result<Map<String, Value>, HttpError> {
    let broken = |error: multer::Error| HttpError::bad_request(format!("the form's parts cannot be read: {error}"));
    let mut parts = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(HttpError::bad_request("a part of the form has no name"));
        };
        if part.file_name().is_some() {
            return Err(HttpError::unprocessable(format!("{name}: is a file, and only texts are taken")));
        }
        let text = String::from_utf8(part.bytes().await.map_err(broken)?.into());
        let text = text.map_err(|_| HttpError::bad_request(format!("`{name}` is not UTF-8")))?;
        form.add(&name, text).map_err(HttpError::bad_request)?;
    }
    Ok(form.into_object())
}

/// # Errors
/// When a text holds a character that no `PostgreSQL` stores, and that no text needs.
fn can_be_stored(object: &Map<String, Value>) -> Result<(), HttpError> {
    match nothing_in_fields(object) {
        None => Ok(()),
        Some(place) => Err(HttpError::unprocessable(format!("{place}: holds the character U+0000, which no text may"))),
    }
}

/// Where a U+0000 is, if there is one, as a path like `readings[3].failure`.
fn nothing_in_fields(fields: &Map<String, Value>) -> Option<String> {
    fields.iter().find_map(|(name, value)| {
        if name.contains('\0') {
            return Some(name.replace('\0', "\u{fffd}"));
        }
        nothing_in(value).map(|rest| format!("{name}{rest}"))
    })
}

/// What follows the name of a value that has one; nothing where it is the value itself.
fn nothing_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| nothing_in(item).map(|rest| format!("[{index}]{rest}")))
        }
        Value::Object(fields) => nothing_in_fields(fields).map(|inner| format!(".{inner}")),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

async fn read(body: Body, most: usize) -> Result<Bytes, HttpError> {
    to_bytes(body, most).await.map_err(|error| {
        use http_body_util::LengthLimitError;
        let source = std::error::Error::source(&error);
        if source.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            HttpError::too_large(most)
        } else {
            HttpError::bad_request("the body broke off")
        }
    })
}

enum ContentType {
    Json,
    Form,
    /// A form in parts, and what stands between them.
    Parts(String),
    Other,
    /// Nothing is said.
    None,
}

impl ContentType {
    fn of(request: &Request) -> Self {
        let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Self::None };
        let Ok(value) = value.to_str() else { return Self::Other };
        match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" => Self::None,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => multer::parse_boundary(value).map_or(Self::Other, Self::Parts),
            kind if kind == "application/json" || kind.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}
