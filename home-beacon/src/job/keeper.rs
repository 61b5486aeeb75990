//! The client of the keeper's own API, `/porchlight/v1`.

use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use shared::{
    api::{Api, ApiError, Permanent},
    secret::Secret,
};
use url::Url;

use crate::reading::Reading;

/// The path of the API below the keeper's address.
const BASE: &str = "/porchlight/v1";

#[derive(Clone, Debug)]
pub struct Keeper(Api);

impl Keeper {
    pub fn new(http: reqwest::Client, address: &Url, token: Secret) -> Self {
        Self(Api::new(http, address, token))
    }

    /// Hands readings over. They are on disk when this succeeds; sending them again changes nothing.
    pub async fn store(&self, readings: &[Reading]) -> Result<(), ApiError> {
        let body = json!({ "readings": readings });
        self.0.call::<Value>(Method::POST, &format!("{BASE}/readings"), Some(&body)).await.map(drop)
    }

    /// What the job remembered, if anything.
    pub async fn state<T: DeserializeOwned>(&self, job: &str) -> Result<Option<T>, ApiError> {
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
