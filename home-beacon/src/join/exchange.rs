//! The home's side of the exchange: one call, over TLS that is pinned to the code's fingerprint.

use std::{error::Error, time::Duration};

use reqwest::{
    Method, Response,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::Value;
use shared::{
    chain::root_cause,
    http::{CallError, Deadlines, SetupError, client, is_not_pinned, pinned_tls},
};
use tokio::time::Instant;

use super::{JOIN_PATH, JoinAnswer, JoinCode, JoinRefusal, JoinRequest, MAX_MESSAGE, SCHEME};

/// Until there is a connection, and until the other side has done its part.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(40);

/// Why a home has not joined; each is a sentence with what to do.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The code names no address.
    #[error("the code names no address that can be used: print a new one there, with `porchlight code`")]
    Address,
    /// There is no connection.
    #[error(
        "the outside machine cannot be reached at {address} ({why}): a firewall may drop it, so open TCP port {port} there, \
         in the machine's own firewall and in its provider's"
    )]
    #[expect(missing_docs, reason = "the message shows them")]
    Unreachable { address: String, port: u16, why: String },
    /// Another certificate.
    #[error(
        "another server answers at {0}, not the one that printed the code: refused, and nothing was sent; print a new code \
         there, and find out who has its address if this goes on"
    )]
    AnotherServer(String),
    /// No TLS that can be spoken with, or none of our answers.
    #[error(
        "what answers at {address} is no outside machine of Porchlight's ({why}): check the address that it was started with"
    )]
    #[expect(missing_docs, reason = "the message shows them")]
    NotOurs { address: String, why: String },
    /// It is not known what became of it.
    #[error(
        "the connection to {address} broke before an answer came ({why}): print a new code there, with `porchlight code`, and \
         join again"
    )]
    #[expect(missing_docs, reason = "the message shows them")]
    Broken { address: String, why: String },
    /// The outside machine refuses.
    #[error("{}", said(.0))]
    Refused(JoinRefusal),
    /// The TLS library refuses its configuration.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

fn said(refusal: &JoinRefusal) -> String {
    const NEW: &str = "print a new one there, with `porchlight code`";
    match refusal {
        JoinRefusal::Used => format!("the code has been used: {NEW}"),
        JoinRefusal::TooOld => format!("the code is older than 15 minutes: {NEW}"),
        JoinRefusal::Unknown => {
            format!("the outside machine does not know this code, perhaps because it was restarted: {NEW}")
        }
        JoinRefusal::OtherHome => {
            "the outside machine has another home already: take another machine, or end that one there, with `porchlight \
             down --purge`"
                .into()
        }
        JoinRefusal::Version => {
            "the outside machine is of another version of Porchlight, which this one cannot join: update both".into()
        }
        JoinRefusal::TooManyTries => {
            "the outside machine was tried with wrong codes too often: wait a minute, and try again".into()
        }
        JoinRefusal::Busy => "the outside machine takes no home at this moment: try again in a minute".into(),
        JoinRefusal::Failed(what) => format!("the outside machine could not do its part: {what}"),
    }
}

/// Joins the home to the outside machine that printed the code.
///
/// # Errors
/// When it is not joined; a sentence with what to do.
pub async fn exchange(code: &JoinCode, request: &JoinRequest, until: Instant) -> Result<JoinAnswer, JoinError> {
    let address = &code.address;
    let url = code.base().and_then(|base| base.join(JOIN_PATH).ok()).ok_or(JoinError::Address)?;
    let secret = HeaderValue::try_from(format!("{SCHEME}{}", code.secret.expose()));
    let mut secret = secret.map_err(|_| JoinError::Address)?;
    secret.set_sensitive(true);
    let total = until.saturating_duration_since(Instant::now());
    let deadlines = Deadlines { connect: CONNECT.min(total), read: ANSWER.min(total), total };
    let http = client(&pinned_tls(code.fingerprint)?, deadlines);
    let call = http.call(Method::POST, url).header(AUTHORIZATION, secret).json(request);
    let broken = |error: &(dyn Error + 'static)| JoinError::Broken {
        address: address.clone(),
        why: root_cause(error).to_string(),
    };
    let mut response = call.send().await.map_err(|error| not_sent(code, &error).unwrap_or_else(|| broken(&error)))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_MESSAGE {
            return Err(not_ours(code, "its answer is too long"));
        }
    }
    read(code, &response, &body)
}

/// What is known where nothing can have arrived.
fn not_sent(code: &JoinCode, error: &CallError) -> Option<JoinError> {
    if is_not_pinned(error) {
        return Some(JoinError::AnotherServer(code.address.clone()));
    }
    match error {
        CallError::Connect(why) => Some(JoinError::Unreachable {
            address: code.address.clone(),
            port: code.port(),
            why: root_cause(why).to_string(),
        }),
        CallError::Tls(_) => Some(not_ours(code, &shared::complaints::describe(error))),
        _ => None,
    }
}

fn not_ours(code: &JoinCode, why: &str) -> JoinError {
    JoinError::NotOurs { address: code.address.clone(), why: why.to_owned() }
}

fn read(code: &JoinCode, response: &Response, body: &[u8]) -> Result<JoinAnswer, JoinError> {
    let status = response.status();
    if status.is_success() {
        return serde_json::from_slice(body).map_err(|_| JoinError::Refused(JoinRefusal::Version));
    }
    match serde_json::from_slice(body) {
        Ok(refusal) => Err(JoinError::Refused(refusal)),
        // A reason of a later version, or of another server.
        Err(_) if serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("reason").is_some()) => {
            Err(JoinError::Refused(JoinRefusal::Version))
        }
        Err(_) => Err(not_ours(code, &format!("it answers {}", status.as_u16()))),
    }
}
