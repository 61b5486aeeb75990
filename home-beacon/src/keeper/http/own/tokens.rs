//! `/porchlight/v1/tokens`: what opens one page. `DELETE …/tokens/{id}` revokes one; it stays listed for a while.

use axum::{
    Json, Router,
    extract::State,
    routing::{delete, get},
};

use super::super::{AppState, HttpError, path::InPath};
use crate::keeper::tokens::{self, Token};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/tokens", get(list)).route("/tokens/{id}", delete(revoke))
}

async fn list(State(state): State<AppState>) -> Result<Json<Vec<Token>>, HttpError> {
    Ok(Json(tokens::list(&state.db).await?))
}

async fn revoke(State(state): State<AppState>, InPath(id): InPath<String>) -> Result<Json<Token>, HttpError> {
    let token = tokens::revoke(&state.db, state.clock.wall(), &id).await?;
    tracing::info!(id = token.id, name = token.name, page = %token.page_id, "a token was revoked");
    Ok(Json(token))
}
