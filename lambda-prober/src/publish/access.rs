//! Calls of the status page, each retried within its deadline, and once with a new token where the old one is refused.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use shared::{
    api::{Api, ApiError, ApiSettings},
    retry,
    secret::Secret,
    statuspage::Client,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};
use url::Url;

use crate::{kept::secrets::RunSecrets, timing::Timing};

/// How many calls are kept for the last reads of a run.
const RESERVED_CALLS: usize = 2;

/// The settings whose ids a component's address has.
pub(crate) const COMPONENT: &str = "PAGE_ID, COMPONENT_ID";

/// The settings whose ids a metric's address has.
pub(crate) const METRIC: &str = "PAGE_ID, METRIC_ID_RESPONSE";

/// How long a call may take that a run can do without.
const SIDE_TIMEOUT: Duration = Duration::from_secs(3);

/// The status page, as one run may use it.
#[derive(Debug)]
pub(crate) struct Access<'run> {
    http: &'run shared::http::Client,
    statuspage: &'run Url,
    secrets: &'run RunSecrets<'run>,
    token: Secret,
    /// The token that replaced a refused one.
    renewed: OnceCell<Option<Secret>>,
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
        if let Some(Some(token)) = self.renewed.get() {
            return retry::until(until, || call(self.client(token.clone()))).await;
        }
        let first = retry::until(until, || call(self.client(self.token.clone()))).await;
        if !matches!(first, Err(ApiError::Pausing(_))) {
            return first;
        }
        match self.renewed.get_or_init(|| self.secrets.token_instead_of(&self.token)).await {
            Some(token) => retry::until(until, || call(self.client(token.clone()))).await,
            None => first,
        }
    }

    /// Makes a call that a run can do without: once, and within [`SIDE_TIMEOUT`].
    ///
    /// # Errors
    /// As the call's, or `None` where it took too long.
    pub(crate) async fn once<T>(
        &self,
        until: Instant,
        call: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, Option<ApiError>> {
        match timeout_at(until.min(Instant::now() + SIDE_TIMEOUT), call).await {
            Ok(answer) => answer.map_err(Some),
            Err(_) => Err(None),
        }
    }

    /// The client, with the token as it is known by now.
    pub(crate) fn latest_client(&self) -> Client {
        self.client(self.latest_token())
    }

    /// Another API of the same server, with the same token.
    pub(crate) fn other_api(&self, base: &Url) -> Api {
        Api::new(self.http.clone(), base, self.latest_token())
    }

    fn latest_token(&self) -> Secret {
        self.renewed.get().and_then(Option::as_ref).unwrap_or(&self.token).clone()
    }

    /// An API error in a sentence, with what to do where that is known.
    pub(crate) fn describe(&self, error: &ApiError) -> String {
        self.describe_about(COMPONENT, error)
    }

    /// As [`Access::describe`], of a call whose path has the ids of those settings.
    pub(crate) fn describe_about(&self, ids: &str, error: &ApiError) -> String {
        error.advice(&ApiSettings { address: "STATUSPAGE_URL", token: &self.secrets.token_name(), ids: Some(ids) })
    }

    /// As [`Access::describe_about`], of a call that was made [once](Access::once).
    pub(crate) fn describe_once(&self, ids: &str, error: Option<&ApiError>) -> String {
        error.map_or_else(|| "no answer in time".into(), |error| self.describe_about(ids, error))
    }

    fn client(&self, token: Secret) -> Client {
        Client::new(self.http.clone(), self.statuspage, token)
    }
}
