//! A keeper, and calls of it as clients make them.

use reqwest::{Client, Method};
use serde_json::Value;
use tests::keeper::{Keeper, PAGE, TOKEN};

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A status, and the answer as far as it is JSON.
pub(crate) type Answer = (u16, Value);

/// Sends a body as it is, with that content type or none.
pub(crate) async fn send(
    keeper: &Keeper,
    method: Method,
    path: &str,
    kind: Option<&str>,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let mut request = Client::new().request(method, format!("{}{path}", keeper.url)).body(body.into());
    request = request.header("authorization", format!("OAuth {TOKEN}"));
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let response = request.send().await.expect("the keeper answers");
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

pub(crate) fn incidents() -> String {
    format!("/v1/pages/{PAGE}/incidents")
}

/// The sentence of an answer that says no.
pub(crate) fn error(answer: &Answer) -> String {
    answer.1["error"].to_string()
}
