//! `/`: the page for people. Drawn on the server, right without script; times are in the page's time zone.

mod bars;
mod graph;
pub(super) mod graphs;
mod incident;
mod incidents;
mod line;
mod measured;
mod month;
mod range;
mod upstream;

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use shared::statuspage::ComponentStatus;

use self::{
    incidents::{SectionView, sections},
    measured::{MeasuredView, measured},
    range::Range,
    upstream::{GapView, RelayView, gaps, relay},
};
use super::AppState;
use crate::keeper::{
    KeeperError,
    status::{
        Component, StatusChange, components,
        overall::{Overall, overall},
        pages,
    },
};

/// How many of a component's changes are listed.
const CHANGES: u32 = 20;

const STYLE: &str = include_str!("../../../../templates/page.css");
const SCRIPT: &str = include_str!("../../../../templates/page.js");

/// The page needs its style sheet, its script and itself, and nothing from other origins.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
];

/// How long a browser may keep style sheet and script: short, because they change with the keeper's version.
const KEPT: &str = "max-age=300";

/// Which listener it is drawn for: the public one leaves out what only the operator can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Private,
    Public,
}

pub(super) fn router(audience: Audience) -> Router<AppState> {
    let draw = move |State(state): State<AppState>, Query(wanted): Query<Wanted>| async move {
        draw(&state, audience, Range::of(&wanted.range)).await
    };
    Router::new()
        .route("/", get(draw))
        .route("/incidents/{id}", get(incident::draw))
        .route("/history", get(month::current))
        .route("/history/{month}", get(month::draw))
        .route("/page.css", get(style))
        .route("/page.js", get(script))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, KEPT)], STYLE)
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, KEPT)], SCRIPT)
}

async fn draw(state: &AppState, audience: Audience, range: Range) -> Response {
    match PageView::read(state, audience, range).await.map(|view| view.render()) {
        Ok(Ok(html)) => (HEADERS, Html(html)).into_response(),
        Ok(Err(error)) => unavailable(&error),
        Err(error) => unavailable(&error),
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "the page cannot be drawn");
    (StatusCode::SERVICE_UNAVAILABLE, "This page cannot be drawn right now. Please try again in a minute.\n")
        .into_response()
}

/// What a visitor asks for.
#[derive(Debug, Default, Deserialize)]
struct Wanted {
    /// How far back the graphs look; the day for whatever is no range.
    #[serde(default)]
    range: String,
}

#[derive(Template)]
#[template(path = "page.html")]
struct PageView {
    name: String,
    description: Option<String>,
    overall: Overall,
    /// The style of the overall state: that of the worst component's status.
    class: &'static str,
    components: Vec<ComponentView>,
    measured: Vec<MeasuredView>,
    /// What is said of the line as a whole.
    line: Vec<String>,
    /// How far back the graphs look.
    range: Range,
    going_on: Vec<SectionView>,
    over: Vec<SectionView>,
    /// How the relay is, where there is one.
    relay: Option<RelayView>,
    gaps: Vec<GapView>,
    /// Requests of the last hour for what the page does not show.
    strays: Vec<String>,
    drawn: Time,
}

struct ComponentView {
    id: String,
    name: String,
    description: Option<String>,
    status: StatusView,
    since: Option<Time>,
    /// Newest first.
    changes: Vec<ChangeView>,
}

struct ChangeView {
    status: StatusView,
    at: Time,
}

/// A status as the style sheet and the reader know it.
struct StatusView {
    class: &'static str,
    words: &'static str,
}

struct Time {
    machine: String,
    words: String,
}

impl PageView {
    async fn read(state: &AppState, audience: Audience, range: Range) -> Result<Self, KeeperError> {
        let page = pages::get(&state.db, &state.page).await?;
        let zone = TimeZone::get(&page.time_zone).unwrap_or(TimeZone::UTC);
        let all = components::list(&state.db, &state.page, 0, u32::MAX).await?;
        let now = state.clock.wall();
        let (going_on, over) = sections(state, &zone, now).await?;
        let mut views = Vec::with_capacity(all.len());
        for component in all.iter().filter(|component| is_shown(component)) {
            let changes = components::status_changes(&state.db, &component.id, CHANGES).await?;
            views.push(ComponentView::new(component, &changes, &zone));
        }
        let overall = overall(&all);
        let relay = relay(state, audience, &zone, now).await?;
        // A status that could not be confirmed lately is not shown green.
        let is_old = relay.as_ref().is_some_and(|relay| relay.is_old);
        Ok(Self {
            class: if is_old { "unknown" } else { class(&overall, &all) },
            overall,
            name: page.name,
            description: page.description,
            components: views,
            measured: measured(state, &zone, now, range).await?,
            line: line::sentences(state, now).await?,
            range,
            going_on,
            over,
            relay,
            gaps: gaps(state, &zone, now).await?,
            strays: if audience == Audience::Private { state.strays.lately(now) } else { Vec::new() },
            drawn: Time::new(now, &zone),
        })
    }
}

impl ComponentView {
    fn new(component: &Component, changes: &[StatusChange], zone: &TimeZone) -> Self {
        Self {
            id: component.id.to_string(),
            name: component.name.clone(),
            description: component.description.clone(),
            status: StatusView::new(component.status),
            since: changes.first().map(|change| Time::new(change.since.timestamp(), zone)),
            changes: changes
                .iter()
                .map(|change| ChangeView {
                    status: StatusView::new(change.status),
                    at: Time::new(change.since.timestamp(), zone),
                })
                .collect(),
        }
    }
}

impl StatusView {
    fn new(status: Option<ComponentStatus>) -> Self {
        let (class, words) = match status {
            Some(ComponentStatus::Operational) => ("operational", "Operational"),
            Some(ComponentStatus::UnderMaintenance) => ("maintenance", "Under maintenance"),
            Some(ComponentStatus::DegradedPerformance) => ("degraded", "Degraded performance"),
            Some(ComponentStatus::PartialOutage) => ("partial", "Partial outage"),
            Some(ComponentStatus::MajorOutage) => ("major", "Major outage"),
            None => ("unknown", "No status"),
        };
        Self { class, words }
    }
}

impl Time {
    fn new(time: Timestamp, zone: &TimeZone) -> Self {
        let zoned = time.to_zoned(zone.clone());
        Self {
            machine: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            words: zoned.strftime("%-d %b %Y, %H:%M:%S %Z").to_string(),
        }
    }
}

/// Some components are of interest only while something is wrong with them.
fn is_shown(component: &Component) -> bool {
    !component.only_show_if_degraded || component.status.is_some_and(|status| status != ComponentStatus::Operational)
}

/// Knowing nothing and finding nothing wrong share an indicator, but not a colour.
fn class(overall: &Overall, components: &[Component]) -> &'static str {
    let is_known = components.iter().any(|component| component.status.is_some());
    if is_known { overall.indicator.as_str() } else { "unknown" }
}
