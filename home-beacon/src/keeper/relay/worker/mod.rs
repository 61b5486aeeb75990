//! The task that makes the calls. Each step does one kind of work: a copy of upstream's page when it is due, else a status, else
//! why it was down, else points, else repetitions.

mod causes;
mod points;
mod reporting;
mod statuses;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use shared::{
    chain::root_cause,
    http::SetupError,
    id::{ComponentId, MetricId, PageId},
    message::RelayFault,
    secret::{Secret, SecretSource},
    statuspage::Client,
};
use tokio::time::sleep;

use super::{
    Upstream,
    mirror::{Mirror, MirrorError},
    planner::{Answer, MAX_POINTS, Next, Pause, Planner, RESERVED_FOR_MIRROR},
    repeat::Repetitions,
    report::Reports,
};
use crate::keeper::{KeeperClock, KeeperError, db::Db, outbox::Outbox};

/// How often upstream's page is copied.
const MIRROR_INTERVAL: Duration = Duration::from_mins(1);

/// A longer time between two copies may hide an incident.
const A_WHILE: Duration = Duration::from_mins(2);

/// When a status that could not be sent is tried again.
const STATUS_RETRY: Duration = Duration::from_secs(30);

/// How long to wait when the storage fails, and until an unset clock or a refused token is checked again.
const STORAGE_RETRY: Duration = Duration::from_secs(5);
const RECHECK_INTERVAL: Duration = Duration::from_secs(2);

/// What was delivered is written down by itself where no reading's transaction has done so within this time.
const FLUSH_AFTER: Duration = Duration::from_mins(3);

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take the next one at once.
    Again,
    /// Take it after so long, or when something is queued.
    After(Duration),
}

/// Sends what is queued upstream, and copies what is said there.
#[derive(Debug)]
pub struct RelayWorker {
    db: Db,
    clock: KeeperClock,
    outbox: Outbox,
    page: PageId,
    client: Client,
    token: SecretSource,
    /// The token of this turn, and the one that was refused: the file may have changed before the answer comes.
    used: Option<Secret>,
    refused: Option<Secret>,
    planner: Planner,
    /// The components that are left alone for now, and why.
    skipped: BTreeMap<ComponentId, Pause>,
    held_for: Duration,
    repetitions: Repetitions,
    /// The components of which the log says that upstream does not know them.
    unknown: BTreeSet<ComponentId>,
    /// The metrics of which it says that upstream does not take them.
    missing: BTreeSet<MetricId>,
    mirror: Mirror,
    mirror_due: Duration,
    /// Whose status was tried last: the next one is another's.
    tried: Option<ComponentId>,
    statuses_due: Duration,
    mirrored: Option<Duration>,
    /// Whether the log says that upstream answers.
    is_well: bool,
    /// The last turn failed for the storage's sake.
    stuck: bool,
    reports: Reports,
}

fn warn_of(fault: RelayFault, reason: &str) {
    tracing::warn!(reason, more = fault.entry().link(), "{}", fault.words());
}

impl RelayWorker {
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub fn new(
        db: Db,
        clock: KeeperClock,
        outbox: Outbox,
        page: PageId,
        upstream: &Upstream,
    ) -> Result<Self, SetupError> {
        let now = clock.host().uptime.now();
        Ok(Self {
            db,
            clock,
            outbox,
            page,
            client: upstream.client()?,
            token: upstream.token.clone(),
            used: None,
            refused: None,
            planner: Planner::new(now),
            skipped: BTreeMap::new(),
            held_for: upstream.hold,
            repetitions: Repetitions::default(),
            unknown: BTreeSet::new(),
            missing: BTreeSet::new(),
            mirror: Mirror::default(),
            mirror_due: now,
            tried: None,
            statuses_due: now,
            mirrored: None,
            stuck: false,
            is_well: true,
            reports: Reports::default(),
        })
    }

    /// Where it leaves its state.
    pub fn reports(&self) -> Reports {
        self.reports.clone()
    }

    /// Takes steps until it is dropped.
    pub async fn run(&mut self) {
        loop {
            if let Step::After(pause) = self.step().await {
                let queued = self.outbox.wait_queued();
                tokio::select! {
                    () = sleep(pause) => (),
                    () = queued => (),
                }
            }
        }
    }

    /// Makes the call that is due, if one is.
    pub async fn step(&mut self) -> Step {
        let step = self.next_step().await;
        if let Err(error) = &step
            && !self.stuck
        {
            // Once: it is tried again every few seconds, for as long as a disk is full.
            tracing::warn!(cause = %root_cause(error), "the relay waits for the storage");
        }
        self.stuck = step.is_err();
        let step = step.unwrap_or(Step::After(STORAGE_RETRY));
        self.report();
        step
    }

    async fn next_step(&mut self) -> Result<Step, KeeperError> {
        // A point without its time, or with a wrong one, is of no use.
        let Some(wall) = self.clock.trusted_now() else { return Ok(Step::After(RECHECK_INTERVAL)) };
        let now = self.uptime();
        if self.outbox.delivered_since().is_some_and(|since| now.saturating_sub(since) > FLUSH_AFTER) {
            // On a full disk they are remembered for longer, up to a bound.
            if let Err(error) = self.outbox.flush_delivered().await {
                tracing::debug!(cause = %root_cause(&error), "what upstream has taken cannot be written down yet");
            }
        }
        self.notice_another_token();
        let until = |then: Duration| Step::After(then.saturating_sub(now));
        if let Some(open) = self.planner.closed(now, 0) {
            return Ok(if self.planner.refused().is_some() { Step::After(RECHECK_INTERVAL) } else { until(open) });
        }
        if self.mirror_due <= now {
            return match self.planner.closed(now, 1) {
                Some(open) => Ok(until(open)),
                None => self.mirror_page(now).await,
            };
        }
        if let Some(open) = self.planner.closed(now, RESERVED_FOR_MIRROR) {
            return Ok(until(open.min(self.mirror_due)));
        }
        self.skipped.retain(|_, skipped| skipped.until > now);
        if self.statuses_due <= now {
            let statuses = self.outbox.pending_statuses(&self.page).await?;
            if let Some(status) = self.next_of(statuses) {
                self.send_status(&status).await?;
                return Ok(Step::Again);
            }
        }
        if let Some(cause) = self.outbox.next_cause(now) {
            self.send_cause(&cause).await?;
            return Ok(Step::Again);
        }
        let paused: Vec<_> = self.planner.paused(now).map(|(metric, _)| metric).collect();
        let queue = self.outbox.pending(wall, &paused, MAX_POINTS + self.planner.stuck().count()).await?;
        match self.planner.next(&queue, now) {
            Next::Send(batch) => self.send(batch).await,
            // Some metric is paused; that is no reason not to repeat the others.
            Next::At(open) => self.repeat(wall, now, open).await,
            Next::Idle => self.repeat(wall, now, self.mirror_due).await,
        }
    }

    async fn mirror_page(&mut self, now: Duration) -> Result<Step, KeeperError> {
        let after_a_while = self.mirrored.is_none_or(|mirrored| now.saturating_sub(mirrored) > A_WHILE);
        let (planner, reports, uptime) = (&mut self.planner, &self.reports, &self.clock.host().uptime);
        let may_call = || {
            let now = uptime.now();
            let may = planner.room(now) > 0;
            if may {
                planner.calls(now);
                reports.change(|report| report.calls += 1);
            }
            may
        };
        let seen =
            self.mirror.copy_page((&self.db, &self.clock), &self.client, &self.page, after_a_while, may_call).await;
        // Whatever came of it: the points are not to wait until the page can be read.
        self.mirror_due = now + MIRROR_INTERVAL;
        match seen {
            Ok(unknown) => {
                for component in unknown.iter().filter(|component| self.unknown.insert((*component).clone())) {
                    let (fault, more) = (RelayFault::NoComponent, RelayFault::NoComponent.entry().link());
                    tracing::warn!(%component, more, "{}", fault.words());
                }
                self.mirrored = Some(now);
                self.record_answer(Answer::Accepted);
                let mirrored_at = self.clock.wall();
                self.outbox.note_read(mirrored_at);
                self.reports.change(|report| report.mirrored_at = Some(mirrored_at));
            }
            Err(MirrorError::Upstream(answer)) => self.record_answer(answer),
            Err(MirrorError::Storage(error)) => return Err(error),
        }
        Ok(Step::Again)
    }

    fn uptime(&self) -> Duration {
        self.clock.host().uptime.now()
    }

    /// A call is being made.
    fn calls(&mut self) {
        self.planner.calls(self.uptime());
        self.reports.change(|report| report.calls += 1);
    }

    /// Records an answer that is about no points.
    fn record_answer(&mut self, answer: Answer) {
        self.watch(&answer);
        if answer != Answer::Accepted {
            self.reports.change(|report| report.failed_calls += 1);
        }
        self.planner.record_answer(answer, self.uptime(), fastrand::f64());
    }

    /// Logs when it turns from good to bad, or back; and remembers a token that was refused.
    fn watch(&mut self, answer: &Answer) {
        match answer {
            Answer::Refused(reason) => {
                if self.is_well || self.planner.refused().is_none() {
                    warn_of(RelayFault::Paused, reason);
                }
                self.refused.clone_from(&self.used);
            }
            Answer::Failed { reason, .. } if self.is_well => {
                warn_of(RelayFault::Trouble, reason);
            }
            Answer::Accepted if !self.is_well => tracing::info!("upstream takes what is sent again"),
            _ => (),
        }
        self.is_well = !matches!(answer, Answer::Refused(_) | Answer::Failed { .. });
        if self.is_well {
            self.refused = None;
        }
    }

    /// A token that is not the one refused is tried at once.
    fn notice_another_token(&mut self) {
        self.used = self.token.current().ok();
        if self.planner.refused().is_some() && self.used.is_some() && self.used != self.refused {
            tracing::info!("there is another token for upstream: it is tried");
            self.refused = None;
            self.planner.token_changed();
        }
    }
}
