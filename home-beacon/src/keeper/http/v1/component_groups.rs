//! `/v1/pages/{page}/component-groups`

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use shared::id::{ComponentGroupId, PageId};

use super::super::{
    AppState, HttpError,
    listing::Listing,
    path::{InPath, InQuery},
    payload::Payload,
};
use crate::keeper::status::groups::{self, Group, GroupPatch};

const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 25_000;

/// What says something only inside the wrapper.
const INSIDE: [&str; 2] = ["components", "name"];

/// Fields that a group is sent with, and that cannot be set.
const READ_ONLY: [&str; 5] = ["created_at", "id", "page_id", "position", "updated_at"];

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/pages/{page}/component-groups", get(list).post(create))
        .route("/pages/{page}/component-groups/{group}", get(one).patch(update).put(update).delete(remove))
}

fn patch(mut payload: Payload) -> Result<GroupPatch, HttpError> {
    // The description has it beside the wrapper.
    payload.move_inside("description", "component_group");
    let fields = payload.wrapped("component_group", &INSIDE)?;
    let patch = GroupPatch {
        name: fields.name(MAX_NAME)?,
        description: fields.clearable_text("description", MAX_DESCRIPTION)?,
        components: fields.component_ids("components")?,
    };
    fields.nothing_is_lost(&READ_ONLY)?;
    match &patch.components {
        Some(components) if components.is_empty() => {
            Err(HttpError::unprocessable("components: can't be blank: a group has at least one component"))
        }
        Some(_) | None => Ok(patch),
    }
}

async fn list(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    InQuery(query): InQuery,
) -> Result<Json<Vec<Group>>, HttpError> {
    let listing = Listing::from_query(&query)?;
    Ok(Json(groups::list(&state.db, &page, listing.skip, listing.limit).await?))
}

async fn create(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    payload: Payload,
) -> Result<(StatusCode, Json<Group>), HttpError> {
    let mut patch = patch(payload)?;
    let name = patch.name.take().ok_or_else(|| HttpError::unprocessable("name: can't be blank"))?;
    if patch.components.is_none() {
        return Err(HttpError::unprocessable("components: can't be blank: a group has at least one component"));
    }
    let group = groups::create(&state.db, state.clock.now(), &page, name, patch).await?;
    Ok((StatusCode::CREATED, Json(group)))
}

async fn one(
    State(state): State<AppState>,
    InPath((page, group)): InPath<(PageId, ComponentGroupId)>,
) -> Result<Json<Group>, HttpError> {
    Ok(Json(groups::get(&state.db, &page, &group).await?))
}

async fn update(
    State(state): State<AppState>,
    InPath((page, group)): InPath<(PageId, ComponentGroupId)>,
    payload: Payload,
) -> Result<Json<Group>, HttpError> {
    let patch = patch(payload)?;
    Ok(Json(groups::update(&state.db, state.clock.now(), &page, &group, patch).await?))
}

async fn remove(
    State(state): State<AppState>,
    InPath((page, group)): InPath<(PageId, ComponentGroupId)>,
) -> Result<Json<Group>, HttpError> {
    Ok(Json(groups::delete(&state.db, &page, &group).await?))
}
