//! Every kind of probe against real sockets of this machine that do what they must not.
//!
//! - `servers`: what listens
//! - `certificates`: an authority, and certificates with something wrong

mod certificates;
mod dns;
mod grpc;
mod http;
mod https;
mod redirects;
mod servers;
mod tcp;
mod tls;

use std::time::Duration;

use tokio::time::Instant;

use super::Prober;
use crate::{
    cause::Cause,
    check::Kind,
    outcome::{Outcome, State},
};

/// What none of these tests needs.
const LONG: Duration = Duration::from_secs(20);

/// The deadline of a probe of what is silent.
const SHORT: Duration = Duration::from_millis(200);

/// What a run must come to: nothing wrong, or why; and the phases that it enters.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    cause: Option<Cause>,
    state: State,
    phases: &'static str,
}

const fn fine(phases: &'static str) -> Wanted {
    Wanted { cause: None, state: State::Ok, phases }
}

const fn wrong(cause: Cause, phases: &'static str) -> Wanted {
    Wanted { cause: Some(cause), state: cause.state(), phases }
}

/// One run, which comes to that; its outcome for what else is asked of it.
async fn run(prober: &Prober, kind: Kind, within: Duration, wanted: Wanted, name: &str) -> Outcome {
    let outcome = prober.run(&kind, Instant::now() + within).await;
    let phases: Vec<_> = outcome.phases.entered().map(|(phase, _)| phase).collect();
    assert_eq!((outcome.state, outcome.cause), (wanted.state, wanted.cause), "{name}: {}", outcome.text);
    assert_eq!(phases.join(" "), wanted.phases, "{name}: {}", outcome.text);
    assert!(outcome.took <= within + Duration::from_secs(2), "{name}: {:?}", outcome.took);
    let has_waited = outcome.took + Duration::from_millis(50) >= within;
    assert!(outcome.cause != Some(Cause::TimedOut) || has_waited, "{name}: {:?}", outcome.took);
    let is_clean = !outcome.text.is_empty() && !outcome.text.contains(char::is_control);
    assert!(is_clean && outcome.text.chars().count() < 400, "{name}: {}", outcome.text);
    let sum: Duration = outcome.phases.entered().map(|(_, took)| took).sum();
    assert!(sum <= outcome.took, "{name}: phases follow each other");
    outcome
}

fn prober() -> Prober {
    Prober::new(Some(certificates::verifier())).unwrap()
}
