//! The attempts of a run on one home, spaced, until one brings a conclusive answer; witnesses are queried after each
//! attempt that did not reach the home.

use std::time::Duration;

use shared::certificates::Certificates;
use tokio::time::{Instant, sleep_until};

use super::{checker::Checker, witness_check::WitnessCheck};
use crate::{
    judge::{
        is_conclusive,
        observation::{Attempt, Exchange},
    },
    kept::state::StateSession,
    target::Home,
    timing::Timing,
};

/// Is called with each attempt on a home as it ends, counted from 1.
pub type Progress = fn(&Home, usize, &Attempt);

/// One home, and what probing it takes.
#[derive(Debug)]
pub(crate) struct Observer<'run> {
    pub(crate) checker: Checker<'run>,
    pub(crate) certificates: &'run Certificates,
    pub(crate) timing: &'run Timing,
    pub(crate) witness_check: &'run WitnessCheck<'run>,
    /// Where the home last proved itself.
    pub(crate) session: StateSession<'run>,
    /// A slower connection is tried again.
    pub(crate) degraded_above: Duration,
    /// When the run began.
    pub(crate) began: Instant,
    /// Called with each attempt as it ends, for a person who waits.
    pub(crate) progress: Option<Progress>,
    /// Whether the witnesses are queried although the home answers, so that a person sees whether they can be reached.
    pub(crate) always_check_witnesses: bool,
}

impl Observer<'_> {
    /// Ends at the first conclusive answer, after the last attempt, or when observing must end. Of each time that the home was
    /// tried there is an attempt for each of its web addresses.
    pub(crate) async fn observe(&self) -> Vec<Attempt> {
        let Timing { attempts: max_attempts, observing, spacing, .. } = *self.timing;
        let until = self.began + observing;
        let (mut attempts, mut made, mut due) = (Vec::with_capacity(max_attempts), 0, Instant::now());
        while made < max_attempts && due < until {
            sleep_until(due).await;
            let mut now = self.attempts(until).await;
            if self.always_check_witnesses || now.iter().all(|attempt| attempt.enough().is_none()) {
                let witnesses = self.witness_check.query(until).await;
                for attempt in &mut now {
                    attempt.witnesses = Some(witnesses.clone());
                }
            }
            made += 1;
            if let Some(progress) = self.progress {
                for attempt in &now {
                    progress(self.checker.home, made, attempt);
                }
            }
            let mut exchanges = now.iter().flat_map(|attempt| &attempt.exchanges);
            let is_conclusive = exchanges.any(|exchange| self.is_conclusive(exchange));
            attempts.extend(now);
            if is_conclusive {
                break;
            }
            due = (due + spacing + jitter(spacing)).max(Instant::now());
        }
        attempts
    }

    pub(super) fn is_conclusive(&self, exchange: &Exchange) -> bool {
        is_conclusive(exchange, self.degraded_above)
    }
}

/// Up to a tenth of the spacing, so that attempts do not keep in step with anything periodic.
fn jitter(spacing: Duration) -> Duration {
    spacing.mul_f64(fastrand::f64() / 10.0)
}
