//! `PUT /porchlight/v1/checks`: all checks of a program, in the place of those before; `GET`: every check with what is known of it.
//! `GET /porchlight/v1/home`: whether the home's line is up.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};
use shared::id::ComponentId;

use super::super::{AppState, HttpError, payload::LargeJsonObject};
use crate::keeper::{
    KeeperError,
    checks::{
        definition::Registration,
        home::{self, Home},
        listed,
        register::{Placed, Registrar},
    },
    looks::beacon::first_not_relayed,
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/checks", get(list).put(replace)).route("/home", get(of_home))
}

async fn replace(
    State(state): State<AppState>,
    LargeJsonObject(body): LargeJsonObject,
) -> Result<Json<Value>, HttpError> {
    let registration = Registration::read(body).map_err(HttpError::unprocessable)?;
    let home = seeded_home(&state).await?;
    let registrar = Registrar {
        db: &state.db,
        looks: state.recorder.looks(),
        notices: state.recorder.notices(),
        page: &state.page,
        home: home.as_ref(),
        now: state.clock.now(),
        now_for_looks: state.clock.now_for_looks(),
    };
    let placed = registrar.replace(&registration).await?;
    let refused: Vec<_> = placed.iter().filter_map(|check| check.wrong.as_deref()).collect();
    tracing::info!(source = registration.source, checks = placed.len(), "checks were registered");
    if !refused.is_empty() {
        let (source, count) = (&registration.source, refused.len());
        tracing::warn!(source, count, "not all of them are as the program has them: {}", refused[0]);
    }
    let placed: Vec<_> = placed.iter().map(answered).collect();
    Ok(Json(json!({ "checks": placed })))
}

fn answered(placed: &Placed) -> Value {
    let Placed { name, component, wrong, is_registered } = placed;
    json!({ "name": name, "component_id": component, "wrong": wrong, "registered": is_registered })
}

async fn list(State(state): State<AppState>) -> Result<Json<Value>, HttpError> {
    let now = state.clock.wall();
    let began = state.clock.began().wall.min(now);
    let mutes = state.recorder.notices().mutes(&state.db, now).await?;
    Ok(Json(json!({ "checks": listed::all(&state.db, &mutes, now, began).await? })))
}

async fn of_home(State(state): State<AppState>) -> Result<Json<Home>, HttpError> {
    let component = match seeded_home(&state).await? {
        Some(component) => Some(component),
        None => first_not_relayed(&state.db, &state.page).await?,
    };
    let looks = (state.recorder.looks(), state.clock.now_for_looks());
    Ok(Json(home::home(&state.db, looks, &state.page, component, state.clock.wall()).await?))
}

/// The component that is this home, where the keeper is beside a beacon.
async fn seeded_home(state: &AppState) -> Result<Option<ComponentId>, KeeperError> {
    match &state.at_home {
        Some(at_home) => at_home.component(&state.db, &state.page).await,
        None => Ok(None),
    }
}
