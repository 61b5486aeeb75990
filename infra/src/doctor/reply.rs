//! What a service told us, whichever it is: an answer, a refusal, or nothing.

use serde_json::Value;
use shared::api::{ApiError, Pausing, Permanent};

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It was not asked, and why.
    NotAsked(String),
    /// An answer.
    Is(Value),
    /// It answered that this cannot be had.
    Refused {
        /// An HTTP status, or the code of an error of AWS.
        code: String,
        /// What it said.
        words: String,
    },
    /// The limit of calls is used up.
    Limited(String),
    /// It did not answer, or not as itself: nothing is known.
    Silent(String),
}

impl Reply {
    /// The answer, or nothing.
    pub fn value(&self) -> &Value {
        if let Self::Is(value) = self { value } else { &Value::Null }
    }

    /// Whether it refused with one of these codes.
    pub fn is_refused(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.iter().any(|known| code == known))
    }

    /// Why there is no answer.
    pub fn why(&self) -> &str {
        match self {
            Self::Is(_) => "it answered",
            Self::NotAsked(words) | Self::Limited(words) | Self::Silent(words) | Self::Refused { words, .. } => words,
        }
    }
}

impl From<Result<Value, ApiError>> for Reply {
    fn from(asked: Result<Value, ApiError>) -> Self {
        match asked {
            Ok(value) => Self::Is(value),
            Err(ApiError::Passing(passing)) if matches!(passing.status, Some(420 | 429)) => {
                Self::Limited(passing.to_string())
            }
            Err(
                ApiError::Pausing(Pausing { status, message, .. })
                | ApiError::Permanent(Permanent { status, message, .. }),
            ) => Self::Refused { code: status.to_string(), words: message },
            Err(error @ (ApiError::Passing(_) | ApiError::NotTheApi(_))) => Self::Silent(error.in_words()),
        }
    }
}

/// What tests have a service tell.
#[cfg(test)]
pub(super) mod fixtures {
    use super::Reply;

    pub(in super::super) fn silent() -> Reply {
        Reply::Silent("no answer".into())
    }

    pub(in super::super) fn not_asked() -> Reply {
        Reply::NotAsked("no keeper".into())
    }

    pub(in super::super) fn limited() -> Reply {
        Reply::Limited("420".into())
    }

    pub(in super::super) fn refused(code: &str) -> Reply {
        Reply::Refused { code: code.into(), words: format!("({code})") }
    }
}
