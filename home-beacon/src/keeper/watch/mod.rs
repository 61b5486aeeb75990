//! What is worth a notice though no reading says so: found by looking, every half minute.
//!
//! - `found`: what is looked at, as conditions (pure); `heartbeats`: those of this home (pure)

mod found;
mod heartbeats;

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use shared::id::PageId;
use tokio::time::sleep;

pub(super) use self::found::storage;
use self::found::{beacon, not_looked_at, relay};
use super::{
    KeeperError,
    background::Failures,
    checks,
    db::{Db, query},
    http::AppState,
    looks::{
        Looks,
        beacon::{AtHome, BeaconState},
    },
    measured::Recorder,
    notices::condition::Condition,
    relay::{Condition as RelayCondition, Reports},
    status::{components, pages},
};
use crate::heartbeat::rounds::Rounds;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(30);

/// What is looked at.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    recorder: Recorder,
    page: PageId,
    relay: Option<Reports>,
    /// Where there is a beacon.
    beacon: Option<BeaconState>,
    /// How heartbeats go, where this home sends any.
    heartbeats: Option<Rounds>,
    /// What of the page is this home.
    at_home: Option<AtHome>,
}

/// What is remembered between two looks.
#[derive(Debug, Default)]
struct Remembered {
    /// Since when the time is known: before, no look could be taken.
    trusted: Option<Instant>,
    /// Since when no call upstream has gone well.
    unwell: Option<Instant>,
    /// When programs with checks were last silent.
    silences: checks::watched::Silences,
}

/// Looks for as long as it is polled, where anybody is written to.
pub(super) async fn run(watched: &Watched) {
    if !watched.recorder.notices().has_channels() {
        return;
    }
    let (mut failures, mut remembered) = (Failures::default(), Remembered::default());
    loop {
        failures.note(&watched.look(&mut remembered).await, "what is worth a notice cannot be looked for");
        sleep(INTERVAL).await;
    }
}

impl Watched {
    /// What a keeper looks at: its relay and its beacon, where it has them.
    pub(super) fn of(
        state: &AppState,
        relay: Option<Reports>,
        beacon: Option<BeaconState>,
        at_home: Option<AtHome>,
    ) -> Self {
        let (recorder, page, heartbeats) = (state.recorder.clone(), state.page.clone(), state.heartbeats.clone());
        Self { recorder, page, relay, beacon, heartbeats, at_home }
    }

    /// Looks once.
    async fn look(&self, remembered: &mut Remembered) -> Result<(), KeeperError> {
        let Recorder { db, .. } = &self.recorder;
        let (clock, notices) = (self.recorder.clock(), self.recorder.notices());
        // Without the time nothing can be said to last.
        let Some(now) = clock.trusted_now() else { return Ok(()) };
        let knows_the_time_for = passed(Some(*remembered.trusted.get_or_insert_with(Instant::now)));
        notices.observe_storage(db, &storage(db.failure().await.as_deref(), now), now).await;
        notices.set_zone(&pages::find(&mut db.read().await?, &self.page).await?.time_zone);
        if let Some(at_home) = &self.at_home {
            notices.set_home(at_home.component(db, &self.page).await?);
        }
        let mut found = self.not_looked_at(knows_the_time_for, now).await?;
        if let Some(reports) = &self.relay {
            let report = reports.latest();
            let is_unwell = matches!(report.condition, RelayCondition::Trouble | RelayCondition::Paused);
            remembered.unwell = is_unwell.then(|| remembered.unwell.unwrap_or_else(Instant::now));
            let oldest = self.recorder.outbox.backlog(now).await?.oldest;
            found.push(relay(&report, oldest, passed(remembered.unwell), now));
        }
        let uptime = clock.host().uptime.now();
        found.extend(self.beacon.as_ref().map(|state| beacon(state.failing(uptime), now)));
        found.extend(self.heartbeats.iter().flat_map(|rounds| heartbeats::found(&rounds.report(), now)));
        let began = now.checked_sub(knows_the_time_for).unwrap_or(now);
        found.extend(checks::watched::found(db, now, began, &mut remembered.silences).await?);
        let series = series(db).await?;
        found.extend(self.silent(&series, knows_the_time_for, now).await?);
        notices.observe(db, &found, now).await?;
        notices.observe_series(db, &series, &found, now).await?;
        Ok(())
    }

    async fn not_looked_at(&self, ran_for: SignedDuration, now: Timestamp) -> Result<Vec<Condition>, KeeperError> {
        let looks: &Looks = self.recorder.looks();
        let components = components::list(&self.recorder.db, &self.page, 0, u32::MAX).await?;
        let expected = components.into_iter().filter(|component| component.looks && !component.checked);
        let conditions = expected.filter_map(|component| {
            let now_for_looks = self.recorder.clock().now_for_looks();
            // That is one notice of what it depends on, and none of what depends on it.
            if now_for_looks.is_some_and(|now| looks.is_excused(&component.id, now)) {
                return None;
            }
            let looked = looks.at(&component.id, now_for_looks);
            not_looked_at(component.id.as_str(), &component.name, looked.age()?, ran_for, now)
        });
        Ok(conditions.collect())
    }

    async fn silent(
        &self,
        series: &[(String, i64)],
        ran_for: SignedDuration,
        now: Timestamp,
    ) -> Result<Vec<Condition>, KeeperError> {
        let began = now.checked_sub(ran_for).unwrap_or(now);
        let mut conn = self.recorder.db.read().await?;
        let mut silent = Vec::new();
        for (name, id) in series {
            silent.extend(self.recorder.notices().silence(&mut conn, (name, *id), now, began).await?);
        }
        Ok(silent)
    }
}

fn passed(since: Option<Instant>) -> SignedDuration {
    since.and_then(|since| SignedDuration::try_from(since.elapsed()).ok()).unwrap_or_default()
}

/// What jobs measure.
async fn series(db: &Db) -> Result<Vec<(String, i64)>, KeeperError> {
    let list = query("SELECT name, id FROM series WHERE name NOT LIKE '@%' AND name NOT LIKE 'check:%' ORDER BY name");
    Ok(list.all(&mut db.read().await?).await?)
}
