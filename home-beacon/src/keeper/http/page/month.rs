//! `/history/2026-11`: a month of incidents and maintenance, in the page's time zone, with links to the months beside it.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use jiff::Timestamp;

use super::{
    super::{AppState, links::Links},
    HEADERS,
    incidents::IncidentView,
    unavailable,
};
use crate::keeper::{
    KeeperError,
    db::Moment,
    history::Month,
    status::{pages, timeline},
};

/// The most incidents of a month that are listed.
const MAX_INCIDENTS: u32 = 200;

#[derive(Template)]
#[template(path = "month.html")]
struct MonthPage {
    /// The page's name.
    page: String,
    month: Month,
    /// The newest first.
    incidents: Vec<IncidentView>,
    /// Whether there may be more than are listed.
    more: bool,
    /// Whether a later month has begun.
    has_next: bool,
    /// Where the page says that this can be reached.
    address: Option<String>,
}

/// Redirects to this month.
pub(super) async fn current(State(state): State<AppState>) -> Response {
    match pages::get(&state.db, &state.page).await {
        Ok(page) => {
            Redirect::to(&format!("history/{}", Month::of(state.clock.wall(), &page.zone()).name())).into_response()
        }
        Err(error) => unavailable(&error),
    }
}

pub(super) async fn draw(State(state): State<AppState>, Path(month): Path<String>) -> Response {
    let Some(month) = Month::parse(&month) else {
        return (StatusCode::NOT_FOUND, HEADERS, "A month is written like 2026-11.\n").into_response();
    };
    match read(&state, month).await.map(|page| page.render()) {
        Ok(Ok(html)) => (HEADERS, Html(html)).into_response(),
        Ok(Err(error)) => unavailable(&error),
        Err(error) => unavailable(&error),
    }
}

async fn read(state: &AppState, month: Month) -> Result<MonthPage, KeeperError> {
    let page = pages::get(&state.db, &state.page).await?;
    let zone = page.zone();
    let (from, to) = month.bounds(&zone).unwrap_or((Timestamp::MIN, Timestamp::MIN));
    let between = (Moment::new(from), Moment::new(to));
    let incidents = timeline::began(&state.db, &state.page, between, MAX_INCIDENTS).await?;
    Ok(MonthPage {
        address: Links::stated(&page).map(|links| format!("{}/history/{}", links.page(), month.name())),
        more: incidents.len() >= usize::try_from(MAX_INCIDENTS).unwrap_or(usize::MAX),
        incidents: incidents.iter().map(|incident| IncidentView::new(incident, &zone)).collect(),
        has_next: month < Month::of(state.clock.wall(), &zone),
        page: page.name,
        month,
    })
}
