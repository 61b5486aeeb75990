//! Looks at one home: spaced attempts until one brings an answer that leaves nothing to be asked; witnesses are heard after
//! each attempt that did not reach it.

mod attempt;
mod certificate;
mod checker;
mod exchange;
mod hearing;
mod names;
mod provider;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

pub use self::{certificate::Certificates, checker::Checker, hearing::Hearing};
use crate::{
    judge::is_conclusive,
    observation::{Attempt, Exchange, Failure},
    pace::Pace,
    state::Recall,
    target::Home,
};

/// Is told of a home's attempts, counted from 1, as they end.
pub type Progress = fn(&Home, usize, &Attempt);

/// One home, and what looking at it takes.
#[derive(Debug)]
pub struct Observer<'run> {
    pub checker: Checker<'run>,
    pub certificates: &'run Certificates,
    pub pace: &'run Pace,
    pub hearing: &'run Hearing<'run>,
    /// Where the home last proved itself.
    pub recall: Recall<'run>,
    /// What is reached more slowly is asked again.
    pub degraded_above: Duration,
    /// When the run began.
    pub began: Instant,
    /// Who is told of each attempt as it ends, for a person who waits.
    pub progress: Option<Progress>,
    /// Whether the witnesses are heard although the home answers, so that a person sees whether they are there.
    pub hear_always: bool,
}

impl Observer<'_> {
    /// Ends at the first answer that leaves nothing to be asked, after the pace's attempts, or when observing must end.
    pub async fn observe(&self) -> Vec<Attempt> {
        let Pace { attempts: most, observing, spacing, .. } = *self.pace;
        let until = self.began + observing;
        let mut attempts: Vec<Attempt> = Vec::with_capacity(most);
        let mut due = Instant::now();
        while attempts.len() < most && due < until {
            sleep_until(due).await;
            let mut attempt = self.attempt(until).await;
            if self.hear_always || attempt.enough().is_none() {
                attempt.testimony = Some(self.hearing.hear(until).await);
            }
            let conclusive = attempt.exchanges.iter().any(|exchange| self.is_conclusive(exchange));
            attempts.push(attempt);
            if let (Some(progress), Some(attempt)) = (self.progress, attempts.last()) {
                progress(self.checker.home, attempts.len(), attempt);
            }
            if conclusive {
                break;
            }
            due = (due + spacing + jitter(spacing)).max(Instant::now());
        }
        attempts
    }

    fn is_conclusive(&self, exchange: &Exchange) -> bool {
        is_conclusive(exchange, self.degraded_above)
    }
}

/// Up to a tenth of the spacing, so that attempts do not beat in time with anything.
fn jitter(spacing: Duration) -> Duration {
    spacing.mul_f64(fastrand::f64() / 10.0)
}

/// Sorts an I/O error by its kind.
fn failure_of(error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::NotConnected => Failure::Reset,
        ErrorKind::TimedOut => Failure::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Failure::Unreachable,
        _ => Failure::Local(error.to_string()),
    }
}
