//! Clients that write to, or ask for, what the page does not show: another page than the one that is shown, or a component or
//! a metric that no seed names any more. Both happen when a seed changes and a prober does not. The answer, the log and the
//! private page warn of it.

use std::{
    collections::BTreeMap,
    slice,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Response, StatusCode},
    middleware::Next,
    response::IntoResponse,
};
use jiff::Timestamp;
use shared::id::{MetricId, PageId};

use super::AppState;
use crate::keeper::{
    KeeperError,
    seed::metrics_put_away,
    status::{Component, Incident},
};

/// Warns the client that the page does not show it.
pub(super) const WARNING: HeaderName = HeaderName::from_static("porchlight-warning");

/// How long the page lists one, and how often the log does.
const LISTED_FOR: Duration = Duration::from_hours(1);

/// The most that one answer names.
const MAX_NAMED: usize = 5;

/// The most that are remembered.
const MAX_WARNINGS: usize = 20;

/// The warnings since this process began, each with when it was given last and when it was logged.
#[derive(Debug, Default)]
pub(super) struct Strays(Mutex<BTreeMap<String, Stray>>);

#[derive(Clone, Copy, Debug)]
struct Stray {
    met: Timestamp,
    logged: Timestamp,
}

impl Strays {
    fn meet(&self, warning: &str, now: Timestamp) {
        let mut strays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = strays.get(warning).is_none_or(|stray| age(stray.logged, now) >= LISTED_FOR);
        if is_new {
            tracing::warn!("a client writes to, or asks for, what is not shown: {warning}");
        }
        if strays.len() >= MAX_WARNINGS && !strays.contains_key(warning) {
            strays.retain(|_, stray| age(stray.met, now) < LISTED_FOR);
            if strays.len() >= MAX_WARNINGS {
                return;
            }
        }
        let stray = strays.entry(warning.to_owned()).or_insert(Stray { met: now, logged: now });
        stray.met = now;
        if is_new {
            stray.logged = now;
        }
    }

    /// What was met within the last hour, in sentences.
    pub(super) fn lately(&self, now: Timestamp) -> Vec<String> {
        let strays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        strays
            .iter()
            .filter(|(_, stray)| age(stray.met, now) < LISTED_FOR)
            .map(|(warning, _)| warning.clone())
            .collect()
    }
}

fn age(then: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(then).unsigned_abs()
}

fn of_page(page: &PageId, shown: &PageId) -> String {
    format!("page {page} is kept here but not shown, the page that is shown is {shown}: check PAGE_ID and COMPONENT_ID")
}

/// The component, with a warning where the page does not show it.
pub(super) fn with_warning(state: &AppState, component: Component) -> Component {
    if component.page_id != state.page {
        let warning = of_page(&component.page_id, &state.page);
        return Component { porchlight_shown: Some(false), porchlight_warning: Some(warning), ..component };
    }
    if component.seeded != Some(false) {
        return component;
    }
    let id = &component.id;
    let warning = format!("component {id} is in no seed any more: check COMPONENT_ID, or the seed");
    Component { porchlight_warning: Some(warning), ..component }
}

/// As [`with_warning`], for a client that asks for that component alone or changes it.
pub(super) fn met(state: &AppState, component: Component) -> axum::response::Response {
    let component = with_warning(state, component);
    let warning = component.porchlight_warning.clone().filter(|_| component.page_id == state.page);
    let mut answer = axum::Json(component).into_response();
    if let Some(warning) = warning {
        warn(state, &mut answer, &warning);
    }
    answer
}

/// Answers with an incident, and warns of its components that no seed names any more.
pub(super) fn of_incident(state: &AppState, mut incident: Incident, status: StatusCode) -> axum::response::Response {
    incident.components = incident.components.into_iter().map(|component| with_warning(state, component)).collect();
    let warnings: Vec<_> = incident.components.iter().filter_map(|it| it.porchlight_warning.clone()).collect();
    let is_shown = incident.page_id == state.page;
    let mut answer = (status, axum::Json(incident)).into_response();
    if is_shown {
        warn_all(state, &mut answer, &warnings);
    }
    answer
}

/// Adds a warning to an answer about metrics: which of them are put away.
///
/// # Errors
/// When the storage fails.
pub(super) async fn of_metrics(
    state: &AppState,
    page: &PageId,
    metrics: &[&MetricId],
    mut answer: axum::response::Response,
) -> Result<axum::response::Response, KeeperError> {
    if *page == state.page {
        let away = metrics_put_away(&state.db, page).await?.into_iter().map(|(id, _)| id);
        let away = away.filter(|id| metrics.iter().any(|metric| metric.as_str() == id));
        let warnings: Vec<_> = away
            .map(|id| {
                format!("metric {id} is put away, because no seed names it any more: check METRIC_ID, or the seed")
            })
            .collect();
        warn_all(state, &mut answer, &warnings);
    }
    Ok(answer)
}

/// Adds a warning to every answer about another page than the one that is shown.
pub(super) async fn notice(State(state): State<AppState>, request: Request, next: Next) -> axum::response::Response {
    let mut parts = request.uri().path().split('/').skip_while(|part| *part != "pages").skip(1);
    let page: Option<PageId> = parts.next().and_then(|id| id.parse().ok());
    let mut answer = next.run(request).await;
    if let Some(page) = page.filter(|page| *page != state.page && answer.status().is_success()) {
        warn(&state, &mut answer, &of_page(&page, &state.page));
    }
    answer
}

fn warn<B>(state: &AppState, answer: &mut Response<B>, warning: &str) {
    warn_all(state, answer, slice::from_ref(&warning));
}

fn warn_all<B>(state: &AppState, answer: &mut Response<B>, warnings: &[impl AsRef<str>]) {
    let warnings: Vec<&str> = warnings.iter().map(AsRef::as_ref).collect();
    for warning in &warnings {
        state.strays.meet(warning, state.clock.wall());
    }
    // One call may name many; the page and the log have all of them.
    let named = &warnings[..warnings.len().min(MAX_NAMED)];
    if let Some(value) = HeaderValue::from_str(&named.join("; ")).ok().filter(|_| !named.is_empty()) {
        answer.headers_mut().insert(WARNING, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    #[test]
    fn a_stray_is_listed_for_an_hour_after_it_was_met_last() {
        let strays = Strays::default();
        for minute in 0..90 {
            strays.meet("page a", at(minute));
        }
        assert_eq!(strays.lately(at(100)), ["page a"]);
        assert!(strays.lately(at(150)).is_empty());
    }

    #[test]
    fn no_more_than_a_few_are_remembered() {
        let strays = Strays::default();
        for number in 0..200 {
            strays.meet(&format!("page {number}"), at(number / 100));
        }
        assert_eq!(strays.lately(at(2)).len(), MAX_WARNINGS);
    }
}
