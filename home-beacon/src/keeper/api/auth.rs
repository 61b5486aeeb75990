//! Who may call: everybody who sends `Authorization: OAuth <token>` with the keeper's token.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use subtle::ConstantTimeEq;

use super::Refusal;
use crate::keeper::Shared;

pub(super) async fn authenticate(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let header = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let sent = header.and_then(|value| value.strip_prefix(b"OAuth "));
    let token = shared.token.current().map_err(|error| {
        // Nobody is let in, but it is not the client's token that is wrong.
        tracing::error!(%error, "the token cannot be read");
        Refusal::unavailable("the keeper's token cannot be read; try again later")
    })?;
    match sent {
        Some(sent) if bool::from(sent.ct_eq(token.expose().as_bytes())) => Ok(next.run(request).await),
        Some(_) => Err(Refusal::unauthenticated("the token is not this keeper's")),
        None if header.is_some() => {
            Err(Refusal::unauthenticated("the header Authorization does not begin with `OAuth `"))
        }
        None => Err(Refusal::unauthenticated("there is no header Authorization")),
    }
}
