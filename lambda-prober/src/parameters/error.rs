//! What can go wrong with Parameter Store, each in a sentence that says what to look at. No message holds a value.

use std::error::Error;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use shared::chain::deepest;

/// A call to Parameter Store that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Parameter Store: {names} cannot be {done} ({why}): {advice}", done = self.verb.done(), advice = self.kind.advice())]
pub struct StoreError {
    verb: Verb,
    pub names: String,
    pub kind: Kind,
    /// In the words of AWS or of the network.
    pub why: String,
}

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    Write,
}

impl Verb {
    const fn done(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written",
        }
    }
}

/// What kind of trouble it is, by what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Denied,
    /// AWS does not know who is asking.
    Credentials,
    Throttled,
    Unreachable,
    /// Anything else, in AWS's own words.
    Other,
}

impl Kind {
    const fn advice(self) -> &'static str {
        match self {
            Self::Denied => "the role must allow it, as infra/base.yaml does",
            Self::Credentials => "look at the role or at this machine's AWS credentials and region",
            Self::Throttled => "the account asks too often; the next run tries again",
            Self::Unreachable => "the next run tries again",
            Self::Other => "look at the parameter and its type",
        }
    }
}

impl StoreError {
    pub(super) fn new<E, R>(verb: Verb, names: String, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let (kind, why) = match error {
            SdkError::ServiceError(context) => {
                let code = context.err().code().unwrap_or("no code");
                (kind(code), format!("{code}: {}", context.err().message().unwrap_or("no reason given")))
            }
            SdkError::TimeoutError(_) => (Kind::Unreachable, "no answer in time".into()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                (Kind::Unreachable, "no connection in time".into())
            }
            SdkError::DispatchFailure(failure) if failure.is_io() => (Kind::Unreachable, "no connection".into()),
            // The connector marks what may pass; what it does not mark comes from before it: credentials, region.
            SdkError::DispatchFailure(failure) if failure.as_other().is_some() => {
                (Kind::Unreachable, "the connection broke".into())
            }
            SdkError::ResponseError(_) => (Kind::Unreachable, "the answer is none of Parameter Store's".into()),
            other => (Kind::Credentials, at_bottom(other)),
        };
        Self { verb, names, kind, why }
    }

    pub(super) fn too_late(verb: Verb, names: String) -> Self {
        Self { verb, names, kind: Kind::Unreachable, why: "no answer in time".into() }
    }
}

/// Sorts AWS's error codes: those of Systems Manager, of KMS as it passes them on, and those common to all services.
fn kind(code: &str) -> Kind {
    match code {
        "AccessDeniedException" | "AccessDenied" | "KMSAccessDeniedException" | "UnauthorizedOperation" => Kind::Denied,
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "TooManyUpdates" => Kind::Throttled,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "OptInRequired" => Kind::Credentials,
        "InternalServerError" | "InternalFailure" | "ServiceUnavailable" => Kind::Unreachable,
        _ => Kind::Other,
    }
}

/// The first line of what is at the bottom: AWS's list of all the places where it looked for credentials is for its debug
/// log.
fn at_bottom(error: &(dyn Error + 'static)) -> String {
    let text = deepest(error).to_string();
    text.lines().next().unwrap_or_default().trim_end_matches(". Attempted:").to_owned()
}
