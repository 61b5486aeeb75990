//! fast.com: its page leads to a script, the script to an API, and the API to signed addresses of servers nearby. All of
//! it is looked up at every run, because keys change; 403 means that they just did, so it is looked up once more.

use std::cell::RefCell;

use shared::retry;
use tokio::time::{Duration, Instant, timeout_at};
use url::Url;

use super::{
    super::{
        connection::{Dialer, host},
        error::MeasureError,
    },
    parsers::{Keys, NoTargets, Targets, is_html, keys_of_script, script_of_page, targets},
};

/// The longest texts that are read, in bytes.
const MAX_PAGE: usize = 256 << 10;
const MAX_SCRIPT: usize = 2 << 20;
const MAX_ANSWER: usize = 64 << 10;

/// How long one text is asked for again after an error that passes.
const RETRY_TIMEOUT: Duration = Duration::from_secs(7);

/// fast.com's address, and what was learned of it.
#[derive(Debug)]
pub(crate) struct Fast {
    page: Url,
    keys: RefCell<Option<Keys>>,
}

impl Fast {
    pub(crate) fn new(page: &Url) -> Self {
        Self { page: page.clone(), keys: RefCell::default() }
    }

    /// Servers to measure against, with addresses that were signed just now.
    ///
    /// # Errors
    /// When there are none before `until`.
    pub(crate) async fn targets(&self, dialer: &Dialer, until: Instant) -> Result<Targets, MeasureError> {
        let late = || MeasureError::Other("fast.com did not name its servers in time".into());
        timeout_at(until, self.look_up(dialer)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn look_up(&self, dialer: &Dialer) -> Result<Targets, MeasureError> {
        let known = self.keys.borrow().clone();
        let keys = match known {
            Some(keys) => keys,
            None => self.scrape(dialer).await?,
        };
        match self.ask(dialer, &keys).await {
            Err(MeasureError::Refused { .. }) => self.ask(dialer, &self.scrape(dialer).await?).await,
            answer => answer,
        }
    }

    async fn scrape(&self, dialer: &Dialer) -> Result<Keys, MeasureError> {
        let at = host(&self.page);
        let page = retry::until(soon(), || dialer.text(&self.page, MAX_PAGE, "its page")).await?;
        let script = script_of_page(&page).ok_or_else(|| MeasureError::unusable(&at, "its page names no script"))?;
        let address = self.page.join(script).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let address =
            address.ok_or_else(|| MeasureError::unusable(&at, "its page names a script that has no address"))?;
        let script = retry::until(soon(), || text(dialer, &address, MAX_SCRIPT, "its script")).await?;
        let keys = keys_of_script(&script).map_err(|missing| MeasureError::unusable(&at, missing.to_string()))?;
        *self.keys.borrow_mut() = Some(keys.clone());
        Ok(keys)
    }

    /// The second version of the API says more; where it is gone, there is the first.
    async fn ask(&self, dialer: &Dialer, keys: &Keys) -> Result<Targets, MeasureError> {
        let endpoint = keys.endpoint.trim_end_matches('/').trim_end_matches("/v2");
        match self.ask_at(dialer, &format!("{endpoint}/v2"), keys).await {
            Err(MeasureError::Status { status: 404, .. }) => self.ask_at(dialer, endpoint, keys).await,
            answer => answer,
        }
    }

    async fn ask_at(&self, dialer: &Dialer, endpoint: &str, keys: &Keys) -> Result<Targets, MeasureError> {
        // The script names host and path only: the scheme is the page's.
        let scheme = self.page.scheme();
        let https = scheme == "https";
        let (token, count) = (&keys.token, keys.url_count);
        let address = format!("{scheme}://{endpoint}?https={https}&token={token}&urlCount={count}");
        let unusable = |what: String| MeasureError::unusable(&host(&self.page), what);
        let address =
            Url::parse(&address).map_err(|_| unusable("its script names an API that has no address".into()))?;
        let answer = retry::until(soon(), || text(dialer, &address, MAX_ANSWER, "its servers")).await?;
        let cannot = |error: NoTargets| MeasureError::unusable(&host(&address), error.to_string());
        let mut targets = targets(&answer).map_err(cannot)?;
        // Nothing in between leads us from https to http.
        targets.urls.retain(|url| url.scheme() == "https" || !https);
        if targets.urls.is_empty() { Err(cannot(NoTargets::Empty)) } else { Ok(targets) }
    }
}

/// A text that is no page.
async fn text(dialer: &Dialer, url: &Url, max_bytes: usize, instead: &'static str) -> Result<String, MeasureError> {
    let text = dialer.text(url, max_bytes, instead).await?;
    if is_html(None, text.as_bytes()) { Err(MeasureError::Html { host: host(url), instead }) } else { Ok(text) }
}

fn soon() -> Instant {
    Instant::now() + RETRY_TIMEOUT
}
