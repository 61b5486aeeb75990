//! What can go wrong with Parameter Store, each in a sentence that says what to do. No message holds a value.

use shared::message::ParameterFault;

/// A call to Parameter Store that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub(crate) struct ParameterError {
    pub(super) operation: Operation,
    /// The parameters that it was about.
    pub(super) names: String,
    pub(super) fault: ParameterFault,
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

impl ParameterError {
    fn sentence(&self) -> String {
        let Self { operation, names, fault, why } = self;
        let sentence = format!("Parameter Store: {names} cannot be {} ({why}): {}", operation.done(), fault.words());
        fault.entry().ending(&sentence)
    }

    pub(super) fn timed_out(operation: Operation, names: String) -> Self {
        Self { operation, names, fault: ParameterFault::Unreachable, why: "no answer in time".into() }
    }
}
