//! `/v1/pages/{page}/metrics`

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::super::{
    HttpError, Shared,
    listing::Listing,
    path::{InPath, InQuery, metric_id, page_id},
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

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/pages/{page}/metrics", get(list))
        .route("/pages/{page}/metrics/data", post(points::add_many))
        .route("/pages/{page}/metrics/{metric}", get(one).patch(update).put(update).delete(remove))
        .route("/pages/{page}/metrics/{metric}/data", post(points::add).delete(reset))
}

async fn list(
    State(shared): State<Shared>,
    InPath(page): InPath<String>,
    InQuery(query): InQuery,
) -> Result<Json<Vec<Metric>>, HttpError> {
    let listing = Listing::from_query(&query)?;
    Ok(Json(metrics::list(&shared.db, &page_id(&page)?, None, listing.skip, listing.limit).await?))
}

async fn one(
    State(shared): State<Shared>,
    InPath((page, metric)): InPath<(String, String)>,
) -> Result<Json<Metric>, HttpError> {
    Ok(Json(metrics::get(&shared.db, &page_id(&page)?, &metric_id(&metric)?).await?))
}

async fn update(
    State(shared): State<Shared>,
    InPath((page, metric)): InPath<(String, String)>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let (page, metric) = (page_id(&page)?, metric_id(&metric)?);
    let fields = payload.wrapped("metric", &["metric_identifier", "name"])?;
    let patch = MetricPatch {
        name: fields.name(MAX_LENGTH)?,
        metric_identifier: fields.clearable_text("metric_identifier", MAX_LENGTH)?,
    };
    fields.nothing_is_lost(&READ_ONLY)?;
    let updated = metrics::update(&shared.db, shared.clock.now(), &page, &metric, patch).await?;
    let answer = Json(updated).into_response();
    Ok(strays::of_metrics(&shared, &page, &[&metric], answer).await?)
}

async fn remove(
    State(shared): State<Shared>,
    InPath((page, metric)): InPath<(String, String)>,
) -> Result<Json<Metric>, HttpError> {
    Ok(Json(metrics::delete(&shared.db, shared.clock.now(), &page_id(&page)?, &metric_id(&metric)?).await?))
}

async fn reset(
    State(shared): State<Shared>,
    InPath((page, metric)): InPath<(String, String)>,
) -> Result<Json<Metric>, HttpError> {
    Ok(Json(metrics::reset(&shared.db, &page_id(&page)?, &metric_id(&metric)?).await?))
}
