//! What was found of one link: an outcome, what was seen, and the one thing to do next.

use serde::Serialize;

use super::link::Link;

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was seen to work.
    Ok,
    /// It was seen not to.
    Failed,
    /// What was seen says neither.
    NotConclusive,
    /// This chain has no such link.
    NotUsed,
}

/// Whether what is seen can be a cause, or is only ever what comes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It may be what is broken.
    Cause,
    /// It shows that something is: where anything that it needs is known to be broken, that is meant.
    Symptom,
}

/// What was found of one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The link.
    pub link: Link,
    /// How it is.
    pub outcome: Outcome,
    /// What was seen: a sentence without a full stop. No secret is in it.
    pub saw: String,
    /// The one thing to do next; nothing where it is well.
    pub next: Option<String>,
    /// The broken link that this may only come of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because_of: Option<Link>,
    #[serde(skip)]
    pub(super) nature: Nature,
    /// Whether it could be another one with other settings.
    #[serde(skip)]
    pub(super) rests_on_settings: bool,
}

impl Finding {
    fn new(link: Link, outcome: Outcome, saw: impl Into<String>, next: Option<String>) -> Self {
        Self { link, outcome, saw: saw.into(), next, because_of: None, nature: Nature::Cause, rests_on_settings: true }
    }

    /// It works.
    pub fn ok(link: Link, saw: impl Into<String>) -> Self {
        Self::new(link, Outcome::Ok, saw, None)
    }

    /// It does not.
    pub fn failed(link: Link, saw: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(link, Outcome::Failed, saw, Some(next.into()))
    }

    /// It does not, which comes of something else, if that is found.
    pub fn symptom(link: Link, saw: impl Into<String>, next: impl Into<String>) -> Self {
        Self { nature: Nature::Symptom, ..Self::failed(link, saw, next) }
    }

    /// It was seen so whatever is set here: no setting that is wrong explains it.
    #[must_use]
    pub fn whatever_is_set(self) -> Self {
        Self { rests_on_settings: false, ..self }
    }

    /// Something else that was seen says that the chain works: then it is not known what is broken.
    pub fn doubt(&mut self, seen: &str, next: &str) {
        self.outcome = Outcome::NotConclusive;
        self.saw = format!("{}; {seen}", self.saw);
        self.next = Some(next.to_owned());
    }

    /// Nothing can be said.
    pub fn unknown(link: Link, saw: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(link, Outcome::NotConclusive, saw, Some(next.into()))
    }

    /// There is none.
    pub fn unused(link: Link, saw: impl Into<String>) -> Self {
        Self::new(link, Outcome::NotUsed, saw, None)
    }
}
