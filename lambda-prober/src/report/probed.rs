//! A home that was probed without a page.

use std::fmt;

use super::explain::explain_home;
use crate::{
    judge::{observation::Attempt, verdict::Verdict},
    target::Home,
};

/// What was seen of a home, and what that means. `Display` explains it in words.
#[derive(Clone, Debug)]
pub struct Probed {
    /// The home.
    pub home: Home,
    /// What was seen.
    pub attempts: Vec<Attempt>,
    /// What that means.
    pub verdict: Verdict,
}

impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        explain_home(f, &self.home, &self.attempts, self.verdict)
    }
}
