//! What is worth a notice though no reading says so: found by looking, every half minute.
//!
//! - `found`: what is looked at, as conditions (pure)

mod found;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::{chain::root_cause, id::PageId};
use tokio::time::sleep;

use self::found::{beacon, not_looked_at, relay, storage};
use super::{
    KeeperError,
    db::{Db, query},
    looks::{Looks, beacon::BeaconState},
    measured::Recorder,
    notices::condition::Condition,
    relay::Reports,
    status::{components, pages},
};

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(30);

/// What is looked at.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) recorder: Recorder,
    pub(super) page: PageId,
    pub(super) relay: Option<Reports>,
    /// Where there is a beacon.
    pub(super) beacon: Option<BeaconState>,
}

/// Looks for as long as it is polled, where anybody is written to.
pub(super) async fn run(watched: &Watched) {
    if !watched.recorder.notices().has_channels() {
        return;
    }
    let mut has_failed = false;
    loop {
        let looked = watched.look().await;
        if let Err(error) = &looked
            && !has_failed
        {
            tracing::warn!(cause = %root_cause(error), "what is worth a notice cannot be looked for");
        }
        has_failed = looked.is_err();
        sleep(INTERVAL).await;
    }
}

impl Watched {
    /// Looks once.
    async fn look(&self) -> Result<(), KeeperError> {
        // Without the time nothing can be said to last.
        let Some(now) = self.recorder.clock().trusted_now() else { return Ok(()) };
        self.recorder
            .notices()
            .observe_storage(&self.recorder.db, &storage(self.recorder.db.failure().await.as_deref(), now), now)
            .await;
        let page = pages::find(&mut self.recorder.db.read().await?, &self.page).await?;
        self.recorder.notices().set_zone(&page.time_zone);
        let mut conditions = self.not_looked_at(now).await?;
        if let Some(reports) = &self.relay {
            conditions.push(relay(&reports.latest(), self.recorder.outbox.backlog(now).await?.oldest, now));
        }
        conditions.extend(self.beacon.as_ref().map(|state| beacon(state.failing(), now)));
        let series = series(&self.recorder.db).await?;
        conditions.extend(self.silent(&series, now).await?);
        self.recorder.notices().observe(&self.recorder.db, &conditions, now).await?;
        self.recorder.notices().observe_series(&self.recorder.db, &series, now).await?;
        Ok(())
    }

    async fn not_looked_at(&self, now: Timestamp) -> Result<Vec<Condition>, KeeperError> {
        let looks: &Looks = self.recorder.looks();
        let components = components::list(&self.recorder.db, &self.page, 0, u32::MAX).await?;
        let expected = components.into_iter().filter(|component| component.looks);
        let conditions = expected.filter_map(|component| {
            let looked = looks.at(&component.id, self.recorder.clock().now_for_looks());
            not_looked_at(component.id.as_str(), &component.name, looked.age()?, self.ran_for(), now)
        });
        Ok(conditions.collect())
    }

    async fn silent(&self, series: &[(String, i64)], now: Timestamp) -> Result<Vec<Condition>, KeeperError> {
        let began = now.checked_sub(self.ran_for()).unwrap_or(now);
        let mut conn = self.recorder.db.read().await?;
        let mut silent = Vec::new();
        for (name, id) in series {
            silent.extend(self.recorder.notices().silence(&mut conn, (name, *id), now, began).await?);
        }
        Ok(silent)
    }

    /// How long this keeper has run.
    fn ran_for(&self) -> SignedDuration {
        let ran = self.recorder.clock().host().uptime.now().saturating_sub(self.recorder.clock().began().uptime);
        SignedDuration::try_from(ran).unwrap_or(SignedDuration::MAX)
    }
}

/// What jobs measure.
async fn series(db: &Db) -> Result<Vec<(String, i64)>, KeeperError> {
    let list = query("SELECT name, id FROM series WHERE name NOT LIKE '@%' ORDER BY name");
    Ok(list.all(&mut db.read().await?).await?)
}
