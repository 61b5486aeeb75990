//! `/v1/pages/{page}/metrics_providers`

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use shared::id::{MetricsProviderId, PageId};

use super::super::{
    AppState, HttpError,
    fields::Fields,
    listing::Listing,
    path::{InPath, InQuery},
    payload::Payload,
};
use super::metrics::READ_ONLY;
use crate::keeper::{
    measured::{
        metrics::{self, Metric, NewMetric},
        metrics_providers::{self, MetricsProvider, SelfKind},
    },
    seed::MAX_DECIMAL_PLACES,
};

/// statuspage.io's limit for names and identifiers, in characters.
const MAX_LENGTH: usize = 255;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/pages/{page}/metrics_providers", get(list).post(create))
        .route("/pages/{page}/metrics_providers/{provider}", get(one).patch(update).put(update).delete(remove))
        .route("/pages/{page}/metrics_providers/{provider}/metrics", get(list_metrics).post(create_metric))
}

/// The other kinds would have the keeper fetch from a service.
fn check_type(fields: &Fields) -> Result<(), HttpError> {
    fields.one_of("type", &[SelfKind::Sent], |_| "Self").map(drop)
}

async fn list(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
) -> Result<Json<Vec<MetricsProvider>>, HttpError> {
    Ok(Json(metrics_providers::list(&state.db, &page).await?))
}

async fn create(
    State(state): State<AppState>,
    InPath(page): InPath<PageId>,
    payload: Payload,
) -> Result<(StatusCode, Json<MetricsProvider>), HttpError> {
    check_type(&payload.wrapped("metrics_provider", &["type"])?)?;
    let provider = metrics_providers::create(&state.db, state.clock.now(), &page).await?;
    Ok((StatusCode::CREATED, Json(provider)))
}

async fn one(
    State(state): State<AppState>,
    InPath((page, provider)): InPath<(PageId, MetricsProviderId)>,
) -> Result<Json<MetricsProvider>, HttpError> {
    Ok(Json(metrics_providers::get(&state.db, &page, &provider).await?))
}

/// There is nothing that could be changed of a provider that metrics are sent to.
async fn update(
    state: State<AppState>,
    path: InPath<(PageId, MetricsProviderId)>,
    payload: Payload,
) -> Result<Json<MetricsProvider>, HttpError> {
    check_type(&payload.wrapped("metrics_provider", &["type"])?)?;
    one(state, path).await
}

async fn remove(
    State(state): State<AppState>,
    InPath((page, provider)): InPath<(PageId, MetricsProviderId)>,
) -> Result<Json<MetricsProvider>, HttpError> {
    Ok(Json(metrics_providers::delete(&state.db, state.clock.now(), &page, &provider).await?))
}

async fn list_metrics(
    State(state): State<AppState>,
    InPath((page, provider)): InPath<(PageId, MetricsProviderId)>,
    InQuery(query): InQuery,
) -> Result<Json<Vec<Metric>>, HttpError> {
    let listing = Listing::from_query(&query)?;
    Ok(Json(metrics::list(&state.db, &page, Some(&provider), listing.skip, listing.limit).await?))
}

async fn create_metric(
    State(state): State<AppState>,
    InPath((page, provider)): InPath<(PageId, MetricsProviderId)>,
    payload: Payload,
) -> Result<(StatusCode, Json<Metric>), HttpError> {
    let fields = payload.wrapped("metric", &["name", "suffix"])?;
    let places = fields.integer("decimal_places")?.unwrap_or(0);
    if !(0..=i64::from(MAX_DECIMAL_PLACES)).contains(&places) {
        return Err(HttpError::unprocessable(format!("decimal_places: must be from 0 to {MAX_DECIMAL_PLACES}")));
    }
    let new = NewMetric {
        name: fields.name(MAX_LENGTH)?.ok_or_else(|| HttpError::unprocessable("name: can't be blank"))?,
        metric_identifier: fields.text("metric_identifier", MAX_LENGTH)?,
        display: fields.boolean("display")?.unwrap_or(true),
        tooltip_description: fields.text("tooltip_description", 25_000)?,
        y_axis_min: fields.number("y_axis_min")?,
        y_axis_max: fields.number("y_axis_max")?,
        y_axis_hidden: fields.boolean("y_axis_hidden")?.unwrap_or(false),
        suffix: fields.text("suffix", MAX_LENGTH)?,
        decimal_places: places,
    };
    fields.nothing_is_lost(&READ_ONLY)?;
    let metric = metrics::create(&state.db, state.clock.now(), &page, &provider, new).await?;
    Ok((StatusCode::CREATED, Json(metric)))
}
