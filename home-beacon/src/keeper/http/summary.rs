//! `GET /targets`, `/uptime-summary` and `/uptime-summary-windowed?window=5m`: `UpTimePulse`'s interface, for who has its clients. It
//! shows addresses of the home network, so it is at the private listener alone, and takes the keeper's token unless
//! `KEEPER_OPEN_SUMMARY` opens it. `/metrics` beside it has the same addresses as labels, for scrapers, which have no token.

use std::collections::BTreeMap;

use axum::{Json, Router, extract::State, middleware, routing::get};
use serde_json::{Value, json};

use super::{AppState, HttpError, auth, path::InQuery};
use crate::keeper::checks::summary::{self, Uptime};

pub(super) fn router(state: &AppState) -> Router<AppState> {
    let routes = Router::new()
        .route("/targets", get(targets))
        .route("/uptime-summary", get(since_registered))
        .route("/uptime-summary-windowed", get(windowed))
        .method_not_allowed_fallback(async || HttpError::method_not_allowed());
    if state.front.open_summary {
        return routes;
    }
    routes.route_layer(middleware::from_fn_with_state(state.clone(), auth::authenticate))
}

async fn targets(State(state): State<AppState>) -> Result<Json<Value>, HttpError> {
    let known = summary::since_registered(&state.db).await?;
    let targets: Vec<_> = known.keys().map(|url| json!({ "url": url })).collect();
    Ok(Json(json!({ "targets": targets })))
}

async fn since_registered(State(state): State<AppState>) -> Result<Json<Value>, HttpError> {
    Ok(Json(json!({ "targets": rows(&summary::since_registered(&state.db).await?) })))
}

async fn windowed(State(state): State<AppState>, InQuery(query): InQuery) -> Result<Json<Value>, HttpError> {
    let text = query.get("window").map_or("5m", String::as_str);
    let window = summary::window(text).map_err(HttpError::unprocessable)?;
    let known = summary::within(&state.db, window, state.clock.wall()).await?;
    Ok(Json(json!({ "window": text, "window_seconds": window.as_secs(), "targets": rows(&known) })))
}

fn rows(known: &BTreeMap<String, Uptime>) -> Vec<Value> {
    known.iter().map(|(url, uptime)| uptime.row(url)).collect()
}
