//! What `--check --online` finds: one line for each thing that was asked for. Nothing is ever changed by asking.

use std::process::ExitCode;

use crate::{api::ApiError, settings::EXIT_SETTINGS};

/// Something did not answer: it may be well.
const EXIT_UNKNOWN: u8 = 1;

/// What came of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Finding {
    Found,
    /// The server did not answer.
    Unknown,
    /// A setting names what is not there, or a secret that is refused.
    Wrong,
}

/// A question and its answer, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineCheck {
    finding: Finding,
    text: String,
}

impl OnlineCheck {
    /// What was asked for is there.
    pub fn found(text: impl Into<String>) -> Self {
        Self { finding: Finding::Found, text: text.into() }
    }

    /// The server did not answer.
    pub fn unknown(text: impl Into<String>) -> Self {
        Self { finding: Finding::Unknown, text: text.into() }
    }

    /// What was asked for is not there, or not as the settings say.
    pub fn wrong(text: impl Into<String>) -> Self {
        Self { finding: Finding::Wrong, text: text.into() }
    }

    /// Of a call: what it says of `what`, or why it failed, as `failed` has it.
    pub fn of(what: &str, result: Result<&str, &ApiError>, failed: impl Fn(&ApiError) -> String) -> Self {
        match result {
            Ok(there) => Self::found(format!("{what} {there}")),
            Err(error @ ApiError::Passing(_)) => Self::unknown(format!("{what}: {}", failed(error))),
            Err(error) => Self::wrong(format!("{what}: {}", failed(error))),
        }
    }
}

/// Prints what is there to stdout, and what is wrong or unknown to stderr; returns the exit code to end with.
pub fn report(checks: &[OnlineCheck]) -> ExitCode {
    for OnlineCheck { finding, text } in checks {
        match finding {
            Finding::Found => println!("{text}"),
            Finding::Unknown => eprintln!("unknown: {text}"),
            Finding::Wrong => eprintln!("wrong: {text}"),
        }
    }
    match checks.iter().map(|check| check.finding).max() {
        None | Some(Finding::Found) => ExitCode::SUCCESS,
        Some(Finding::Unknown) => ExitCode::from(EXIT_UNKNOWN),
        Some(Finding::Wrong) => ExitCode::from(EXIT_SETTINGS),
    }
}

/// The exit code of settings that were validated, and then asked for: what was wrong with them stays wrong.
pub fn worse(validated: ExitCode, asked: ExitCode) -> ExitCode {
    if validated == ExitCode::SUCCESS { asked } else { validated }
}
