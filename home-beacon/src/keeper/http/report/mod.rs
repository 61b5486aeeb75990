//! `/report/2026-11`: a month for the provider's hotline, to be printed; the same as CSV and JSON. It says what
//! it cannot know.
//!
//! - `read`: the month from the storage; `kinds`: its outages by why it was down; `words`: what it says in words; `unknown`: and what it cannot know
//! - `view`: as a page; `csv`, `json`: for machines

mod csv;
mod json;
mod kinds;
mod read;
mod unknown;
mod view;
mod words;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use jiff::Timestamp;

use self::read::Report;
use super::{
    AppState,
    page::{Cache, HEADERS, KEPT, unavailable},
};
use crate::keeper::{
    KeeperError,
    db::Moment,
    history::Month,
    status::{components, pages},
};

const STYLE: &str = include_str!("../../../../templates/report.css");

/// Months that were read lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Months(Cache<(Month, Names), Report>);

/// What is on the page, and when it was changed last: a former name is not told for as long as an old month is kept.
type Names = (Moment, usize, Option<Moment>);

/// For how many seconds a month is kept: one that may still change, and one that is over.
const LIFETIME: i64 = 60;
const LIFETIME_OF_OLD: i64 = 600;

/// How long after its end a month may still change: for so long looks are taken that come late, and more.
const SETTLED_AFTER: i64 = 2 * 86_400;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Page,
    Csv,
    Json,
}

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/report", get(current)).route("/report/{month}", get(draw)).route("/report.css", get(style))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, KEPT)], STYLE)
}

/// Redirects to this month.
async fn current(State(state): State<AppState>) -> Response {
    match pages::get(&state.db, &state.page).await {
        Ok(page) => {
            Redirect::to(&format!("report/{}", Month::of(state.clock.wall(), &page.zone()).name())).into_response()
        }
        Err(error) => unavailable(&error),
    }
}

async fn draw(State(state): State<AppState>, Path(asked): Path<String>) -> Response {
    let Some((month, form)) = parse(&asked) else {
        return (StatusCode::NOT_FOUND, HEADERS, "A month is written like 2026-11, 2026-11.csv or 2026-11.json.\n")
            .into_response();
    };
    let now = state.clock.wall();
    let slot = now.as_second() / lifetime(month, now);
    let report = async {
        let key = (month, names(&state).await?);
        state.months.0.get(key, slot, read::read(&state, month, now)).await
    };
    let report = match report.await {
        Ok(report) => report,
        Err(error) => return unavailable(&error),
    };
    match form {
        Form::Page => match view::ReportPage::new(&report).render() {
            Ok(html) => (HEADERS, Html(html)).into_response(),
            Err(error) => unavailable(&error),
        },
        Form::Json => (HEADERS, axum::Json(json::document(&report))).into_response(),
        Form::Csv => {
            let file = format!("attachment; filename=\"report-{}.csv\"", month.name());
            let kind = "text/csv; charset=utf-8; header=present";
            (
                HEADERS,
                [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, file)],
                csv::table(&report),
            )
                .into_response()
        }
    }
}

async fn names(state: &AppState) -> Result<Names, KeeperError> {
    let page = pages::get(&state.db, &state.page).await?;
    let components = components::list(&state.db, &state.page, 0, u32::MAX).await?;
    let changed = components.iter().map(|component| component.updated_at).max();
    Ok((page.updated_at, components.len(), changed))
}

fn parse(asked: &str) -> Option<(Month, Form)> {
    let (month, form) = if let Some(month) = asked.strip_suffix(".csv") {
        (month, Form::Csv)
    } else if let Some(month) = asked.strip_suffix(".json") {
        (month, Form::Json)
    } else {
        (asked, Form::Page)
    };
    Some((Month::parse(month)?, form))
}

fn lifetime(month: Month, now: Timestamp) -> i64 {
    // Close enough in any zone.
    let is_over =
        month.bounds(&jiff::tz::TimeZone::UTC).is_some_and(|(_, to)| to.as_second() + SETTLED_AFTER < now.as_second());
    if is_over { LIFETIME_OF_OLD } else { LIFETIME }
}

#[cfg(test)]
mod month_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_asked_for_as_a_page_or_for_machines() {
        let month = Month::parse("2026-11").unwrap();
        for (asked, form) in [("2026-11", Form::Page), ("2026-11.csv", Form::Csv), ("2026-11.json", Form::Json)] {
            assert_eq!(parse(asked), Some((month, form)), "{asked}");
        }
        for wrong in ["", ".csv", "2026", "2026-13.csv", "2026-11.xml", "2026-11.csv.json", "1999-12", "2201-01"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_month_that_is_over_is_kept_longer() {
        let month = Month::parse("2026-11").unwrap();
        for (now, kept) in [("2026-11-28T12:00:00Z", 60), ("2026-12-02T12:00:00Z", 60), ("2026-12-04T12:00:00Z", 600)] {
            assert_eq!(lifetime(month, now.parse().unwrap()), kept, "{now}");
        }
    }
}
