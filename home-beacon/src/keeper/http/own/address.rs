//! `GET /porchlight/v1/address`: the home's address in the world, as `dns` knows it. JSON, or the bare IPv4 address where a client
//! asks for `text/plain`. Nobody outside is asked for it, so what is answered is never an error page of theirs.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::super::{AppState, HttpError};
use crate::{
    dns::{KnownAddresses, STATE},
    keeper::{KeeperError, job_states},
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/address", get(read))
}

async fn read(State(state): State<AppState>, fields: HeaderMap) -> Result<Response, HttpError> {
    let document = match job_states::get(&state.db, STATE).await {
        Err(KeeperError::NotFound(_)) => None,
        document => Some(document?),
    };
    let known = document.and_then(KnownAddresses::of).ok_or_else(HttpError::no_address)?;
    let fresh = [(header::CACHE_CONTROL, "no-store"), (header::VARY, "accept")];
    if wants_text(&fields) {
        let address = known.ipv4().ok_or_else(HttpError::no_ipv4)?;
        return Ok((fresh, address.to_string()).into_response());
    }
    Ok((fresh, Json(known)).into_response())
}

/// Whether a client takes text, and no JSON: who takes anything gets JSON.
fn wants_text(fields: &HeaderMap) -> bool {
    let accepted = fields.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds =
        accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let (mut text, mut json) = (false, false);
    for kind in kinds {
        text |= kind.eq_ignore_ascii_case("text/plain");
        json |= kind.eq_ignore_ascii_case("application/json");
    }
    text && !json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_for_who_asks_for_it_and_for_no_json() {
        for (accepted, text) in [
            (&[][..], false),
            (&["*/*"], false),
            (&["text/plain"], true),
            (&["Text/Plain; charset=utf-8"], true),
            (&["text/html, text/plain;q=0.9, */*;q=0.1"], true),
            (&["application/json, text/plain, */*"], false),
            (&["text/plain", "application/json"], false),
        ] {
            let mut fields = HeaderMap::new();
            for value in accepted {
                fields.append(header::ACCEPT, value.parse().unwrap());
            }
            assert_eq!(wants_text(&fields), text, "{accepted:?}");
        }
    }
}
