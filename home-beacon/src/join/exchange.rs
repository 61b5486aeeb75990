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
    message::JoinFault,
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
        "the outside machine cannot be reached at {address}, TCP port {port} ({why}): {advice}",
        advice = JoinFault::Unreachable.words()
    )]
    #[expect(missing_docs, reason = "the message shows them")]
    Unreachable { address: String, port: u16, why: String },
    /// Another certificate.
    #[error("another server answers at {0}, {advice}", advice = JoinFault::AnotherServer.words())]
    AnotherServer(String),
    /// No TLS that can be spoken with, or none of our answers.
    #[error(
        "what answers at {address} is no outside machine of Porchlight's ({why}): {advice}",
        advice = JoinFault::NotOurs.words()
    )]
    #[expect(missing_docs, reason = "the message shows them")]
    NotOurs { address: String, why: String },
    /// It is not known what became of it.
    #[error(
        "the connection to {address} broke before an answer came ({why}): {advice}",
        advice = JoinFault::Broken.words()
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

impl JoinError {
    /// What else to do about it; `None` where the sentence is all there is.
    pub const fn fault(&self) -> Option<JoinFault> {
        match self {
            Self::Unreachable { .. } => Some(JoinFault::Unreachable),
            Self::AnotherServer(_) => Some(JoinFault::AnotherServer),
            Self::NotOurs { .. } => Some(JoinFault::NotOurs),
            Self::Broken { .. } => Some(JoinFault::Broken),
            Self::Refused(refusal) => fault(refusal),
            Self::Address | Self::Setup(_) => None,
        }
    }

    /// The sentence for who joins, with a link to what else to do.
    pub fn advice(&self) -> String {
        self.fault().map_or_else(|| self.to_string(), |fault| fault.entry().ending(&self.to_string()))
    }
}

const fn fault(refusal: &JoinRefusal) -> Option<JoinFault> {
    match refusal {
        JoinRefusal::Used => Some(JoinFault::Used),
        JoinRefusal::TooOld => Some(JoinFault::TooOld),
        JoinRefusal::Unknown => Some(JoinFault::Unknown),
        JoinRefusal::OtherHome => Some(JoinFault::OtherHome),
        JoinRefusal::Version => Some(JoinFault::Version),
        JoinRefusal::TooManyTries => Some(JoinFault::TooManyTries),
        JoinRefusal::Busy => Some(JoinFault::Busy),
        JoinRefusal::Failed(_) => None,
    }
}

fn said(refusal: &JoinRefusal) -> String {
    match refusal {
        JoinRefusal::Failed(what) => format!("the outside machine could not do its part: {what}"),
        known => fault(known).map(JoinFault::words).unwrap_or_default().to_owned(),
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
