//! `/v1/pages/{page}/metrics_providers`

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};

use super::{
    Refusal,
    fields::Fields,
    listing::Listing,
    metrics::TOLD,
    path::{InPath, InQuery, page_id, provider_id},
    payload::Payload,
};
use crate::keeper::{
    Shared,
    seed::MOST_DECIMAL_PLACES,
    store::{Metric, MetricsProvider, NewMetric},
};

/// statuspage.io's limit for names and identifiers, in characters.
const LONGEST: usize = 255;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/pages/{page}/metrics_providers", get(list).post(create))
        .route("/pages/{page}/metrics_providers/{provider}", get(one).patch(update).put(update).delete(remove))
        .route("/pages/{page}/metrics_providers/{provider}/metrics", get(metrics).post(create_metric))
}

/// The other kinds would have the keeper fetch from somebody.
fn look_at_type(fields: &Fields) -> Result<(), Refusal> {
    fields.one_of("type", &["Self"]).map(drop)
}

async fn list(
    State(shared): State<Shared>,
    InPath(page): InPath<String>,
) -> Result<Json<Vec<MetricsProvider>>, Refusal> {
    Ok(Json(shared.store.metrics_providers(&page_id(&page)?).await?))
}

async fn create(
    State(shared): State<Shared>,
    InPath(page): InPath<String>,
    payload: Payload,
) -> Result<(StatusCode, Json<MetricsProvider>), Refusal> {
    look_at_type(&payload.wrapped("metrics_provider", &["type"])?)?;
    Ok((StatusCode::CREATED, Json(shared.store.create_metrics_provider(&page_id(&page)?).await?)))
}

async fn one(
    State(shared): State<Shared>,
    InPath((page, provider)): InPath<(String, String)>,
) -> Result<Json<MetricsProvider>, Refusal> {
    Ok(Json(shared.store.metrics_provider(&page_id(&page)?, &provider_id(&provider)?).await?))
}

/// There is nothing that could be changed of a provider that metrics are sent to.
async fn update(
    shared: State<Shared>,
    path: InPath<(String, String)>,
    payload: Payload,
) -> Result<Json<MetricsProvider>, Refusal> {
    look_at_type(&payload.wrapped("metrics_provider", &["type"])?)?;
    one(shared, path).await
}

async fn remove(
    State(shared): State<Shared>,
    InPath((page, provider)): InPath<(String, String)>,
) -> Result<Json<MetricsProvider>, Refusal> {
    Ok(Json(shared.store.delete_metrics_provider(&page_id(&page)?, &provider_id(&provider)?).await?))
}

async fn metrics(
    State(shared): State<Shared>,
    InPath((page, provider)): InPath<(String, String)>,
    InQuery(query): InQuery,
) -> Result<Json<Vec<Metric>>, Refusal> {
    let (listing, provider) = (Listing::from_query(&query)?, provider_id(&provider)?);
    Ok(Json(shared.store.metrics(&page_id(&page)?, Some(&provider), listing.skip, listing.limit).await?))
}

async fn create_metric(
    State(shared): State<Shared>,
    InPath((page, provider)): InPath<(String, String)>,
    payload: Payload,
) -> Result<(StatusCode, Json<Metric>), Refusal> {
    let (page, provider) = (page_id(&page)?, provider_id(&provider)?);
    let fields = payload.wrapped("metric", &["name", "suffix"])?;
    let places = fields.integer("decimal_places")?.unwrap_or(0);
    if !(0..=i64::from(MOST_DECIMAL_PLACES)).contains(&places) {
        return Err(Refusal::unprocessable(format!("decimal_places: must be from 0 to {MOST_DECIMAL_PLACES}")));
    }
    let new = NewMetric {
        name: fields.name(LONGEST)?.ok_or_else(|| Refusal::unprocessable("name: can't be blank"))?,
        metric_identifier: fields.text("metric_identifier", LONGEST)?,
        display: fields.boolean("display")?.unwrap_or(true),
        tooltip_description: fields.text("tooltip_description", 25_000)?,
        y_axis_min: fields.number("y_axis_min")?,
        y_axis_max: fields.number("y_axis_max")?,
        y_axis_hidden: fields.boolean("y_axis_hidden")?.unwrap_or(false),
        suffix: fields.text("suffix", LONGEST)?,
        decimal_places: places,
    };
    fields.nothing_is_lost(&TOLD)?;
    Ok((StatusCode::CREATED, Json(shared.store.create_metric(&page, &provider, new).await?)))
}
