//! Gives their time to the readings and points that came before the clock was set.

use std::time::Duration;

use super::{
    Recorder,
    undated::{self, Undated},
};
use crate::{
    keeper::{KeeperError, db::query},
    reading::{Reading, slots::SentPoint},
};

/// What dating came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dated {
    /// How many got their time.
    pub dated: u64,
    /// How many are from before another boot, or were refused: their time cannot be known any more.
    pub lost: u64,
}

impl Recorder {
    /// Dates what came in before the clock was set, if it is set now.
    ///
    /// # Errors
    /// When the storage fails; what is not dated yet stays, for a retry.
    pub async fn date(&self) -> Result<Dated, KeeperError> {
        let mut sum = Dated::default();
        let Some(now) = self.clock.trusted_now() else { return Ok(sum) };
        let count: i64 = query("SELECT EXISTS (SELECT 1 FROM undated)").one(&mut self.db.read().await?).await?;
        if count == 0 {
            return Ok(sum);
        }
        let shown = self.clock.host().shown();
        loop {
            let mut tx = self.db.begin().await?;
            // While they still wait: the silence before them is a gap that ends with the first of them.
            let looks = self.looks.save(&mut tx, self.clock.now_for_looks()).await?;
            self.heartbeats.record(&mut tx, looks.carried.as_deref()).await?;
            let rows = undated::first_rows(&mut tx).await?;
            let mut ran = Vec::new();
            let Some(last) = rows.last().map(|row| row.id) else { return Ok(sum) };
            for row in &rows {
                let dated = match (row.time(&self.clock, &shown), serde_json::from_str(&row.document)) {
                    (Some(at), Ok(Undated::Reading(reading))) => {
                        self.store_readings(&mut tx, &[Reading { at, ..reading }]).await.map(|more| ran.extend(more))
                    }
                    (Some(at), Ok(Undated::Point { page, metric, value })) => {
                        let point = SentPoint { timestamp: at.as_second(), value };
                        if point.in_range(now) {
                            self.store_points(&mut tx, &page, &[(metric, vec![point])]).await
                        } else {
                            Err(KeeperError::Invalid("its time cannot be right".into()))
                        }
                    }
                    _ => Err(KeeperError::Invalid("its time cannot be known any more".into())),
                };
                match dated {
                    Ok(()) => sum.dated += 1,
                    Err(error @ KeeperError::Storage(_)) => return Err(error),
                    Err(_) => sum.lost += 1,
                }
            }
            query("DELETE FROM undated WHERE id <= ?").bind(last).execute(&mut tx).await?;
            self.take_checks(&ran);
            self.commit(tx).await?;
            self.tallies.add(&ran);
        }
    }

    /// Writes a heartbeat where no reading has carried one for a while; returns how long until that may be so again.
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub async fn record_heartbeat(&self) -> Result<Duration, KeeperError> {
        self.heartbeats.record_alone(&self.db, &self.looks).await
    }
}
