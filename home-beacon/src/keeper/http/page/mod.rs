//! `/`: the page for people. Drawn on the server, right without script; times are in the page's time zone.

mod bars;
mod cache;
mod component;
mod drawn;
mod graph;
mod graphs;
mod incident;
mod incidents;
mod line;
mod measured;
mod month;
mod outages;
mod past;
mod range;
mod upstream;
mod uptime;

use std::{borrow::Cow, sync::Arc};

use askama::Template;
use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use shared::{id::ComponentId, statuspage::ComponentStatus};

use self::{
    bars::HistoryView,
    component::{ComponentView, GroupView, StatusView, mark_groups},
    drawn::Drawings,
    graphs::GraphCache,
    incidents::{SectionView, sections},
    measured::{MeasuredView, has_metrics, measured},
    outages::OutageView,
    range::Range,
    upstream::{GapView, RelayView, gaps, relay},
};
pub(super) use self::{
    bars::percent, cache::Cache, incidents::words as state_words, upstream::confirmed_at, uptime::uptime,
};
use super::{AppState, links::Links};
pub(super) use crate::keeper::length::length_words;
use crate::keeper::{
    KeeperError,
    status::{
        Component, Sight, components,
        groups::{self, in_order},
        overall::{in_words, overall},
        pages,
    },
};

/// How many of a component's changes are listed.
const CHANGES: u32 = 20;

const STYLE: &str = include_str!("../../../../templates/page.css");
/// What browsers show beside the title where the page has no logo.
const ICON: &str = include_str!("../../../../templates/icon.svg");
const SCRIPT: &str = include_str!("../../../../templates/page.js");

/// The page needs its style sheet, its script and itself, and nothing from other origins.
pub(super) const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
];

/// How long a browser may keep style sheet and script: short, because they change with the keeper's version.
pub(super) const KEPT: &str = "max-age=300";

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
        .route("/logo", get(logo))
        .route("/page.css", get(style))
        .route("/page.js", get(script))
}

async fn style(State(state): State<AppState>) -> impl IntoResponse {
    let style = format!("{STYLE}{}", state.front.branding.style());
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, KEPT)], style)
}

async fn logo(State(state): State<AppState>) -> Response {
    let (kind, bytes) = match &state.front.branding.logo {
        Some(logo) => (logo.kind, logo.bytes.clone()),
        None => ("image/svg+xml", Bytes::from_static(ICON.as_bytes())),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, KEPT),
        // An SVG that is opened by itself may style itself, and nothing else.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ];
    (headers, bytes).into_response()
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, KEPT)], SCRIPT)
}

async fn draw(state: &AppState, audience: Audience, range: Range) -> Response {
    let drawn = match audience {
        // Only the operator sees it, who sees what was just changed, and requests that have just come.
        Audience::Private => draw_anew(state, audience, range).await,
        Audience::Public => state.past.drawings.get(state, range).await,
    };
    match drawn {
        Ok(html) => (HEADERS, Html(html)).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn draw_anew(state: &AppState, audience: Audience, range: Range) -> Result<Bytes, DrawError> {
    Ok(PageView::read(state, audience, range).await?.render()?.into())
}

/// Why a page cannot be drawn.
#[derive(Debug, thiserror::Error)]
enum DrawError {
    #[error(transparent)]
    Read(#[from] KeeperError),
    #[error("the template cannot be filled in")]
    Template(#[from] askama::Error),
}

pub(super) fn unavailable(error: &(dyn std::error::Error + 'static)) -> Response {
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
    has_logo: bool,
    description: Option<String>,
    /// What is said above all else.
    notice: Option<String>,
    /// How a first look comes about, for the page's owner.
    without_looks: Option<String>,
    overall: String,
    /// The style of the overall state: that of the worst component's status, or none where nothing is known.
    class: &'static str,
    components: Vec<ComponentView>,
    /// Of the last days, the newest first.
    outages: Vec<OutageView>,
    measured: Vec<MeasuredView>,
    /// Whether there are metrics, and none has a value yet.
    awaits_values: bool,
    /// What is said of the line as a whole.
    line: Arc<Vec<String>>,
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
    /// The state with its time, for who shows a link to the page.
    as_of: String,
    /// Where the page says that it can be reached.
    address: Option<String>,
}

/// What was read of the past lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    graphs: GraphCache,
    histories: Cache<ComponentId, HistoryView>,
    line: Cache<(), Vec<String>>,
    causes: Cache<outages::Which, Option<&'static str>>,
    drawings: Drawings,
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
        let groups = groups::of(&state.db, &state.page, all.iter()).await?;
        let placed = in_order(all, groups);
        let now = state.clock.wall();
        let (going_on, over) = sections(state, &zone, now).await?;
        let (mut views, mut seen) = (Vec::with_capacity(placed.len()), Vec::with_capacity(placed.len()));
        let looking = state.clock.now_for_looks();
        for (group, component) in &placed {
            let looked = state.recorder.looks().at(&component.id, looking);
            let sight = looked.sight(component.looks);
            seen.push((looked.corrected(component.status), sight));
            if is_shown(component, sight) {
                let changes = components::status_changes(&state.db, &component.id, CHANGES).await?;
                let slot = now.as_second() / past::LIFETIME;
                let read = past::read(state, component, now, &zone);
                let history = state.past.histories.get(component.id.clone(), slot, read).await?;
                let view = ComponentView::new(component, &looked, history, &changes, &zone);
                views.push(ComponentView { group: group.as_ref().map(GroupView::new), ..view });
            }
        }
        mark_groups(&mut views);
        let overall = overall(&seen);
        let measured = measured(state, &zone, now, range).await?;
        let relay = relay(state, audience, &zone, now).await?;
        // A status that could not be confirmed lately is not shown green.
        let is_old = relay.as_ref().is_some_and(|relay| relay.is_old);
        let drawn = Time::new(now, &zone);
        let said = if is_old { "Not confirmed by the page upstream lately".into() } else { overall.description(&zone) };
        Ok(Self {
            as_of: format!("{said} (as of {})", drawn.words),
            address: Links::stated(&page).map(|links| format!("{}/", links.page())),
            class: if is_old || !overall.is_known() { "unknown" } else { overall.indicator.as_str() },
            overall: overall.description(&zone),
            name: page.name,
            has_logo: state.front.branding.logo.is_some(),
            description: page.description,
            notice: state.notice.clone(),
            without_looks: state.without_looks.clone().filter(|_| audience == Audience::Private),
            outages: outages::listed(state, &views, &zone).await?,
            components: views,
            awaits_values: measured.is_empty() && has_metrics(state).await?,
            measured,
            line: state.past.line.get((), now.as_second() / line::LIFETIME, line::sentences(state, now)).await?,
            range,
            going_on,
            over,
            relay,
            gaps: gaps(state, &zone, now).await?,
            strays: if audience == Audience::Private { state.strays.lately(now) } else { Vec::new() },
            drawn,
        })
    }
}

impl Time {
    fn new(time: Timestamp, zone: &TimeZone) -> Self {
        Self { machine: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), words: in_words(time, zone) }
    }
}

/// A status as the page writes it.
pub(super) fn status_words(status: Option<ComponentStatus>) -> Cow<'static, str> {
    StatusView::new(status).words
}

/// Some components are of interest only while something is wrong with them, or may be.
fn is_shown(component: &Component, sight: Sight) -> bool {
    let is_wrong = component.status.is_some_and(|status| status != ComponentStatus::Operational);
    !component.only_show_if_degraded || is_wrong || !sight.is_current()
}
