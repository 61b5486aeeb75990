//! The program's own files as a check like any other: a file that cannot be used is a state that a keeper knows, and that people are
//! written to about.

use std::{sync::Arc, time::Duration};

use checks::{
    cause::Cause,
    check::{Check, Kind, Notices, Place, ScriptCheck},
    file::Wrong,
    outcome::{Outcome, State},
    thresholds::{Standing, Thresholds},
};
use jiff::Timestamp;

use super::results::{Finished, Results};

/// By what it is known.
pub(super) const NAME: &str = "checks-file";

/// How often a keeper learns that it is as it was.
pub(super) const EVERY: Duration = Duration::from_secs(60);

/// What is known of the files.
#[derive(Debug)]
pub(super) struct OwnFiles {
    check: Arc<Check>,
    standing: Standing,
    outcome: Outcome,
}

/// The check.
pub(super) fn check() -> Check {
    Check {
        name: NAME.parse().unwrap_or_else(|_| unreachable!("{NAME} names a check")),
        was: None,
        title: "The files that define checks".into(),
        group: None,
        // There is no kind for it: nothing but this program can read them.
        kind: Kind::Script(ScriptCheck {
            command: vec!["checks".into(), "--check".into()],
            environment: Vec::new(),
            folder: None,
            uid: None,
        }),
        every: EVERY,
        timeout: EVERY,
        retries: 0,
        thresholds: Thresholds { fail_after: 1, recover_after: 1 },
        depends_on: Vec::new(),
        component: Place::Nowhere,
        notices: Notices::default(),
    }
}

impl OwnFiles {
    pub(super) fn new() -> Self {
        Self { check: Arc::new(check()), standing: Standing::default(), outcome: Outcome::ok("they are read") }
    }

    /// They can be used, and define so many checks.
    pub(super) fn are_valid(&mut self, checks: usize) {
        self.outcome = Outcome::ok(format!("they define {}", counted(checks)));
    }

    /// They cannot be used, or not all of them; `what_follows` in words.
    pub(super) fn are_wrong(&mut self, wrong: &[Wrong], what_follows: &str) {
        let first = wrong.first().map(ToString::to_string).unwrap_or_default();
        let text = format!("{}; {what_follows}", and_more(&first, wrong.len().saturating_sub(1)));
        self.outcome = Outcome::because(Cause::Files, text);
    }

    /// Hands over how they are now; `refused` is what a keeper does not take of them, a sentence each.
    pub(super) fn report(&mut self, refused: &[String], results: &Results) {
        let outcome = match refused {
            [first, more @ ..] if self.outcome.state == State::Ok => Outcome::because(
                Cause::Files,
                format!("the keeper does not take all as it is: {}", and_more(first, more.len())),
            ),
            _ => self.outcome.clone(),
        };
        let before = self.standing;
        self.standing = before.after(outcome.state, self.check.thresholds);
        let has_turned = self.standing.counts != before.counts;
        let (check, standing) = (Arc::clone(&self.check), self.standing);
        results.add(Finished { check, at: Timestamp::now(), outcome, standing, next: None, has_turned });
    }
}

/// The first of several sentences, and how many there are beside it.
fn and_more(first: &str, more: usize) -> String {
    if more == 0 { first.to_owned() } else { format!("{first} (and {more} more)") }
}

/// So many checks, in words.
pub(super) fn counted(checks: usize) -> String {
    if checks == 1 { "1 check".into() } else { format!("{checks} checks") }
}
