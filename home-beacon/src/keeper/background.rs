//! What a keeper does besides answering requests, and what it logs at its start.

use std::time::Duration;

use jiff::Timestamp;
use shared::{chain::root_cause, id::PageId};
use tokio::time::sleep;

use super::{
    KeeperError,
    checks::calls,
    db::Db,
    http::AppState,
    looks::beacon::{BeaconPoller, INTERVAL},
    measured::{Dated, Recorder},
    outbox::{Backlog, Outbox},
    seed::metrics_put_away,
    status::{components, pages, transitions},
};
use crate::reading::{MetricName, Outcome, Reading};

/// How long after a failed attempt the next one comes, and how often an unset clock is checked.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Failures of what is tried again and again: the first is logged, and not each.
#[derive(Debug, Default)]
pub(super) struct Failures(bool);

impl Failures {
    /// How a try went. `what` is what cannot be done.
    pub(super) fn note<T>(&mut self, went: &Result<T, KeeperError>, what: &'static str) {
        if let Err(error) = went
            && !self.0
        {
            tracing::warn!(cause = %root_cause(error), "{what}");
        }
        self.0 = went.is_err();
    }
}

/// Writes heartbeats where no reading carries one.
pub(super) async fn alive(recorder: &Recorder) {
    loop {
        sleep(recorder.record_heartbeat().await.unwrap_or(RETRY_INTERVAL)).await;
    }
}

/// Dates what came in before the clock was set.
pub(super) async fn date(recorder: &Recorder) {
    let mut failures = Failures::default();
    loop {
        let result = recorder.date().await;
        failures.note(&result, "what came before the clock was set cannot be dated yet");
        match &result {
            Ok(Dated { dated: 0, lost: 0 }) | Err(_) => (),
            Ok(Dated { dated, lost: 0 }) => tracing::info!(dated, "the clock is set: what came before it is dated"),
            Ok(Dated { dated, lost }) => {
                tracing::warn!(dated, lost, "the clock is set, but the time of some readings cannot be known any more");
            }
        }
        sleep(RETRY_INTERVAL).await;
    }
}

/// Begins and ends the maintenance that does so by itself, when it is due.
pub(super) async fn keep_plans(state: &AppState) {
    let mut failures = Failures::default();
    loop {
        let pass = transitions::carry_out(&state.db, state.recorder.looks(), &state.clock).await;
        let wait = match &pass {
            Ok(pass) => {
                if pass.moved > 0 {
                    state.outbox.wake();
                }
                pass.wait.unwrap_or(RETRY_INTERVAL)
            }
            Err(_) => RETRY_INTERVAL,
        };
        failures.note(&pass, "the maintenance that is due cannot be moved yet");
        tokio::select! {
            () = sleep(wait) => (),
            () = state.plans.wait() => (),
        }
    }
}

/// Finds the checks that should have called and have not.
pub(super) async fn keep_calls(state: &AppState) {
    let mut failures = Failures::default();
    loop {
        if let Some(now) = state.clock.trusted_now() {
            let found = calls::find_overdue(&state.recorder, now).await;
            failures.note(&found, "which checks are late cannot be found out yet");
        }
        sleep(RETRY_INTERVAL).await;
    }
}

/// Logs how much waits for upstream.
pub(super) async fn log_backlog(outbox: &Outbox, now: Timestamp) -> Result<(), KeeperError> {
    let Backlog { waiting, too_old, rejected, .. } = outbox.backlog(now).await?;
    tracing::info!(waiting, too_old, rejected, "points for upstream");
    Ok(())
}

/// Logs what is shown, with the ids that a prober needs, and what is kept but not shown.
pub(super) async fn log_pages(db: &Db, shown: &PageId) -> Result<(), KeeperError> {
    for page in pages::list(db).await? {
        if page.id != *shown {
            tracing::warn!(page = %page.id, name = page.name, "this page is kept, but another one is shown");
            continue;
        }
        for component in components::list(db, shown, 0, u32::MAX).await? {
            tracing::info!(page = %shown, component = %component.id, name = component.name, "showing a component");
        }
        for (metric, name) in metrics_put_away(db, shown).await? {
            tracing::info!(
                metric,
                name,
                "this metric is kept, but not shown: the seed names it no more, or shows its readings by another"
            );
        }
    }
    Ok(())
}

/// Asks the beacon once a minute, for as long as it is polled.
pub(super) async fn ask_beacon(beacon: &mut BeaconPoller, state: &AppState) {
    loop {
        let turn = beacon.turn(&state.db, &state.clock, state.recorder.looks()).await;
        if let Some(why) = turn {
            note_beacon(&state.recorder, state.clock.wall(), why).await;
        }
        sleep(INTERVAL).await;
    }
}

/// Records that the beacon does not answer at home, and that it does again: what an outage was is concluded from it.
async fn note_beacon(recorder: &Recorder, at: Timestamp, why: Option<String>) {
    let outcome = why.map_or(Outcome::Value(1.0), Outcome::Failure);
    let reading = Reading::new(MetricName::ours("beacon"), at, outcome);
    if let Err(error) = recorder.add_readings(&[reading]).await {
        tracing::debug!(%error, "whether the beacon answers is not recorded");
    }
}
