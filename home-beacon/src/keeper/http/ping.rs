//! `GET`, `HEAD` and `POST /porchlight/v1/ping/SECRET`, and the same with `/start`, `/fail`, `/log` or an exit code behind it:
//! what a check that calls us says, in the form of healthchecks.io, so that its clients work. The secret is the permission; it is
//! in no log, and no metric has it.

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::StreamExt;
use tokio::time::Instant;

use super::{AppState, HttpError, path::InPath};
use crate::keeper::checks::{
    calls::{self, MAX_KEPT},
    passive::Call,
};

/// How much of what is sent along is read before the answer, in bytes.
const MAX_READ: usize = 1 << 20;

/// How many calls with secrets that are none may come in any minute until they are told to wait. None can be guessed (128 random bits),
/// and a right one passes whatever strangers try: this is for clients of a check that is gone.
pub(super) const MAX_WRONG: usize = 60;

/// What a client of healthchecks.io expects.
const TAKEN: &str = "OK";

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/ping/{secret}", get(plain).post(plain))
        .route("/ping/{secret}/{action}", get(with_action).post(with_action))
        .method_not_allowed_fallback(async || HttpError::method_not_allowed())
}

type Words = (StatusCode, [(HeaderName, &'static str); 1], &'static str);

async fn plain(state: State<AppState>, InPath(secret): InPath<String>, body: Body) -> Response {
    called(&state, &secret, Some(Call::Success), body).await
}

async fn with_action(
    state: State<AppState>,
    InPath((secret, action)): InPath<(String, String)>,
    body: Body,
) -> Response {
    called(&state, &secret, Call::of(&action), body).await
}

async fn called(state: &AppState, secret: &str, call: Option<Call>, body: Body) -> Response {
    let known = match calls::find(&state.db, secret).await {
        Ok(Some(known)) => known,
        Ok(None) => return refused(state),
        Err(error) => return HttpError::from(error).into_response(),
    };
    let Some(call) = call else {
        return words(
            StatusCode::BAD_REQUEST,
            "after the secret stands nothing, start, fail, log, or an exit code up to 255\n",
        )
        .into_response();
    };
    let body = beginning(body).await;
    match calls::take(&state.recorder, &known, call, body).await {
        Ok(()) => words(StatusCode::OK, TAKEN).into_response(),
        Err(error) => HttpError::from(error).into_response(),
    }
}

fn refused(state: &AppState) -> Response {
    match state.guesses.admit(Instant::now()) {
        Ok(()) => words(StatusCode::NOT_FOUND, "there is no check with this address\n").into_response(),
        Err((wait, _)) => HttpError::rate_limited(StatusCode::TOO_MANY_REQUESTS, wait.as_secs() + 1).into_response(),
    }
}

fn words(status: StatusCode, words: &'static str) -> Words {
    (status, [(header::CACHE_CONTROL, "no-store")], words)
}

/// The beginning of a text in UTF-8; `None` of nothing, and of anything else.
async fn beginning(body: Body) -> Option<String> {
    let (mut pieces, mut kept, mut read) = (body.into_data_stream(), Vec::new(), 0);
    // Who sends more is heard to the end, as far as that goes: a client that cannot send all does not read the answer.
    while let Some(Ok(piece)) = pieces.next().await {
        read += piece.len();
        kept.extend_from_slice(&piece[..piece.len().min(MAX_KEPT - kept.len())]);
        if read > MAX_READ {
            break;
        }
    }
    let length = match std::str::from_utf8(&kept) {
        Ok(text) => text.len(),
        // The last character was cut.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return None,
    };
    kept.truncate(length);
    String::from_utf8(kept).ok().map(|text| text.replace('\0', "\u{fffd}")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_beginning_of_a_text_is_kept_and_nothing_of_what_is_none() {
        assert_eq!(beginning(Body::from("all is well")).await.as_deref(), Some("all is well"));
        assert_eq!(beginning(Body::empty()).await, None);
        assert_eq!(beginning(Body::from(vec![0xff, 0x00])).await, None);
        assert_eq!(beginning(Body::from("a\0b")).await.as_deref(), Some("a\u{fffd}b"));
        let long = format!("{}é{}", "x".repeat(MAX_KEPT - 1), "y".repeat(2 << 20));
        assert_eq!(beginning(Body::from(long)).await.map(|text| text.len()), Some(MAX_KEPT - 1));
    }
}
