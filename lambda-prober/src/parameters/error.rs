//! What can go wrong with Parameter Store, each in a sentence that says what to look at. No message holds a value.

/// A call to Parameter Store that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Parameter Store: {names} cannot be {done} ({why}): {advice}", done = self.verb.done(), advice = self.kind.advice())]
pub struct StoreError {
    pub(super) verb: Verb,
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
    /// This program does not speak to AWS.
    Absent,
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
            Self::Absent => "the prober does: its program is lambda-prober",
            Self::Other => "look at the parameter and its type",
        }
    }
}

impl StoreError {
    pub(super) fn too_late(verb: Verb, names: String) -> Self {
        Self { verb, names, kind: Kind::Unreachable, why: "no answer in time".into() }
    }
}
