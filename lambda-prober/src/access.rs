//! Calls of the status page, each tried again within its deadline, and once with a new token where the old one is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use shared::{
    api::{ApiError, ApiSettings},
    retry,
    secret::Secret,
    statuspage::Client,
};
use tokio::{sync::OnceCell, time::Instant};
use url::Url;

use crate::{pace::Pace, secrets::RunSecrets};

/// The status page, as one run may use it.
#[derive(Debug)]
pub struct Access<'run> {
    http: &'run shared::http::Client,
    statuspage: &'run Url,
    secrets: &'run RunSecrets<'run>,
    token: Secret,
    /// With the token that took the place of one that was refused.
    renewed: OnceCell<Option<Client>>,
    /// How many calls may still be made for changes.
    left: AtomicUsize,
}

impl<'run> Access<'run> {
    /// # Errors
    /// When there is no token; the text is for people.
    pub async fn new(
        http: &'run shared::http::Client,
        statuspage: &'run Url,
        secrets: &'run RunSecrets<'run>,
        pace: &Pace,
    ) -> Result<Self, String> {
        let (token, left) = (secrets.token().await?, AtomicUsize::new(pace.calls()));
        Ok(Self { http, statuspage, secrets, token, renewed: OnceCell::new(), left })
    }

    /// Counts calls that are made for changes.
    pub fn count(&self, calls: usize) {
        // Nobody else counts at the same time: a run is one task.
        self.left.store(self.left.load(Ordering::Relaxed).saturating_sub(calls), Ordering::Relaxed);
    }

    /// Whether calls are left, with two kept for a last look.
    pub fn may_call(&self) -> bool {
        self.left.load(Ordering::Relaxed) > 2
    }

    /// Makes a call until it succeeds, fails for good, or `until` has come.
    ///
    /// # Errors
    /// As [`retry::until`].
    pub async fn call<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        until: Instant,
        call: impl Fn(Client) -> F,
    ) -> Result<T, ApiError> {
        if let Some(Some(client)) = self.renewed.get() {
            return retry::until(until, || call(client.clone())).await;
        }
        let first = retry::until(until, || call(self.client(self.token.clone()))).await;
        if !matches!(first, Err(ApiError::Pausing(_))) {
            return first;
        }
        let renew = || async { self.secrets.token_instead_of(&self.token).await.map(|token| self.client(token)) };
        match self.renewed.get_or_init(renew).await {
            Some(client) => retry::until(until, || call(client.clone())).await,
            None => first,
        }
    }

    /// An API error in a sentence, with what to do where that is known.
    pub fn told(&self, error: &ApiError) -> String {
        error.hint(&ApiSettings {
            address: "STATUSPAGE_URL",
            token: &self.secrets.token_name(),
            ids: Some("PAGE_ID, COMPONENT_ID"),
        })
    }

    fn client(&self, token: Secret) -> Client {
        Client::new(self.http.clone(), self.statuspage, token)
    }
}
