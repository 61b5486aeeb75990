//! How beacon and keeper answer a scraper: in the format that it asks for.

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use shared::metrics::{Format, Snapshot};

/// The answer to a request with these headers.
pub(crate) fn answer(request: &HeaderMap, snapshot: Snapshot) -> Response {
    let accepted = request.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Format::accepted(accepted);
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, header::ACCEPT.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, snapshot.written(format)).into_response()
}
