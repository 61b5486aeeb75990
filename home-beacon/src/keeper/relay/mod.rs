//! The relay: what is measured here is sent upstream, what is said there is copied here. One task makes every call, one at a
//! time, within one budget.
//!
//! - [`planner`]: what to send next (pure)
//! - `worker`: the task
//! - `cause`: the update that says why it was down (pure)
//! - `mirror`: what is asked of upstream; `copies`: what is stored of it; `upstream_incident`: an incident as upstream sends it
//! - `repeat`: the repetition of what is measured rarely (pure); `held_points`: which points those are
//! - `online`: whether what is relayed is there upstream, for `--check --online`
//! - `report`: the state of the relay, for the page, `/healthz` and `/metrics`
//!
//! After an outage, in each step the first of these that is due:
//!
//! | what | in which order | how fast |
//! |---|---|---|
//! | a copy of the page | components, unresolved incidents, maintenance, the last incidents | once a minute; 3 calls are reserved |
//! | statuses that upstream does not have | by turns | one a step, read before it is written |
//! | why it was down | one update of each of the prober's incidents that are over | read before it is written, 6 tries |
//! | points in the queue, up to 28 days old | oldest slot first, all metrics together | 500 a call, 27 calls a minute |
//! | repetitions | one metric a step | one each five minutes, only while upstream is well |
//!
//! Failures pause all of it, at first for up to 2 s, then longer, up to 30 s, or as long as upstream asks for; see
//! [`planner`] for what else it may say.

pub(super) mod cause;
pub(super) mod copies;
mod held_points;
mod mirror;
mod online;
pub mod planner;
mod repeat;
mod report;
mod upstream_incident;
mod worker;

use std::time::Duration;

use shared::{
    api::{ApiError, ApiSettings},
    fingerprint::Fingerprint,
    http::{Deadlines, SetupError, client, client_for, pinned_tls},
    secret::SecretSource,
    statuspage::Client,
};
use url::Url;

use self::planner::Answer;
pub use self::{
    online::ask,
    report::{Condition, Report, Reports, Skipped},
    worker::{RelayWorker, Step},
};

/// A line at home may be slow, and one call brings 500 points.
const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), read: Duration::from_secs(10), total: Duration::from_secs(20) };

/// The page upstream.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its API, which ends in `/v1`.
    pub url: Url,
    /// What it takes.
    pub token: SecretSource,
    /// Of the certificate that it must show, where no authority vouches for it.
    pub fingerprint: Option<Fingerprint>,
    /// For how long a metric that is measured rarely is repeated.
    pub hold: Duration,
    /// Whether incidents there are told why it was down, as seen from home.
    pub causes: bool,
}

impl Upstream {
    /// # Errors
    /// When the TLS library refuses its configuration.
    fn client(&self) -> Result<Client, SetupError> {
        let http = match self.fingerprint {
            Some(fingerprint) => client(&pinned_tls(fingerprint)?, DEADLINES),
            None => client_for([&self.url], DEADLINES)?,
        };
        Ok(Client::new(http, &self.url, self.token.clone()))
    }
}

/// What a person checks where upstream does not answer as it should.
const SETTINGS: ApiSettings<'_> =
    ApiSettings { address: "UPSTREAM_URL", token: "UPSTREAM_TOKEN", ids: Some("the seed's ids") };

/// What an answer means for the plan.
fn answer<T>(result: &Result<T, ApiError>) -> Answer {
    match result {
        Ok(_) => Answer::Accepted,
        Err(error @ ApiError::Passing(passing)) => {
            Answer::Failed { reason: error.in_words(), retry_after: passing.retry_after }
        }
        Err(error @ ApiError::NotTheApi(_)) => Answer::Failed { reason: error.hint(&SETTINGS), retry_after: None },
        Err(error @ ApiError::Pausing(_)) => Answer::Refused(error.hint(&SETTINGS)),
        Err(ApiError::Permanent(permanent)) => match permanent.status {
            404 | 405 => Answer::Missing(permanent.to_string()),
            400 | 413 | 422 => Answer::Wrong(permanent.to_string()),
            // A success without the API's fields: perhaps a proxy in between answered.
            200..=299 => Answer::Failed { reason: permanent.to_string(), retry_after: None },
            _ => Answer::Refused(permanent.to_string()),
        },
    }
}
