//! The client of the keeper's own API, `/porchlight/v1`.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{
    api::{Api, ApiError, Permanent, Version},
    secret::SecretSource,
};
use url::{Url, form_urlencoded};

use crate::reading::Reading;

/// The path of the API below the keeper's address.
const BASE: &str = "/porchlight/v1";

#[derive(Clone, Debug)]
pub struct Keeper(Api);

impl Keeper {
    pub fn new(http: shared::http::Client, address: &Url, token: SecretSource) -> Self {
        Self(Api::new(http, address, token))
    }

    /// Hands readings over. They are on disk when this succeeds; sending them again changes nothing.
    pub async fn store(&self, readings: &[Reading]) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        struct Stored {
            stored: usize,
        }
        let body = json!({ "readings": readings });
        let path = format!("{BASE}/readings");
        let Stored { stored } = self.0.call(Method::POST, &path, Some(&body)).await?;
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
        self.0.call(Method::GET, &format!("{BASE}/series?{query}"), None).await
    }

    /// What the job remembered, if anything, and which version of it this is.
    pub async fn state(&self, job: &str) -> Result<(Option<Value>, Version), ApiError> {
        match self.0.call_on(Method::GET, &format!("{BASE}/state/{job}"), None, None).await {
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
        self.0.call_on::<Value>(Method::PUT, &path, Some(&body), version).await.map(|(_, version)| version)
    }
}
