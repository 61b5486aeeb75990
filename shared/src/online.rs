//! What `--check --online` finds: one line for each thing that was asked for. Nothing is ever changed by asking.

use std::process::ExitCode;

use crate::{api::ApiError, settings::EXIT_SETTINGS};

/// Something could not be asked: it may be well.
const EXIT_UNASKED: u8 = 1;

/// How one question went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    There,
    /// Whoever was to be asked did not answer.
    Unasked,
    /// A setting names what is not there, or a secret that is refused.
    Wrong,
}

/// A question and its answer, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    came: Came,
    text: String,
}

impl Asked {
    /// What was asked for is there.
    pub fn there(text: impl Into<String>) -> Self {
        Self { came: Came::There, text: text.into() }
    }

    /// It could not be asked.
    pub fn unasked(text: impl Into<String>) -> Self {
        Self { came: Came::Unasked, text: text.into() }
    }

    /// What was asked for is not there, or not as the settings say.
    pub fn wrong(text: impl Into<String>) -> Self {
        Self { came: Came::Wrong, text: text.into() }
    }

    /// Of a call: what it says of `what`, or why it failed, as `failed` has it.
    pub fn of(what: &str, result: Result<&str, &ApiError>, failed: impl Fn(&ApiError) -> String) -> Self {
        match result {
            Ok(there) => Self::there(format!("{what} {there}")),
            Err(error @ ApiError::Passing(_)) => Self::unasked(format!("{what}: {}", failed(error))),
            Err(error) => Self::wrong(format!("{what}: {}", failed(error))),
        }
    }
}

/// Tells what was found on stdout, and what is wrong or was not to be had on stderr; the exit code to end with.
pub fn tell(asked: &[Asked]) -> ExitCode {
    for Asked { came, text } in asked {
        match came {
            Came::There => println!("{text}"),
            Came::Unasked => eprintln!("not to be told: {text}"),
            Came::Wrong => eprintln!("wrong: {text}"),
        }
    }
    match asked.iter().map(|asked| asked.came).max() {
        None | Some(Came::There) => ExitCode::SUCCESS,
        Some(Came::Unasked) => ExitCode::from(EXIT_UNASKED),
        Some(Came::Wrong) => ExitCode::from(EXIT_SETTINGS),
    }
}

/// The exit code of settings that were looked at, and then asked for: what was wrong with them stays wrong.
pub fn worse(looked: ExitCode, asked: ExitCode) -> ExitCode {
    if looked == ExitCode::SUCCESS { asked } else { looked }
}
