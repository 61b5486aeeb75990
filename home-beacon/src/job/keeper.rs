//! The client of the keeper's own API, `/porchlight/v1`.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    api::{Api, ApiError, Permanent},
    secret::SecretSource,
};
use url::Url;

use crate::reading::Reading;

/// The path of the API below the keeper's address.
const BASE: &str = "/porchlight/v1";

#[derive(Clone, Debug)]
pub struct Keeper(Api);

impl Keeper {
    pub fn new(http: reqwest::Client, address: &Url, token: SecretSource) -> Self {
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

    /// What the job remembered, if anything.
    pub async fn state(&self, job: &str) -> Result<Option<Value>, ApiError> {
        match self.0.call(Method::GET, &format!("{BASE}/state/{job}"), None).await {
            Err(ApiError::Permanent(Permanent { status: 404, .. })) => Ok(None),
            state => state.map(Some),
        }
    }

    /// Remembers it in place of what was.
    pub async fn set_state(&self, job: &str, state: &(impl Serialize + Sync)) -> Result<(), ApiError> {
        let body = json!(state);
        self.0.call::<Value>(Method::PUT, &format!("{BASE}/state/{job}"), Some(&body)).await.map(drop)
    }
}
