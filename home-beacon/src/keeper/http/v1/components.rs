//! `/v1/pages/{page}/components`

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};

use super::super::{
    HttpError, Shared,
    fields::Fields,
    listing::Listing,
    path::{InPath, InQuery, component_id, page_id},
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

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/pages/{page}/components", get(list).post(create))
        .route("/pages/{page}/components/{component}", get(one).patch(update).put(update).delete(remove))
}

fn patch(fields: &Fields) -> Result<ComponentPatch, HttpError> {
    fields.unsupported("group_id", "this keeper has no component groups")?;
    let patch = ComponentPatch {
        name: fields.name(MAX_NAME)?,
        description: fields.clearable_text("description", MAX_DESCRIPTION)?,
        status: fields.component_status("status")?,
        showcase: fields.boolean("showcase")?,
        only_show_if_degraded: fields.boolean("only_show_if_degraded")?,
        start_date: fields.date("start_date")?,
    };
    fields.nothing_is_lost(&READ_ONLY)?;
    Ok(patch)
}

async fn list(
    State(shared): State<Shared>,
    InPath(page): InPath<String>,
    InQuery(query): InQuery,
) -> Result<Json<Vec<Component>>, HttpError> {
    let listing = Listing::from_query(&query)?;
    let components = components::list(&shared.db, &page_id(&page)?, listing.skip, listing.limit).await?;
    Ok(Json(components.into_iter().map(|component| strays::with_warning(&shared, component)).collect()))
}

async fn create(
    State(shared): State<Shared>,
    InPath(page): InPath<String>,
    payload: Payload,
) -> Result<(StatusCode, Json<Component>), HttpError> {
    let page = page_id(&page)?;
    let mut patch = patch(&payload.wrapped("component", &INSIDE)?)?;
    let name = patch.name.take().ok_or_else(|| HttpError::unprocessable("name: can't be blank"))?;
    let component = components::create(&shared.db, shared.clock.now(), &page, NewComponent { name, patch }).await?;
    Ok((StatusCode::CREATED, Json(component)))
}

async fn one(
    State(shared): State<Shared>,
    InPath((page, component)): InPath<(String, String)>,
) -> Result<Response, HttpError> {
    Ok(strays::met(&shared, components::get(&shared.db, &page_id(&page)?, &component_id(&component)?).await?))
}

async fn update(
    State(shared): State<Shared>,
    InPath((page, component)): InPath<(String, String)>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let (page, component) = (page_id(&page)?, component_id(&component)?);
    let patch = patch(&payload.wrapped("component", &INSIDE)?)?;
    let (db, now) = (&shared.db, shared.clock.now());
    let updated = components::update(db, &shared.outbox, now, &page, &component, patch).await?;
    Ok(strays::met(&shared, updated))
}

async fn remove(
    State(shared): State<Shared>,
    InPath((page, component)): InPath<(String, String)>,
) -> Result<StatusCode, HttpError> {
    components::delete(&shared.db, shared.clock.now(), &page_id(&page)?, &component_id(&component)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
