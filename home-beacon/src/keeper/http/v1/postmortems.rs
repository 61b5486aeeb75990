//! `/v1/pages/{page}/incidents/{incident}/postmortem`. What does not fit is a 400 here: the description has no 422 for it.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, put},
};
use serde_json::Map;
use shared::id::{IncidentId, PageId};

use super::super::{AppState, HttpError, fields::Fields, path::InPath, payload::Payload};
use crate::keeper::{
    KeeperError,
    status::{
        incidents,
        postmortems::{self, POSTMORTEM, Postmortem},
    },
};

/// As long as an update may be, which it becomes.
const MAX_BODY: usize = 25_000;

/// Fields that a postmortem is sent with, and that cannot be set so.
const READ_ONLY: [&str; 7] =
    ["body", "body_draft_updated_at", "body_updated_at", "created_at", "preview_key", "published_at", "updated_at"];

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/pages/{page}/incidents/{incident}/postmortem", get(one).put(draft).delete(remove))
        .route("/pages/{page}/incidents/{incident}/postmortem/publish", put(publish))
        .route("/pages/{page}/incidents/{incident}/postmortem/revert", put(revert))
}

type Path = InPath<(PageId, IncidentId)>;
type Answer = Result<Json<Postmortem>, HttpError>;

/// What an incident says of its postmortem when it comes back as it was sent: its status, and the text.
pub(super) struct SentBack {
    is_status: bool,
    body: Option<String>,
}

impl SentBack {
    pub(super) fn read(fields: &Fields) -> Result<Self, HttpError> {
        let is_status = matches!(fields.text("status", MAX_BODY), Ok(Some(status)) if status == POSTMORTEM);
        Ok(Self { is_status, body: fields.text("postmortem_body", MAX_BODY)?.filter(|body| !body.is_empty()) })
    }

    /// Whether it has that status, which cannot be set otherwise.
    ///
    /// # Errors
    /// When the text is another one, which would be lost.
    pub(super) async fn check(self, state: &AppState, page: &PageId, id: &IncidentId) -> Result<bool, HttpError> {
        let Self { is_status, body } = self;
        if !is_status && body.is_none() {
            return Ok(false);
        }
        let incident = incidents::get(&state.db, page, id).await?;
        if body.is_some() && body != incident.postmortem.and_then(|it| it.body) {
            let what = "postmortem_body: is set by a call of …/postmortem, and what it says here would be lost";
            return Err(HttpError::unprocessable(what));
        }
        Ok(is_status && incident.state.word.as_deref() == Some(POSTMORTEM))
    }
}

fn refused(error: KeeperError) -> HttpError {
    match error {
        KeeperError::Invalid(message) => HttpError::bad_request(message),
        error => error.into(),
    }
}

async fn one(State(state): State<AppState>, InPath((page, incident)): Path) -> Answer {
    Ok(Json(postmortems::get(&state.db, &page, &incident).await?))
}

async fn draft(State(state): State<AppState>, InPath((page, incident)): Path, payload: Payload) -> Answer {
    let fields = payload.wrapped("postmortem", &["body_draft"])?;
    let body = fields.text("body_draft", MAX_BODY).map_err(HttpError::into_bad_request)?;
    let body = body.filter(|body| !body.trim().is_empty());
    let body = body.ok_or_else(|| HttpError::bad_request("body_draft: can't be blank"))?;
    fields.nothing_is_lost(&READ_ONLY).map_err(HttpError::into_bad_request)?;
    let draft = postmortems::draft(&state.db, state.clock.now(), &page, &incident, body).await;
    Ok(Json(draft.map_err(refused)?))
}

async fn publish(State(state): State<AppState>, InPath((page, incident)): Path, payload: Payload) -> Answer {
    // There is nothing that must be said.
    let fields = if payload.is_empty() { Fields::new(Map::new()) } else { payload.wrapped("postmortem", &[])? };
    let notify = fields.boolean("notify_subscribers").map_err(HttpError::into_bad_request)?;
    fields.nothing_is_lost(&[]).map_err(HttpError::into_bad_request)?;
    let published = postmortems::publish(&state.db, state.clock.now(), &page, &incident, notify).await;
    Ok(Json(published.map_err(refused)?))
}

async fn revert(State(state): State<AppState>, InPath((page, incident)): Path) -> Answer {
    let reverted = postmortems::revert(&state.db, state.clock.now(), &page, &incident).await;
    Ok(Json(reverted.map_err(refused)?))
}

async fn remove(State(state): State<AppState>, InPath((page, incident)): Path) -> Result<StatusCode, HttpError> {
    postmortems::delete(&state.db, state.clock.now(), &page, &incident).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
