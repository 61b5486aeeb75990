//! `/`: the page for people. Drawn on the server, right without script; times are in the page's time zone.

mod bars;
mod graph;
pub(super) mod graphs;
mod incident;
mod incidents;
mod line;
mod measured;
mod month;
mod outages;
mod range;
mod upstream;

use std::borrow::Cow;

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
    bars::HistoryView,
    incidents::{SectionView, sections},
    measured::{MeasuredView, measured},
    outages::OutageView,
    range::Range,
    upstream::{GapView, RelayView, gaps, relay},
};
use super::AppState;
use crate::keeper::{
    KeeperError,
    looks::shown::Looked,
    status::{
        Component, Sight, StatusChange, components,
        overall::{in_words, overall},
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
    /// What is said above all else.
    notice: Option<String>,
    overall: String,
    /// The style of the overall state: that of the worst component's status, or none where nothing is known.
    class: &'static str,
    components: Vec<ComponentView>,
    /// Of the last days, the newest first.
    outages: Vec<OutageView>,
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
    /// What is wrong by the newest look.
    trouble: Option<&'static str>,
    looked: Option<LookedView>,
    history: HistoryView,
    /// Newest first.
    changes: Vec<ChangeView>,
}

/// When somebody looked last.
struct LookedView {
    location: String,
    age: String,
    at: Time,
}

struct ChangeView {
    status: StatusView,
    at: Time,
}

/// A status as the style sheet and the reader know it.
struct StatusView {
    class: &'static str,
    words: Cow<'static, str>,
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
        let (mut views, mut seen) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
        let looking = state.clock.now_for_looks();
        for component in &all {
            let looked = state.recorder.looks().at(&component.id, looking);
            let sight = looked.sight(component.looks);
            seen.push((component.status, sight));
            if is_shown(component, sight) {
                let changes = components::status_changes(&state.db, &component.id, CHANGES).await?;
                let history = bars::read(state, component, now, &zone).await?;
                views.push(ComponentView::new(component, &looked, history, &changes, &zone));
            }
        }
        let overall = overall(&seen);
        let relay = relay(state, audience, &zone, now).await?;
        // A status that could not be confirmed lately is not shown green.
        let is_old = relay.as_ref().is_some_and(|relay| relay.is_old);
        Ok(Self {
            class: if is_old || !overall.is_known() { "unknown" } else { overall.indicator.as_str() },
            overall: overall.description(&zone),
            name: page.name,
            description: page.description,
            notice: state.notice.clone(),
            outages: outages::views(
                views.iter().map(|view| (view.name.as_str(), view.history.outages.as_slice())),
                &zone,
            ),
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
    fn new(
        component: &Component,
        looked: &Looked,
        history: HistoryView,
        changes: &[StatusChange],
        zone: &TimeZone,
    ) -> Self {
        let sight = looked.sight(component.looks);
        // Where nobody has looked lately, it is not known since when it is what it may be.
        let since = changes.first().filter(|_| sight.is_current());
        let is_well = component.status == Some(ComponentStatus::Operational);
        Self {
            id: component.id.to_string(),
            name: component.name.clone(),
            description: component.description.clone(),
            status: match sight.words(zone) {
                Some(words) => StatusView { class: "unknown", words: words.into() },
                None => StatusView::new(component.status),
            },
            since: since.map(|change| Time::new(change.since.timestamp(), zone)),
            trouble: looked.trouble().filter(|_| !is_well),
            history,
            looked: if sight.is_current() { LookedView::new(looked, zone) } else { None },
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
        Self { class, words: words.into() }
    }
}

impl LookedView {
    fn new(looked: &Looked, zone: &TimeZone) -> Option<Self> {
        let (at, age, location) = (looked.at()?, looked.age()?, looked.location()?);
        let age = if age.as_secs() < 60 { format!("{} s", age.as_secs()) } else { format!("{} min", age.as_mins()) };
        Some(Self { location: location.to_string(), age, at: Time::new(at.timestamp(), zone) })
    }
}

impl Time {
    fn new(time: Timestamp, zone: &TimeZone) -> Self {
        Self { machine: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), words: in_words(time, zone) }
    }
}

/// Some components are of interest only while something is wrong with them, or may be.
fn is_shown(component: &Component, sight: Sight) -> bool {
    let is_wrong = component.status.is_some_and(|status| status != ComponentStatus::Operational);
    !component.only_show_if_degraded || is_wrong || !sight.is_current()
}
