//! The client of the keeper's own API, `/porchlight/v1`.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use checks::{check::CheckName, outcome::State, thresholds::Standing};
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{
    api::{Api, ApiError, Permanent, Version},
    chain::root_cause,
    secret::SecretSource,
};
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use crate::{checks::HomeAnswer, reading::Reading};

/// The path of the API below the keeper's address.
const BASE: &str = "/porchlight/v1";

/// After so long without an answer it is logged that there is none yet: a person who watches learns it within five seconds.
const FIRST_NOTICE: Duration = Duration::from_secs(4);

/// A keeper, as the jobs call it.
#[derive(Clone, Debug)]
pub struct KeeperClient {
    api: Api,
    /// Whether it has been logged that the keeper cannot be reached: once, because calls are tried again and again.
    is_logged: Arc<AtomicBool>,
}

/// What a keeper made of a check that a list names.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Registered {
    pub(crate) name: CheckName,
    /// Why it is not as the list has it.
    #[serde(default)]
    pub(crate) wrong: Option<String>,
    /// Whether the keeper knows it at all.
    #[serde(default = "yes", rename = "registered")]
    pub(crate) is_known: bool,
}

/// What a keeper knows of a check.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownCheck {
    /// What counts.
    pub standing: Standing,
    /// When it ran last.
    pub ran_at: Option<Timestamp>,
    /// Until when nobody is written to about it, where that is so.
    pub muted_until: Option<Timestamp>,
}

/// The end of a mute that has none: the last year that everything can write.
const NO_END: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// As keepers have it that do not say.
const fn yes() -> bool {
    true
}

impl KeeperClient {
    /// A client of the keeper at that address, which `token` is sent to at each call.
    pub fn new(http: shared::http::Client, address: &Url, token: SecretSource) -> Self {
        Self { api: Api::new(http, address, token), is_logged: Arc::default() }
    }

    /// The same call, which logs at once when the keeper cannot be reached. Calls are retried
    /// [silently](shared::retry::silently) for that reason.
    async fn watched<T>(&self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        tokio::pin!(call);
        let result = if let Ok(result) = timeout(FIRST_NOTICE, &mut call).await {
            result
        } else {
            self.log_unreachable("there is no answer yet");
            call.await
        };
        match &result {
            Err(ApiError::Passing(passing)) => {
                let cause = passing.source.as_ref().map(|source| format!(" ({})", root_cause(source)));
                self.log_unreachable(&format!("{passing}{}", cause.unwrap_or_default()));
            }
            Ok(_) if self.is_logged.swap(false, Ordering::Relaxed) => tracing::info!("the keeper answers now"),
            _ => (),
        }
        result
    }

    fn log_unreachable(&self, why: &str) {
        if !self.is_logged.swap(true, Ordering::Relaxed) {
            tracing::warn!("the keeper cannot be reached: {why}; trying again: check whether it runs, and KEEPER_URL");
        }
    }

    /// Hands readings over. They are on disk when this succeeds; sending them again changes nothing.
    ///
    /// # Errors
    /// As [`Api::call`]; [`ApiError::Permanent`] also when fewer were stored than were sent.
    pub async fn store(&self, readings: &[Reading]) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        struct Stored {
            stored: usize,
        }
        let body = json!({ "readings": readings });
        let path = format!("{BASE}/readings");
        let Stored { stored } = self.watched(self.api.call(Method::POST, &path, Some(&body))).await?;
        // Another server might answer 200 to anything.
        if stored == readings.len() {
            Ok(())
        } else {
            let message = format!("{stored} of {} readings were stored", readings.len());
            Err(Permanent { call: format!("POST {path}"), status: 200, message }.into())
        }
    }

    /// What readings of a metric, or points of `@` and the id of one of a page, came to since then, in buckets of `step`.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub async fn series<T: DeserializeOwned>(
        &self,
        metric: &str,
        from: Timestamp,
        step: Duration,
    ) -> Result<T, ApiError> {
        let (from, step) = (from.to_string(), step.as_secs().to_string());
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("metric", metric), ("from", &from), ("step", &step)])
            .finish();
        self.watched(self.api.call(Method::GET, &format!("{BASE}/series?{query}"), None)).await
    }

    /// What the job remembered, if anything, and which version of it this is.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub async fn state(&self, job: &str) -> Result<(Option<Value>, Version), ApiError> {
        let path = format!("{BASE}/state/{job}");
        match self.watched(self.api.call_on(Method::GET, &path, None, None)).await {
            // A 404 in other words is not the keeper's: perhaps a proxy's, or the address is wrong.
            Err(ApiError::Permanent(Permanent { status: 404, message, .. })) if message.contains(job) => {
                Ok((None, Version::default()))
            }
            state => state.map(|(state, version)| (Some(state), version)),
        }
    }

    /// Stores it in place of what was there, or only in the place of that `version`; returns the new version.
    ///
    /// # Errors
    /// As [`Api::call`]; with a `version`, [`ApiError::Permanent`] with status 412 where another run has changed it.
    pub async fn set_state(
        &self,
        job: &str,
        state: &(impl Serialize + Sync),
        version: Option<&Version>,
    ) -> Result<Version, ApiError> {
        let (path, body) = (format!("{BASE}/state/{job}"), json!(state));
        self.watched(self.api.call_on::<Value>(Method::PUT, &path, Some(&body), version))
            .await
            .map(|(_, version)| version)
    }

    /// Has the keeper know that list of checks, in the place of the one before; what it made of each.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub(crate) async fn register_checks(&self, list: &Value) -> Result<Vec<Registered>, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            checks: Vec<Registered>,
        }
        let path = format!("{BASE}/checks");
        let Answer { checks } = self.watched(self.api.call(Method::PUT, &path, Some(list))).await?;
        Ok(checks)
    }

    /// What counts of each check, as far as the keeper knows it.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub async fn known_checks(&self) -> Result<HashMap<CheckName, KnownCheck>, ApiError> {
        #[derive(Deserialize)]
        struct List {
            checks: Vec<Known>,
        }
        #[derive(Deserialize)]
        struct Known {
            name: CheckName,
            counts: Option<State>,
            last_run: Option<LastRun>,
            #[serde(default, rename = "muted")]
            is_muted: bool,
            #[serde(default)]
            muted_until: Option<Timestamp>,
        }
        #[derive(Deserialize)]
        struct LastRun {
            at: Timestamp,
        }
        let List { checks } = self.watched(self.api.call(Method::GET, &format!("{BASE}/checks"), None)).await?;
        let known = |Known { name, counts, last_run, is_muted, muted_until }: Known| {
            let standing = Standing { counts, ..Standing::default() };
            let muted_until = is_muted.then(|| muted_until.unwrap_or(NO_END));
            (name, KnownCheck { standing, ran_at: last_run.map(|run| run.at), muted_until })
        };
        Ok(checks.into_iter().map(known).collect())
    }

    /// How the home's line is.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub(crate) async fn home(&self) -> Result<HomeAnswer, ApiError> {
        self.watched(self.api.call(Method::GET, &format!("{BASE}/home"), None)).await
    }
}
