//! What is noted while a check is made, and how it becomes an outcome.

use std::time::Duration;

use jiff::Timestamp;
use shared::{
    secret::{Secret, SecretSource},
    wrong_setting::WrongSetting,
};
use tokio::time::{Instant, timeout_at};

pub(super) use crate::answer::Finding;
use crate::{
    answer::quote,
    cause::Cause,
    check::Text,
    outcome::{MAX_TEXT, Outcome, Phases},
};

/// Which duration of [`Phases`] is meant.
pub(super) type Phase = fn(&mut Phases) -> &mut Option<Duration>;

/// A run that is under way.
#[derive(Debug)]
pub(super) struct Run {
    began: Instant,
    pub(super) until: Instant,
    phases: Phases,
    /// Of several, the one that ends first.
    certificate_ends: Option<Timestamp>,
    secrets: Vec<Secret>,
}

impl Run {
    pub(super) fn new(until: Instant) -> Self {
        let phases = Phases::default();
        Self { began: Instant::now(), until, phases, certificate_ends: None, secrets: Vec::new() }
    }

    /// Since its beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Runs a phase against the deadline and notes how long it took. `missing` is what there was not once it has passed: *no
    /// answer*.
    pub(super) async fn phase<T>(
        &mut self,
        phase: Phase,
        missing: &str,
        work: impl Future<Output = Result<T, Finding>>,
    ) -> Result<T, Finding> {
        let start = Instant::now();
        let result = timeout_at(self.until, work).await;
        self.note(phase, start.elapsed());
        result.unwrap_or_else(|_| Err(self.too_late(missing)))
    }

    /// Notes how long a phase took, once more where it was entered before: after a redirect.
    pub(super) fn note(&mut self, phase: Phase, took: Duration) {
        let noted = phase(&mut self.phases);
        *noted = Some(noted.unwrap_or_default() + took);
    }

    pub(super) fn too_late(&self, missing: &str) -> Finding {
        Finding::new(Cause::TimedOut, format!("{missing} within {}", seconds(self.elapsed())))
    }

    /// A certificate was shown that is valid until then.
    pub(super) fn note_certificate(&mut self, ends: Timestamp) {
        self.certificate_ends = Some(self.certificate_ends.map_or(ends, |other| other.min(ends)));
    }

    pub(super) const fn certificate_ends(&self) -> Option<Timestamp> {
        self.certificate_ends
    }

    /// The text, a secret read as it is now; from now on no quotation shows it.
    pub(super) fn read(&mut self, text: &Text) -> Result<String, Finding> {
        self.read_by(text, SecretSource::current)
    }

    /// As [`Run::read`], of a text that is sent as it is, the ends of its lines included.
    pub(super) fn read_whole(&mut self, text: &Text) -> Result<String, Finding> {
        self.read_by(text, SecretSource::whole)
    }

    fn read_by(
        &mut self,
        text: &Text,
        now: impl Fn(&SecretSource) -> Result<Secret, WrongSetting>,
    ) -> Result<String, Finding> {
        match text {
            Text::Plain(text) => Ok(text.clone()),
            Text::Secret(source) => {
                let secret = now(source).map_err(|wrong| Finding::new(Cause::Secret, wrong.to_string()))?;
                let exposed = secret.expose().to_owned();
                self.secrets.push(secret);
                Ok(exposed)
            }
        }
    }

    /// What the other side sent, as it may stand in a sentence.
    pub(super) fn quoted(&self, text: &str) -> String {
        quote::quoted(text, &self.secrets)
    }

    /// As [`Run::quoted`], without quotation marks.
    pub(super) fn cleaned(&self, text: &str) -> String {
        quote::cleaned(text, &self.secrets)
    }

    /// What the run came to: the sentence of one that is well, or what is wrong.
    pub(super) fn end(self, result: Result<String, Finding>) -> Outcome {
        let mut outcome = match result {
            Ok(text) => Outcome::ok(text),
            Err(Finding { state, cause, text }) => Outcome { state, ..Outcome::because(cause, text) },
        };
        outcome.text = quote::one_line(&outcome.text);
        outcome.text.truncate(outcome.text.floor_char_boundary(MAX_TEXT));
        Outcome { took: self.began.elapsed(), phases: self.phases, certificate_ends: self.certificate_ends, ..outcome }
    }
}

/// A duration for people: `0.012 s`, `1.2 s`.
pub(super) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 { format!("{seconds:.3} s") } else { format!("{seconds:.1} s") }
}
