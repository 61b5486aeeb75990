//! What can go wrong with Parameter Store, each in a sentence that says what to do. No message holds a value.

/// A call to Parameter Store that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Parameter Store: {names} cannot be {done} ({why}): {advice}",
    done = self.operation.done(),
    advice = self.kind.advice()
)]
pub(crate) struct ParameterError {
    pub(super) operation: Operation,
    /// The parameters that it was about.
    pub(super) names: String,
    pub(super) kind: ErrorKind,
    /// In the words of AWS or of the network.
    pub(super) why: String,
}

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Write,
}

impl Operation {
    const fn done(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written",
        }
    }
}

/// The kinds of errors, by what to do about them.
#[expect(dead_code, reason = "some are of AWS's SDK alone, and one is of programs without it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorKind {
    Denied,
    /// AWS does not know the caller.
    Credentials,
    Throttled,
    Unreachable,
    /// This program is built without AWS.
    Unsupported,
    /// Anything else, in AWS's own words.
    Other,
}

impl ErrorKind {
    const fn advice(self) -> &'static str {
        match self {
            Self::Denied => "the role must allow it, as infra/base.yaml does",
            Self::Credentials => "check the role, or this machine's AWS credentials and region",
            Self::Throttled => "the account makes too many calls; the next run tries again",
            Self::Unreachable => "the next run tries again",
            Self::Unsupported => "use the program lambda-prober, which can",
            Self::Other => "check the parameter and its type",
        }
    }
}

impl ParameterError {
    pub(super) fn timed_out(operation: Operation, names: String) -> Self {
        Self { operation, names, kind: ErrorKind::Unreachable, why: "no answer in time".into() }
    }
}
