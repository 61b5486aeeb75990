//! Whether an answer over HTTP is what was expected, whoever asked for it. Pure.
//!
//! - `judge`: status, headers and body
//! - `certificate`: for how long a certificate is valid yet
//! - [`quote`]: what others sent, as it may stand in a sentence

mod certificate;
mod judge;
pub mod quote;

pub use self::{
    certificate::{certificate_sentence, judge_certificate},
    judge::{judge_body, judge_head},
};
use crate::{cause::Cause, outcome::State};

/// The most that is read of a body, in bytes; as much again where it is decoded.
pub const MAX_BODY: usize = 1 << 20;

/// What is wrong with what is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub state: State,
    /// What it is.
    pub cause: Cause,
    /// The same in one line, for people; never a secret.
    pub text: String,
}

impl Finding {
    /// With the state that follows from the cause.
    pub fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self { state: cause.state(), cause, text: text.into() }
    }

    /// Critical, whatever usually follows from its cause.
    #[must_use]
    pub fn critical(self) -> Self {
        Self { state: State::Critical, ..self }
    }
}
