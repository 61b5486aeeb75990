//! One service, and how it is called: each call is tried once. Trying again is the caller's business, because only the
//! caller knows its deadline and whether the world has moved meanwhile.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Method, Response, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{ApiError, Passing, Permanent, Version, not_the_api};
use crate::{
    http::{CallError, Client, wait_asked},
    keeper_token,
    look::{KEEPER_HEADER, KEEPER_HEADER_VALUE},
    secret::SecretSource,
};

/// The longest answer that is read: 100 components with the longest descriptions that a keeper takes (25 000 characters
/// of up to 4 bytes) stay below it.
const MAX_ANSWER: usize = 12 << 20;

/// The longest `Retry-After` that is believed.
const MAX_WAIT: Duration = Duration::from_hours(1);

/// The header in which a keeper warns a client that what it writes is shown nowhere.
const WARNING: &str = "porchlight-warning";

/// A service at a base address, called with one token.
#[derive(Clone, Debug)]
pub struct Api {
    http: Client,
    base: String,
    token: SecretSource,
}

/// What the head of an answer says besides its status.
struct AnswerHead {
    version: Version,
    of_a_keeper: bool,
}

impl Api {
    /// Paths are appended to `base`. The token is read at each call.
    pub fn new(http: Client, base: &Url, token: impl Into<SecretSource>) -> Self {
        Self { http, base: base.as_str().trim_end_matches('/').to_owned(), token: token.into() }
    }

    /// Makes a call and reads its answer, an empty one as `null`.
    ///
    /// # Errors
    /// Sorted by what to do about them.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, ApiError> {
        self.exchange(method, path, body, None).await.map(|(answer, _)| answer)
    }

    /// As [`Api::call`], and whether it is a keeper that answers.
    ///
    /// # Errors
    /// Sorted by what to do about them.
    pub async fn call_perhaps_a_keeper<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<(T, bool), ApiError> {
        let (answer, head) = self.exchange(method, path, None, None).await?;
        Ok((answer, head.of_a_keeper))
    }

    /// As [`Api::call`], and which version the answer is of. With `version` it changes that one or nothing: 412.
    ///
    /// # Errors
    /// Sorted by what to do about them.
    pub async fn call_on<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        version: Option<&Version>,
    ) -> Result<(T, Version), ApiError> {
        self.exchange(method, path, body, version).await.map(|(answer, head)| (answer, head.version))
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        version: Option<&Version>,
    ) -> Result<(T, AnswerHead), ApiError> {
        let call = format!("{method} {}", path.split('?').next().unwrap_or(path));
        let broken = |error| not_the_api::broken(&call, &self.base, error);

        let token = self.token.current().map_err(|wrong| permanent(&call, 0, &wrong.to_string()))?;
        keeper_token::stays_home(&token, &self.base).map_err(|why| permanent(&call, 0, &why))?;
        let mut authorization = header::HeaderValue::try_from(format!("OAuth {}", token.expose()))
            .map_err(|_| permanent(&call, 0, "the token cannot be sent in a header: copy it again"))?;
        authorization.set_sensitive(true);
        let address =
            Url::parse(&format!("{}{path}", self.base)).map_err(|error| permanent(&call, 0, &error.to_string()))?;
        let mut request = self
            .http
            .call(method, address)
            .header(header::AUTHORIZATION, authorization)
            .header(header::ACCEPT, header::HeaderValue::from_static("application/json"));
        if let Some((name, value)) = version.map(Version::condition) {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status();
        let retry_after = wait_asked(status.as_u16(), response.headers()).map(|wait| wait.min(MAX_WAIT));
        let of_a_keeper = response.headers().get(KEEPER_HEADER).is_some_and(|value| value == KEEPER_HEADER_VALUE);
        let head = AnswerHead { version: Version::of(&response), of_a_keeper };
        if let Some(warning) = response.headers().get(WARNING).and_then(|value| value.to_str().ok()) {
            warn_once(&call, warning);
        }
        let answer =
            bounded(&mut response).await.map_err(|error| CallError::Body(error.without_url())).map_err(broken)?;
        let received = not_the_api::Received {
            status: status.as_u16(),
            headers: response.headers(),
            body: &answer,
            token: &token,
        };
        if let Some(error) = received.not_the_api(&call, &self.base) {
            return Err(error);
        }
        if answer.trim_ascii_start().starts_with(b"<") {
            // Something between us and the service answered in its place; it may be gone the next time.
            let what = format!("the answer is an HTML page, perhaps from a proxy ({})", status.as_u16());
            return Err(Passing { call, what, status: None, retry_after, source: None }.into());
        }
        if answer.len() == MAX_ANSWER {
            return Err(permanent(&call, status.as_u16(), "the answer is too long"));
        }
        if !status.is_success() {
            return Err(ApiError::from_answer(call, status.as_u16(), retry_after, received.shown().as_bytes()));
        }
        serde_json::from_slice(if answer.is_empty() { b"null" } else { &answer })
            .map(|answer| (answer, head))
            .map_err(|error| permanent(&call, status.as_u16(), &format!("the answer cannot be used: {error}")))
    }
}

/// Once for as long as it is the same: a program that runs every minute would fill the log with it.
fn warn_once(call: &str, warning: &str) {
    static LAST: Mutex<String> = Mutex::new(String::new());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if *last != warning {
        warning.clone_into(&mut last);
        tracing::warn!(call, warning, "the service warns");
    }
}

fn permanent(call: &str, status: u16, message: &str) -> ApiError {
    Permanent { call: call.to_owned(), status, message: message.to_owned() }.into()
}

/// Reads an answer up to [`MAX_ANSWER`]; what is longer is cut.
async fn bounded(response: &mut Response) -> reqwest::Result<Vec<u8>> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        answer.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - answer.len())]);
        if answer.len() == MAX_ANSWER {
            break;
        }
    }
    Ok(answer)
}
