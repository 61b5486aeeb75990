//! What a Prometheus reads of checks, and under the names that `UpTimePulse`'s dashboard has: its counters are there from the first
//! scrape, because a rise from nothing is not seen. Labels are checks, their addresses, and closed sets.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use checks::outcome::State as Outcome;
use shared::metrics::{Histogram, Name, Number, SECONDS, Snapshot};
use tokio::time::Instant;

use super::AppState;
use crate::keeper::checks::{
    definition::Kind,
    known::Known,
    listed,
    tally::{Tallies, Tally},
};

/// The routes that are told apart; everything else is one.
const ROUTES: [&str; 5] = ["/healthz", "/metrics", "/targets", "/uptime-summary", "/uptime-summary-windowed"];
const OTHER: &str = "other";

/// What is counted from the first scrape on, of each route: a rise from nothing is not seen, and a rate of nothing is none.
const FROM_THE_FIRST: [u16; 2] = [200, 500];

/// The requests at the private listener, by closed sets.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By method, route and status.
    answered: BTreeMap<(&'static str, &'static str, u16), u64>,
    /// By method and route.
    took: BTreeMap<(&'static str, &'static str), Histogram>,
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts each request.
pub(super) async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (method, route) = (method(request.method()), route(request.uri().path()));
    let began = Instant::now();
    let response = next.run(request).await;
    let mut counts = state.requests.lock();
    *counts.answered.entry((method, route, response.status().as_u16())).or_default() += 1;
    let took = counts.took.entry((method, route)).or_insert_with(|| Histogram::new(SECONDS));
    took.observe(began.elapsed().as_secs_f64());
    response
}

fn route(path: &str) -> &'static str {
    ROUTES.into_iter().find(|route| *route == path).unwrap_or(OTHER)
}

fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or(OTHER)
}

/// Adds all of it.
pub(super) async fn add(snapshot: &mut Snapshot, state: &AppState) {
    requests(snapshot, &state.requests.lock());
    // Where the database cannot be read, that says enough.
    let Ok(all) = listed::known(&state.db).await else { return };
    let tallies = state.recorder.tallies.of(&all);
    let all: Vec<(&Known, &Tally)> = all.iter().zip(&tallies).collect();
    of_addresses(snapshot, &all, &state.recorder.tallies);
    of_checks(snapshot, &all);
    let maintained = listed::maintained(&state.db).await.unwrap_or_default();
    let is_maintained = |known: &Known| known.component.as_ref().is_some_and(|id| maintained.contains(id.as_str()));
    let under = all.iter().map(|(known, _)| (known.check.name.to_string(), is_maintained(known).into()));
    let help = "Whether somebody works on the check's component.";
    snapshot.labelled_gauge("check_under_maintenance", help, "check", under);
}

fn requests(snapshot: &mut Snapshot, counts: &Counts) {
    let routes = ROUTES.into_iter().chain([OTHER]);
    let expected = routes.flat_map(|route| FROM_THE_FIRST.map(|status| (("GET", route, status), 0)));
    let mut answered: BTreeMap<_, u64> = expected.collect();
    answered.extend(&counts.answered);
    let answered = answered.into_iter().map(|((method, path, status), count)| {
        ([method.to_owned(), path.to_owned(), status.to_string()], Number::from(count))
    });
    let name = Name::of_others("api_gateway_requests");
    snapshot.counters(name, "Requests at the private listener.", ["method", "path", "status"], answered);
    let took =
        counts.took.iter().map(|((method, path), took)| ([(*method).to_owned(), (*path).to_owned()], took.clone()));
    let name = Name::of_others("api_gateway_request_duration_seconds");
    snapshot.histograms(name, "How long they took.", ["method", "path"], took);
}

/// By address: what is checked over HTTP.
fn of_addresses(snapshot: &mut Snapshot, all: &[(&Known, &Tally)], tallies: &Tallies) {
    let mut by_address: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for (known, _) in all.iter().filter(|(known, _)| known.check.kind == Kind::Http) {
        let (successes, failures) = by_address.entry(&known.check.target).or_default();
        *successes += known.successes;
        *failures += known.failures;
    }
    let name = Name::of_others("ping_success");
    let successes = by_address.iter().map(|(target, (count, _))| ([(*target).to_owned()], Number::from(*count)));
    snapshot.counters(name, "Runs of HTTP checks that worked, since they were registered.", ["target"], successes);
    let name = Name::of_others("ping_failure");
    let failures = by_address.iter().map(|(target, (_, count))| ([(*target).to_owned()], Number::from(*count)));
    snapshot.counters(name, "Runs of HTTP checks that failed, since they were registered.", ["target"], failures);
    let took = by_address.keys().map(|target| ([(*target).to_owned()], tallies.took(target)));
    let name = Name::of_others("ping_latency_seconds");
    snapshot.histograms(name, "How long runs of HTTP checks took that worked.", ["target"], took);
}

fn of_checks(snapshot: &mut Snapshot, all: &[(&Known, &Tally)]) {
    let name = |known: &Known| known.check.name.to_string();
    // A job that never called says nothing yet, and is asked nothing.
    let called = all.iter().filter(|(known, _)| known.check.kind != Kind::Passive || known.last.is_some());
    let states = called.flat_map(|(known, _)| {
        let now = state(known);
        Outcome::ALL.map(move |state| ([name(known), state.label().to_owned()], Number::from(state == now)))
    });
    let help = "The state of each check after its thresholds: 1 for the one that it is in.";
    snapshot.gauges("check_state", help, ["check", "state"], states);
    let runs = all.iter().flat_map(|(known, tally)| {
        let of = Outcome::ALL.into_iter().zip(tally.runs);
        of.map(move |(state, runs)| ([name(known), state.label().to_owned()], Number::from(runs)))
    });
    snapshot.counters("check_runs", "Runs of each check, by how they ended.", ["check", "outcome"], runs);
    let took = all.iter().map(|(known, tally)| ([name(known)], tally.took.clone()));
    snapshot.histograms("check_duration_seconds", "How long runs took that worked.", ["check"], took);
    let active = all.iter().filter(|(known, _)| known.check.kind != Kind::Passive);
    let every = active.map(|(known, _)| (name(known), Number::from(i64::from(known.check.every_seconds))));
    snapshot.labelled_gauge(
        "check_interval_seconds",
        "How often each check runs; a passive one calls when it likes.",
        "check",
        every,
    );
    let ran = all.iter().filter_map(|(known, _)| {
        let at = known.last.as_ref()?.at.timestamp().as_second();
        Some((name(known), Number::from(at)))
    });
    let help = "When each check ran last, since 1970.";
    snapshot.labelled_gauge("check_last_run_timestamp_seconds", help, "check", ran);
    let ends = all.iter().filter_map(|(known, _)| {
        let ends = known.last.as_ref()?.certificate_ends?;
        Some((name(known), Number::from(ends.as_second())))
    });
    let help = "Until when the certificate is valid that was shown last, since 1970.";
    snapshot.labelled_gauge("check_certificate_expiry_timestamp_seconds", help, "check", ends);
}

/// The state that counts; unknown where the last run could not tell.
fn state(known: &Known) -> Outcome {
    match &known.last {
        Some(last) if last.state != Outcome::Unknown => known.standing.counts.unwrap_or(Outcome::Unknown),
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_choose_no_label() {
        for (path, expected) in [("/targets", "/targets"), ("/targets/", OTHER), ("/porchlight/v1/ping/x", OTHER)] {
            assert_eq!(route(path), expected);
        }
        assert_eq!(method(&"BREW".parse().unwrap()), OTHER);
        assert_eq!(method(&Method::GET), "GET");
    }
}
