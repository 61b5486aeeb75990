//! Why a heartbeat was not taken, and what a status says of it. Pure.

use std::{fmt, time::Duration};

use shared::{
    heartbeat::{Answer, Signed},
    http::CallError,
    message::HeartbeatFault,
    proof::Key,
    settings::WrongSetting,
};

use shared::dial::NotConnected;

/// A heartbeat that was not taken. Neither the address nor the key is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub fault: HeartbeatFault,
    /// What else is known of it.
    detail: Option<String>,
    /// How long the other side asks to wait.
    pub(super) wait: Option<Duration>,
}

impl From<HeartbeatFault> for Failure {
    fn from(fault: HeartbeatFault) -> Self {
        Self { fault, detail: None, wait: None }
    }
}

impl From<WrongSetting> for Failure {
    fn from(wrong: WrongSetting) -> Self {
        Self { detail: Some(wrong.0), ..HeartbeatFault::Setting.into() }
    }
}

impl From<&CallError> for Failure {
    /// In words of our own: what the system says may repeat the host, which is the secret part of the address.
    fn from(error: &CallError) -> Self {
        let because = |fault: HeartbeatFault, why: &str| Self { detail: Some(why.to_owned()), ..fault.into() };
        match error {
            _ if error.is_timeout() && error.is_connect() => {
                because(HeartbeatFault::Unreachable, "no connection in time")
            }
            _ if error.is_timeout() => HeartbeatFault::Silent.into(),
            CallError::Connect(NotConnected::Name(_)) => {
                because(HeartbeatFault::Unreachable, "its name has no address here")
            }
            CallError::Connect(NotConnected::Refused { why, .. }) => {
                because(HeartbeatFault::Unreachable, &why.kind().to_string())
            }
            CallError::Connect(_) => HeartbeatFault::Unreachable.into(),
            CallError::Tls(_) => HeartbeatFault::Tls.into(),
            CallError::Request(_) => HeartbeatFault::WrongUrl.into(),
            CallError::Broken(_) | CallError::Body(_) | CallError::TooLate => {
                because(HeartbeatFault::Silent, "the connection broke off")
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            // It says by itself what cannot be read.
            Some(detail) if self.fault == HeartbeatFault::Setting => f.write_str(detail),
            Some(detail) => write!(f, "{} ({detail})", self.fault.words()),
            None => f.write_str(self.fault.words()),
        }
    }
}

impl Failure {
    /// Whether the same call may go better in a moment.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(self.fault, HeartbeatFault::Unreachable | HeartbeatFault::Silent | HeartbeatFault::Busy)
    }
}

/// What an answer says. A signature is believed whatever the status is; nothing else of a body is.
///
/// # Errors
/// When it is no answer of the function to this heartbeat.
pub(super) fn read(
    (status, wait): (u16, Option<Duration>),
    body: &[u8],
    to: &Signed,
    key: &Key,
) -> Result<Answer, Failure> {
    if let Ok(answer) = to.answer(key, body) {
        return Ok(answer);
    }
    let fault = match status {
        200..=299 => HeartbeatFault::Unsigned,
        401 => HeartbeatFault::Refused,
        400 | 413 | 415 => HeartbeatFault::Version,
        408 | 429 | 500..=599 => HeartbeatFault::Busy,
        _ => HeartbeatFault::WrongUrl,
    };
    let has_status = !matches!(fault, HeartbeatFault::Unsigned | HeartbeatFault::Refused);
    Err(Failure { fault, detail: has_status.then(|| format!("status {status}")), wait })
}
