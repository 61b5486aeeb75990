//! `/v1/pages/{page}/metrics`

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use shared::id::{MetricId, PageId};

use super::super::{
    AppState, HttpError,
    listing::Listing,
    path::{InPath, InQuery},
    payload::Payload,
    strays,
};
use super::points;
use crate::keeper::measured::metrics::{self, Metric, MetricPatch};

/// statuspage.io's limit for names and identifiers, in characters.
const MAX_LENGTH: usize = 255;

/// Fields that a metric is sent with, and that cannot be changed: the published API has no way for it either.
pub(super) const READ_ONLY: [&str; 15] = [
    "backfill_percentage",
    "created_at",
    "decimal_places",
    "display",
    "id",
    "last_fetched_at",
    "metrics_provider_id",
    "most_recent_data_at",
    "reference_name",
    "suffix",
    "tooltip_description",
    // How values that are fetched from a service are summed up; nothing is fetched here.
    "transform",
    "updated_at",
    "y_axis_max",
    "y_axis_min",
];

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/pages/{page}/metrics", get(list))
        .route("/pages/{page}/metrics/data", post(points::add_many))
        .route("/pages/{page}/metrics/{metric}", get(one).patch(update).put(update).delete(remove))
        .route("/pages/{page}/metrics/{metric}/data", post(points::add).delete(reset))
}

async fn list(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    InQuery(query): InQuery,
) -> Result<Json<Vec<Metric>>, HttpError> {
    let listing = Listing::from_query(&query)?;
    Ok(Json(metrics::list(&state.db, &page, None, listing.skip, listing.limit).await?))
}

async fn one(
    State(state): State<AppState>,
    InPath((page, metric)): InPath<(PageId, MetricId)>,
) -> Result<Json<Metric>, HttpError> {
    Ok(Json(metrics::get(&state.db, &page, &metric).await?))
}

async fn update(
    State(state): State<AppState>,
    InPath((page, metric)): InPath<(PageId, MetricId)>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let fields = payload.wrapped("metric", &["metric_identifier", "name"])?;
    let patch = MetricPatch {
        name: fields.name(MAX_LENGTH)?,
        metric_identifier: fields.clearable_text("metric_identifier", MAX_LENGTH)?,
    };
    fields.nothing_is_lost(&READ_ONLY)?;
    let updated = metrics::update(&state.db, state.clock.now(), &page, &metric, patch).await?;
    let answer = Json(updated).into_response();
    Ok(strays::of_metrics(&state, &page, &[&metric], answer).await?)
}

async fn remove(
    State(state): State<AppState>,
    InPath((page, metric)): InPath<(PageId, MetricId)>,
) -> Result<Json<Metric>, HttpError> {
    Ok(Json(metrics::delete(&state.db, state.clock.now(), &page, &metric).await?))
}

async fn reset(
    State(state): State<AppState>,
    InPath((page, metric)): InPath<(PageId, MetricId)>,
) -> Result<Json<Metric>, HttpError> {
    Ok(Json(metrics::reset(&state.db, &page, &metric).await?))
}
