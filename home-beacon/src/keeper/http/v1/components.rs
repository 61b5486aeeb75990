//! `/v1/pages/{page}/components`

use axum::{Extension, Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use shared::id::{ComponentGroupId, ComponentId, PageId};

use super::super::{
    AppState, HttpError,
    auth::StatusAlone,
    fields::Fields,
    listing::Listing,
    path::{InPath, InQuery},
    payload::Payload,
    strays,
};
use crate::keeper::status::{
    Component,
    components::{self, ComponentPatch, NewComponent},
};

const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 25_000;

/// What says something only inside the wrapper.
const INSIDE: [&str; 7] =
    ["description", "group_id", "name", "only_show_if_degraded", "showcase", "start_date", "status"];

/// Fields that a component is sent with, and that cannot be set.
const READ_ONLY: [&str; 8] =
    ["automation_email", "created_at", "group", "id", "page_id", "porchlight_warning", "position", "updated_at"];

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/pages/{page}/components", get(list).post(create))
        .route("/pages/{page}/components/{component}", get(one).patch(update).put(update).delete(remove))
}

fn patch(fields: &Fields) -> Result<ComponentPatch, HttpError> {
    let patch = ComponentPatch {
        name: fields.name(MAX_NAME)?,
        description: fields.clearable_text("description", MAX_DESCRIPTION)?,
        status: fields.component_status("status")?,
        showcase: fields.boolean("showcase")?,
        only_show_if_degraded: fields.boolean("only_show_if_degraded")?,
        start_date: fields.date("start_date")?,
        group_id: group_id(fields)?,
    };
    fields.nothing_is_lost(&READ_ONLY)?;
    Ok(patch)
}

/// The group; null, nothing and the text `null` take the component out of its own.
fn group_id(fields: &Fields) -> Result<Option<Option<ComponentGroupId>>, HttpError> {
    let read = |text: String| {
        let wrong = |error| HttpError::unprocessable(format!("group_id: `{}` is none: {error}", text.escape_default()));
        text.parse().map_err(wrong)
    };
    let text = fields.clearable_text("group_id", 100)?;
    text.map(|text| text.filter(|text| text != "null").map(read).transpose()).transpose()
}

async fn list(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    InQuery(query): InQuery,
) -> Result<Json<Vec<Component>>, HttpError> {
    let listing = Listing::from_query(&query)?;
    let components = components::list(&state.db, &page, listing.skip, listing.limit).await?;
    Ok(Json(components.into_iter().map(|component| strays::with_warning(&state, component)).collect()))
}

async fn create(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    payload: Payload,
) -> Result<(StatusCode, Json<Component>), HttpError> {
    let mut patch = patch(&payload.wrapped("component", &INSIDE)?)?;
    let name = patch.name.take().ok_or_else(|| HttpError::unprocessable("name: can't be blank"))?;
    let component = components::create(&state.db, state.clock.now(), &page, NewComponent { name, patch }).await?;
    Ok((StatusCode::CREATED, Json(component)))
}

async fn one(
    State(state): State<AppState>,
    InPath((page, component)): InPath<(PageId, ComponentId)>,
) -> Result<Response, HttpError> {
    Ok(strays::met(&state, components::get(&state.db, &page, &component).await?))
}

async fn update(
    State(state): State<AppState>,
    InPath((page, component)): InPath<(PageId, ComponentId)>,
    alone: Option<Extension<StatusAlone>>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let patch = patch(&payload.wrapped("component", &INSIDE)?)?;
    if alone.is_some() && !patch.is_status_alone() {
        return Err(HttpError::forbidden("this token sets a component's status, and nothing else of it"));
    }
    let (db, now) = (&state.db, state.clock.now());
    let updated = components::update(db, &state.outbox, now, &page, &component, patch).await?;
    Ok(strays::met(&state, updated))
}

async fn remove(
    State(state): State<AppState>,
    InPath((page, component)): InPath<(PageId, ComponentId)>,
) -> Result<StatusCode, HttpError> {
    components::delete(&state.db, state.clock.now(), &page, &component).await?;
    Ok(StatusCode::NO_CONTENT)
}
