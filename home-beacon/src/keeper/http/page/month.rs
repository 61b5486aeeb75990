//! `/history/2026-11`: a month of incidents and maintenance, in the page's time zone, with links to the months beside it.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::{super::AppState, HEADERS, incidents::IncidentView, unavailable};
use crate::keeper::{
    KeeperError,
    db::Moment,
    status::{pages, timeline},
};

/// The most incidents of a month that are listed.
const MAX_INCIDENTS: u32 = 200;

/// The months that can be asked for.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2200;

/// A calendar month: its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(Date);

impl Month {
    /// The month of a time.
    pub(super) fn of(time: Timestamp, zone: &TimeZone) -> Self {
        Self(time.to_zoned(zone.clone()).date().first_of_month())
    }

    /// `2026-11`, and nothing else.
    fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return None;
        }
        let date = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
        YEARS.contains(&date.year()).then_some(Self(date))
    }

    /// When it begins and when the next one does.
    fn bounds(self, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let begins = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
        Some((begins(self.0)?, begins(self.next().0)?))
    }

    fn next(self) -> Self {
        Self(self.0.saturating_add(1.month()))
    }

    fn previous(self) -> Self {
        Self(self.0.saturating_sub(1.month()))
    }

    /// As it is written in the address.
    pub(super) fn name(self) -> String {
        self.0.strftime("%Y-%m").to_string()
    }

    /// `November 2026`
    fn words(self) -> String {
        self.0.strftime("%B %Y").to_string()
    }
}

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
        more: incidents.len() >= usize::try_from(MAX_INCIDENTS).unwrap_or(usize::MAX),
        incidents: incidents.iter().map(|incident| IncidentView::new(incident, &zone)).collect(),
        has_next: month < Month::of(state.clock.wall(), &zone),
        page: page.name,
        month,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_four_digits_and_two() {
        let month = Month::parse("2026-12").unwrap();
        assert_eq!((month.name(), month.words()), ("2026-12".to_owned(), "December 2026".to_owned()));
        assert_eq!((month.next().name(), month.previous().name()), ("2027-01".to_owned(), "2026-11".to_owned()));
        for wrong in
            ["", "2026", "2026-13", "2026-00", "26-01", "2026-1", "2026-01-01", "1999-12", "2201-01", "+026-01"]
        {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_month_begins_at_local_midnight() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let (from, to) = Month::parse("2026-10").unwrap().bounds(&zone).unwrap();
        assert_eq!(from.to_string(), "2026-09-30T22:00:00Z");
        assert_eq!(to.to_string(), "2026-10-31T23:00:00Z");
    }
}
