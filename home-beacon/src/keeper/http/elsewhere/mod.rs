//! What others show of the page, on pages of their own: badges, a widget, a feed, and a calendar. Anybody may read them, of any
//! origin, and none claims what nobody saw.
//!
//! - `badge`: a badge as a picture and as JSON; pure; `badges`: which one is asked for
//! - `feed`: incidents as Atom; `calendar`: maintenance as iCalendar, written by `ics`; `widget`: the state in a frame

mod badge;
mod badges;
mod calendar;
mod feed;
mod ics;
mod widget;

use axum::{
    Router,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use self::badge::Tone;
use super::{AppState, page::Cache};
use crate::keeper::status::Incident;

/// Any origin may show it. A cache has to ask each time whether it still is right: one that kept a state would claim it for
/// longer than somebody looked.
const FOR_ALL: [(HeaderName, &str); 2] =
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-cache")];

/// What was read of incidents and of maintenance, for as long as nothing is changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    feed: Cache<(), Vec<Incident>>,
    calendar: Cache<(), Vec<Incident>>,
}

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/badge/{component}", get(badges::state))
        .route("/badge/{component}/{file}", get(badges::uptime))
        .route("/history.atom", get(feed::read))
        .route("/maintenance.ics", get(calendar::read))
        .route("/widget", get(widget::draw))
        .route("/widget.css", get(widget::style))
}

/// Whether XML takes the character, escaped or not, and whether it is no control character but a line's end or a tab.
fn is_text(letter: char) -> bool {
    matches!(letter, '\n' | '\t') || !(letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'))
}

/// The number of what is stored now, as a stretch of time of a [`Cache`].
fn revision(state: &AppState) -> i64 {
    i64::try_from(state.db.revision()).unwrap_or(i64::MAX)
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "what others show of the page cannot be made");
    let words = "This cannot be made right now. Please try again in a minute.\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CACHE_CONTROL, "no-store")], words).into_response()
}
