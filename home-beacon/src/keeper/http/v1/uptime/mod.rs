//! `…/components/{component}/uptime` and `…/component-groups/{group}/uptime`: the page's figures, over the time in which somebody
//! looked, in the API's shape. What nobody looked at is said in the warnings.
//!
//! - `range`: which days are asked for; `figures`: what they came to. Both pure

mod figures;
mod range;

use std::collections::HashMap;

use axum::{Json, Router, extract::State, routing::get};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::Serialize;
use serde_json::{Value, json};
use shared::id::{ComponentGroupId, ComponentId, IncidentId, PageId};

use self::{figures::Figures, range::DateRange};
use super::super::{
    AppState, HttpError,
    component_past::ComponentPast,
    path::{InPath, InQuery},
};
use crate::keeper::{
    KeeperError,
    status::{Component, components, groups, pages, timeline},
};

/// The most incidents that are named of a component.
const MAX_RELATED: u32 = 100;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/pages/{page}/components/{component}/uptime", get(of_component))
        .route("/pages/{page}/component-groups/{group}/uptime", get(of_group))
}

#[derive(Serialize)]
struct Uptime<I> {
    id: I,
    name: String,
    /// The first and the last day, in the page's time zone.
    range_start: Date,
    range_end: Date,
    /// `null` where no time counts.
    #[serde(rename = "uptime_percentage")]
    percentage: Option<f64>,
    /// In seconds; of a group, of all its components together.
    major_outage: i64,
    partial_outage: i64,
    related_events: Vec<Value>,
    warnings: Vec<String>,
}

async fn of_component(
    State(state): State<AppState>,
    InPath((page, component)): InPath<(PageId, ComponentId)>,
    InQuery(query): InQuery,
) -> Result<Json<Uptime<ComponentId>>, HttpError> {
    let zone = pages::get(&state.db, &page).await?.zone();
    let component = components::get(&state.db, &page, &component).await?;
    let range = asked(&state, &zone, &query, component.start_date.as_deref())?;
    let (figures, related) = read(&state, &zone, &range, &component).await?;
    let related = related.into_iter().map(|id| json!({ "id": id })).collect();
    Ok(answer(component.id, component.name, range, &figures, related))
}

async fn of_group(
    State(state): State<AppState>,
    InPath((page, group)): InPath<(PageId, ComponentGroupId)>,
    InQuery(query): InQuery,
) -> Result<Json<Uptime<ComponentGroupId>>, HttpError> {
    let zone = pages::get(&state.db, &page).await?.zone();
    let group = groups::get(&state.db, &page, &group).await?;
    let mut members = Vec::with_capacity(group.components.len());
    for id in &group.components {
        members.push(components::get(&state.db, &page, id).await?);
    }
    // The earliest one, if all of them have one.
    let began = members.iter().map(|component| component.start_date.as_deref()).min().flatten();
    let range = asked(&state, &zone, &query, began)?;
    let (mut all, mut related) = (Figures::default(), Vec::new());
    for component in &members {
        let (figures, incidents) = read(&state, &zone, &range, component).await?;
        all.add(&figures);
        let incidents: Vec<_> = incidents.into_iter().map(|id| json!({ "id": id })).collect();
        if !incidents.is_empty() {
            related.push(json!({ "component_id": component.id, "incidents": incidents }));
        }
    }
    Ok(answer(group.id, group.name, range, &all, related))
}

fn asked(
    state: &AppState,
    zone: &TimeZone,
    query: &HashMap<String, String>,
    start_date: Option<&str>,
) -> Result<DateRange, HttpError> {
    let text = |name: &str| query.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let today = state.clock.wall().to_zoned(zone.clone()).date();
    let start_date = start_date.and_then(|date| date.parse().ok());
    range::read(text("start"), text("end"), start_date, today).map_err(HttpError::unprocessable)
}

/// What a component's time came to, and which incidents it was named by.
async fn read(
    state: &AppState,
    zone: &TimeZone,
    range: &DateRange,
    component: &Component,
) -> Result<(Figures, Vec<IncidentId>), KeeperError> {
    let begin = |date: Date| date.to_zoned(zone.clone()).map_or(i64::MAX, |day| day.timestamp().as_millisecond());
    let from = begin(range.first);
    let to = begin(range.last.saturating_add(1.day())).min(state.clock.now().millis());
    let past = ComponentPast::read(state, component, from..to).await?;
    let related = timeline::naming(&state.db, &component.id, (from, to), MAX_RELATED).await?;
    let figures = Figures::of(&past.record(), from..to);
    Ok((if past.seen.is_cut { figures.cut() } else { figures }, related))
}

fn answer<I>(id: I, name: String, range: DateRange, figures: &Figures, related: Vec<Value>) -> Json<Uptime<I>> {
    let mut warnings = range.warnings;
    if let Some(warning) = figures.warning() {
        warnings.push(warning);
    }
    Json(Uptime {
        id,
        name,
        range_start: range.first,
        range_end: range.last,
        percentage: figures.percentage(),
        major_outage: figures.major_outage(),
        partial_outage: figures.partial_outage(),
        related_events: related,
        warnings,
    })
}
