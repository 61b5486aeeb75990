//! What a run of a check came to.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::statuspage::ComponentStatus;

use crate::{cause::Cause, performance::Figure};

/// The longest text of an outcome, in bytes.
pub const MAX_TEXT: usize = 4096;

/// The states of a check, as monitoring plugins have them: 0 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is as it should be.
    Ok,
    /// It works, and something should be seen to.
    Warning,
    /// It does not work.
    Critical,
    /// Nothing is known: it could not be checked. It is neither up nor down.
    Unknown,
}

impl State {
    /// Every state, by its code.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warning, Self::Critical, Self::Unknown];

    /// The state as files, JSON and metrics name it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }

    /// The status of a component that a check in this state is about; `None` where nothing is known, and it stays as it is.
    pub const fn component_status(self) -> Option<ComponentStatus> {
        match self {
            Self::Ok => Some(ComponentStatus::Operational),
            Self::Warning => Some(ComponentStatus::DegradedPerformance),
            Self::Critical => Some(ComponentStatus::MajorOutage),
            Self::Unknown => None,
        }
    }

    /// Whether what is checked does its work.
    pub const fn works(self) -> bool {
        matches!(self, Self::Ok | Self::Warning)
    }
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it is.
    pub state: State,
    /// Why it is not well; `None` where it is.
    pub cause: Option<Cause>,
    /// One line for a person, at most [`MAX_TEXT`] bytes; never a secret.
    pub text: String,
    /// Further lines, where a program has printed them; at most [`MAX_TEXT`] bytes.
    pub long_text: Option<String>,
    /// How long the run took, its last try alone.
    pub took: Duration,
    /// The phases of the last try that were entered; the last one is that of the failure, if there was one.
    pub phases: Phases,
    /// Figures: of a program, or of echoes.
    pub figures: Vec<Figure>,
    /// Until when the certificate that was shown is valid.
    pub certificate_ends: Option<Timestamp>,
}

/// Durations of the phases that were entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Until the name had an address.
    pub resolve: Option<Duration>,
    /// The TCP handshake.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the end of the answer's head (TTFB).
    pub answer: Option<Duration>,
    /// From there to the end of the body, or of what is read of it.
    pub transfer: Option<Duration>,
}

impl Phases {
    /// Those that were entered, with their names, in order.
    pub fn entered(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let Self { resolve, connect, tls, answer, transfer } = *self;
        let all =
            [("resolve", resolve), ("connect", connect), ("tls", tls), ("answer", answer), ("transfer", transfer)];
        all.into_iter().filter_map(|(name, took)| Some((name, took?)))
    }
}

impl Outcome {
    /// One that is well.
    pub fn ok(text: impl Into<String>) -> Self {
        Self::new(State::Ok, None, text.into())
    }

    /// One that is not, because of `cause`, with what a person should know of it.
    pub fn because(cause: Cause, text: impl Into<String>) -> Self {
        Self::new(cause.state(), Some(cause), text.into())
    }

    fn new(state: State, cause: Option<Cause>, text: String) -> Self {
        Self {
            state,
            cause,
            text,
            long_text: None,
            took: Duration::ZERO,
            phases: Phases::default(),
            figures: Vec::new(),
            certificate_ends: None,
        }
    }
}
