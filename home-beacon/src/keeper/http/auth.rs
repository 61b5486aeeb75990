//! Who may call: clients that send `Authorization: OAuth <token>` with the keeper's token, or at `/v1` with one of a page, which
//! opens what its scope says. `/v1` also takes both as `?api_key=<token>`, as the published description offers it, where there is no such header. An address is written down in
//! more places than a header, so that is taken off before it is logged, and neither the answer nor the address is to be
//! kept or handed on.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use shared::id::PageId;
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::{AppState, HttpError};
use crate::keeper::tokens::{
    self,
    scope::{Scope, scope},
};

const KEY: &str = "api_key";

/// The token in a header, and nowhere else.
pub(super) async fn authenticate(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, HttpError> {
    match check(&state, in_header(&request)).await? {
        Grant::Everything => Ok(next.run(request).await),
        Grant::Page(page) => Err(HttpError::forbidden(format!(
            "this token is for page {page} at /v1 alone: this path takes the keeper's own token"
        ))),
    }
}

/// The token in a header, or in the query where there is no such header.
pub(super) async fn authenticate_or_by_key(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let key = take_key(request.uri_mut());
    let sent = in_header(&request);
    let checked = match key.as_deref() {
        Some(key) if matches!(sent, Sent::Nothing) => check(&state, Sent::Token(key.as_bytes())).await,
        _ => check(&state, sent).await,
    };
    let mut response = match checked.and_then(|grant| within(grant, &mut request)) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    if key.is_some() {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    response
}

/// What a client shows to be let in.
#[derive(Clone, Copy, Debug)]
enum Sent<'a> {
    Nothing,
    /// A header in another form than ours.
    SomethingElse,
    Token(&'a [u8]),
}

fn in_header(request: &Request) -> Sent<'_> {
    match request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes) {
        None => Sent::Nothing,
        Some(value) => value.strip_prefix(b"OAuth ").map_or(Sent::SomethingElse, Sent::Token),
    }
}

/// What a token opens.
#[derive(Clone, Debug)]
enum Grant {
    Everything,
    Page(PageId),
}

/// A call may set a component's status, and nothing else: an extension of its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusAlone;

/// Whether a call at `/v1` is one that the token opens.
fn within(grant: Grant, request: &mut Request) -> Result<(), HttpError> {
    let Grant::Page(page) = grant else { return Ok(()) };
    match scope(request.method(), request.uri().path(), &page) {
        Scope::Open => Ok(()),
        Scope::StatusAlone => {
            request.extensions_mut().insert(StatusAlone);
            Ok(())
        }
        Scope::OtherPage => Err(HttpError::not_found("this page")),
        Scope::Closed => Err(HttpError::forbidden(format!(
            "this token is for page {page} alone: to read it, to add points, and to set statuses and incidents; this call takes \
             the keeper's own token"
        ))),
    }
}

async fn check(state: &AppState, sent: Sent<'_>) -> Result<Grant, HttpError> {
    let token = state.token.current().map_err(|error| {
        // Every call is refused, but it is not the client's token that is wrong.
        tracing::error!(%error, "the token cannot be read");
        HttpError::unavailable("the keeper's token cannot be read; try again later")
    })?;
    match sent {
        Sent::Token(sent) if bool::from(sent.ct_eq(token.expose().as_bytes())) => Ok(Grant::Everything),
        Sent::Token(sent) => of_a_page(state, sent).await,
        Sent::SomethingElse => Err(HttpError::unauthenticated("the header Authorization does not begin with `OAuth `")),
        Sent::Nothing => Err(HttpError::unauthenticated("there is no header Authorization")),
    }
}

/// What one of the tokens of a page opens.
async fn of_a_page(state: &AppState, sent: &[u8]) -> Result<Grant, HttpError> {
    match tokens::find(&state.db, sent).await? {
        None => Err(HttpError::unauthenticated("the token is not this keeper's")),
        Some(token) if token.revoked_at.is_some() => Err(HttpError::revoked()),
        Some(token) => {
            tokens::used(&state.db, state.clock.now(), &token).await;
            Ok(Grant::Page(token.page_id))
        }
    }
}

/// Takes the key off an address; of several, the last one counts.
fn take_key(uri: &mut Uri) -> Option<String> {
    let query = uri.query()?;
    let is_key = |pair: &&str| form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(name, _)| name == KEY);
    let key = query.split('&').rfind(is_key)?;
    let key = form_urlencoded::parse(key.as_bytes()).next()?.1.into_owned();
    let rest = query.split('&').filter(|pair| !is_key(pair)).collect::<Vec<_>>().join("&");
    let address = if rest.is_empty() { uri.path().to_owned() } else { format!("{}?{rest}", uri.path()) };
    // A part of a valid address is one too; what were none would be asked for without its query.
    *uri = address.parse().unwrap_or_default();
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_off_the_address() {
        for (address, key, left) in [
            ("/pages?api_key=secret", Some("secret"), "/pages"),
            ("/pages?page=2&api_key=a%2Bb+c&limit=1", Some("a+b c"), "/pages?page=2&limit=1"),
            ("/pages?api_key=first&api%5Fkey=second", Some("second"), "/pages"),
            ("/pages?api_key", Some(""), "/pages"),
            ("/pages?q=api_key=x", None, "/pages?q=api_key=x"),
            ("/pages", None, "/pages"),
        ] {
            let mut uri: Uri = address.parse().unwrap();
            assert_eq!((take_key(&mut uri).as_deref(), uri.to_string().as_str()), (key, left), "{address}");
        }
    }
}
