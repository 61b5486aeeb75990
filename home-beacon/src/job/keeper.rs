//! The client of the keeper's own API, `/porchlight/v1`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{
    api::{Api, ApiError, Permanent, Version},
    chain::deepest,
    secret::SecretSource,
};
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use crate::reading::Reading;

/// The path of the API below the keeper's address.
const BASE: &str = "/porchlight/v1";

/// After so long without an answer it is said that there is none yet: whoever watches hears of it within five seconds.
const FIRST_WORD: Duration = Duration::from_secs(4);

#[derive(Clone, Debug)]
pub struct Keeper {
    api: Api,
    /// Whether it has been said that the keeper cannot be reached: once, because calls are tried again and again.
    is_told: Arc<AtomicBool>,
}

impl Keeper {
    pub fn new(http: shared::http::Client, address: &Url, token: SecretSource) -> Self {
        Self { api: Api::new(http, address, token), is_told: Arc::default() }
    }

    /// The same call, which says at once when the keeper is not to be had. Whoever makes it again does so
    /// [silently](shared::retry::silently).
    async fn watched<T>(&self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        tokio::pin!(call);
        let result = if let Ok(result) = timeout(FIRST_WORD, &mut call).await {
            result
        } else {
            self.tell("there is no answer yet");
            call.await
        };
        match &result {
            Err(ApiError::Passing(passing)) => {
                let cause = passing.source.as_ref().map(|source| format!(" ({})", deepest(source)));
                self.tell(&format!("{passing}{}", cause.unwrap_or_default()));
            }
            Ok(_) if self.is_told.swap(false, Ordering::Relaxed) => tracing::info!("the keeper answers now"),
            _ => (),
        }
        result
    }

    fn tell(&self, why: &str) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!("the keeper is not to be had: {why}; trying again: look whether it runs, and at KEEPER_URL");
        }
    }

    /// Hands readings over. They are on disk when this succeeds; sending them again changes nothing.
    pub async fn store(&self, readings: &[Reading]) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        struct Stored {
            stored: usize,
        }
        let body = json!({ "readings": readings });
        let path = format!("{BASE}/readings");
        let Stored { stored } = self.watched(self.api.call(Method::POST, &path, Some(&body))).await?;
        // Somebody else might say 200 to anything.
        if stored == readings.len() {
            Ok(())
        } else {
            let message = format!("{stored} of {} readings were stored", readings.len());
            Err(Permanent { call: format!("POST {path}"), status: 0, message }.into())
        }
    }

    /// What readings of a metric, or points of `@` and the id of one of a page, came to since then, in buckets of `step`.
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

    /// Remembers it in place of what was, or only in the place of that `version`; which version it is now.
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
}
