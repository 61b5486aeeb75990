//! Calls of the status page, each retried within its deadline, and once with a new token where the old one is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use shared::{
    api::{ApiError, ApiSettings},
    retry,
    secret::Secret,
    statuspage::Client,
};
use tokio::{sync::OnceCell, time::Instant};
use url::Url;

use crate::{kept::secrets::RunSecrets, timing::Timing};

/// How many calls are kept for the last reads of a run.
const RESERVED_CALLS: usize = 2;

/// The status page, as one run may use it.
#[derive(Debug)]
pub(crate) struct Access<'run> {
    http: &'run shared::http::Client,
    statuspage: &'run Url,
    secrets: &'run RunSecrets<'run>,
    token: Secret,
    /// A client with the token that replaced a refused one.
    renewed: OnceCell<Option<Client>>,
    /// How many calls may still be made for changes.
    left: AtomicUsize,
}

impl<'run> Access<'run> {
    /// # Errors
    /// When there is no token; the text is for people.
    pub(crate) async fn new(
        http: &'run shared::http::Client,
        statuspage: &'run Url,
        secrets: &'run RunSecrets<'run>,
        timing: &Timing,
    ) -> Result<Self, String> {
        let (token, left) = (secrets.token().await?, AtomicUsize::new(timing.calls()));
        Ok(Self { http, statuspage, secrets, token, renewed: OnceCell::new(), left })
    }

    /// Counts calls that are made for changes.
    pub(crate) fn count(&self, calls: usize) {
        // A run is one task, so nothing else counts at the same time.
        self.left.store(self.left.load(Ordering::Relaxed).saturating_sub(calls), Ordering::Relaxed);
    }

    /// Whether calls for changes are left.
    pub(crate) fn may_call(&self) -> bool {
        self.left.load(Ordering::Relaxed) > RESERVED_CALLS
    }

    /// Makes a call until it succeeds, fails for good, or `until` has come.
    ///
    /// # Errors
    /// As [`retry::until`].
    pub(crate) async fn call<T, F: Future<Output = Result<T, ApiError>>>(
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
    pub(crate) fn describe(&self, error: &ApiError) -> String {
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
