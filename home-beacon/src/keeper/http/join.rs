//! `POST /porchlight/v1/join`, at the listener with TLS alone: how a home joins. Its permission is a code's secret, as
//! `Authorization: Join <secret>`. A home that is refused learns why: what it sends is a secret that only we can have made, or a
//! stranger's guess.

use axum::{
    Extension, Json, Router,
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::Value;

use super::{AppState, HttpError};
use crate::{
    join::{JoinAnswer, JoinRefusal, JoinRequest, MAX_MESSAGE, PROTOCOL, SCHEME},
    keeper::joins::Joins,
    serve::Peer,
};

pub(super) fn router() -> Router<AppState> {
    // `JOIN_PATH`, written out as all routes are: tests read from the text which there are.
    Router::new().route("/porchlight/v1/join", post(join))
}

async fn join(
    State(state): State<AppState>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(joins) = &state.joins else { return HttpError::no_joins().into_response() };
    match joined(joins, peer, &headers, body).await {
        Ok(answer) => {
            tracing::info!(from = %peer.ip(), "a home has joined");
            ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(refusal) => {
            // Whoever guesses is to fill no log.
            if refusal == JoinRefusal::TooManyTries {
                tracing::debug!(from = %peer.ip(), ?refusal, "a home was refused");
            } else {
                tracing::warn!(from = %peer.ip(), ?refusal, "a home was refused");
            }
            (status(&refusal), Json(refusal)).into_response()
        }
    }
}

async fn joined(
    joins: &Joins,
    peer: std::net::SocketAddr,
    headers: &HeaderMap,
    body: Body,
) -> Result<JoinAnswer, JoinRefusal> {
    let sent = headers.get(header::AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    // Nothing of a stranger's body is read.
    let taken = joins.take(sent.strip_prefix(SCHEME.as_bytes()).unwrap_or_default())?;
    let body = to_bytes(body, MAX_MESSAGE).await.map_err(|_| JoinRefusal::Failed("the request is too long".into()))?;
    let request = read(&body)?;
    taken.ask(request, peer.ip().to_canonical()).await
}

/// The request; one of another version may have any shape.
fn read(body: &[u8]) -> Result<JoinRequest, JoinRefusal> {
    let unusable = || JoinRefusal::Failed("what the home says of its page cannot be used".into());
    let body: Value = serde_json::from_slice(body).map_err(|_| unusable())?;
    if body["protocol"] != PROTOCOL {
        return Err(JoinRefusal::Version);
    }
    let request: JoinRequest = serde_json::from_value(body).map_err(|_| unusable())?;
    if request.is_sound() { Ok(request) } else { Err(unusable()) }
}

fn status(refusal: &JoinRefusal) -> StatusCode {
    match refusal {
        JoinRefusal::Unknown => StatusCode::UNAUTHORIZED,
        JoinRefusal::Used | JoinRefusal::OtherHome => StatusCode::CONFLICT,
        JoinRefusal::TooOld => StatusCode::GONE,
        JoinRefusal::Version | JoinRefusal::Failed(_) => StatusCode::UNPROCESSABLE_ENTITY,
        JoinRefusal::TooManyTries => StatusCode::TOO_MANY_REQUESTS,
        JoinRefusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_where_homes_ask() {
        let text = include_str!("join.rs");
        assert!(text.contains(&format!("route({:?}, post(join))", crate::join::JOIN_PATH)));
    }

    #[test]
    fn what_a_home_says_is_checked_before_it_is_believed() {
        let good = json!({
            "protocol": PROTOCOL,
            "page": {"id": "gytm4qzbx9t6", "name": "My home", "time_zone": "Europe/Berlin"},
            "component": {"id": "8kbf7d35c070", "name": "Home internet"},
            "metrics": [{"id": "hx2mq81kpw0d", "name": "Latency", "suffix": "ms", "reading": "ping"}],
            "beacon_key": "key",
            "beacon_url": "http://home.example:8080/",
            "beacon_port": 8080,
            "moon": "full",
        });
        assert!(read(good.to_string().as_bytes()).is_ok());
        for (at, wrong) in [
            ("/page/id", json!("../../etc")),
            ("/page/name", json!(" ")),
            ("/page/time_zone", json!("Mars/Olympus")),
            ("/component/id", json!("")),
            ("/metrics/0/id", json!("'; DROP")),
            ("/metrics/0/reading", json!("Ping!")),
            ("/beacon_key", json!("two words")),
            ("/beacon_url", json!("file:///etc/passwd")),
            ("/beacon_port", json!(70_000)),
        ] {
            let mut body = good.clone();
            *body.pointer_mut(at).unwrap() = wrong;
            assert!(matches!(read(body.to_string().as_bytes()), Err(JoinRefusal::Failed(_))), "{at}");
        }
        assert_eq!(read(br#"{"protocol": 2, "planet": "Mars"}"#), Err(JoinRefusal::Version));
        assert!(matches!(read(b"<html>"), Err(JoinRefusal::Failed(_))));
    }
}
