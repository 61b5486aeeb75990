//! What upstream may answer, and what follows from it.

use std::time::Duration;

use crate::keeper::outbox::QueuedPoint;

/// How a call went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Upstream has what was sent.
    Accepted,
    /// The token is refused (401, 403), or it is no such service: nothing is wrong with what was sent.
    Refused(String),
    /// There is no such page or metric, or it takes no points (404, 405).
    Missing(String),
    /// Something of what was sent is wrong (400, 413, 422).
    Wrong(String),
    /// It may go better later; upstream may have said when.
    Failed {
        /// What went wrong.
        reason: String,
        /// How long upstream wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// What became of the points of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// Upstream has them.
    Delivered,
    /// They stay in the queue, wherever in it.
    Kept,
    /// It was a single one, and upstream does not want it.
    Rejected(String),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Send these, the oldest first.
    Send(Vec<QueuedPoint>),
    /// Nothing may be sent before then.
    At(Duration),
    /// Nothing waits.
    Idle,
}

/// Something that only a person can mend, and when it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What is to be mended.
    pub reason: String,
    /// When it is tried again.
    pub until: Duration,
}
