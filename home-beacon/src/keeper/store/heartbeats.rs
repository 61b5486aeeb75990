//! When the keeper was alive: in the transaction of the minute's reading, so that it costs the disk nothing of its own.
//! What lies between two heartbeats that are far apart is a gap.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::{FromRow, SqliteConnection};

use super::{
    Moment, Store, StoreError,
    belief::{self, Heartbeat},
};
use crate::clock::Shown;

/// A longer time without a heartbeat is a gap.
const LONGEST: Duration = Duration::from_mins(2);

/// How much time lies between two heartbeats at least, and after how much one is written that no reading carries.
const APART: Duration = Duration::from_secs(30);
const ALONE: Duration = Duration::from_secs(75);

/// How many gaps are remembered.
const MOST: i64 = 1000;

/// A time of which nothing is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow, Serialize)]
pub struct Gap {
    #[sqlx(try_from = "i64")]
    pub began: Moment,
    #[sqlx(try_from = "i64")]
    pub ended: Moment,
    /// Whether the host booted in it: a power cut, or somebody restarted it.
    pub host_booted: bool,
}

impl Store {
    /// Says that the keeper is alive, in somebody's transaction; whether that was worth writing.
    pub(super) async fn beat(&self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        let (Some(now), shown) = (self.time(), self.host.shown()) else { return Ok(false) };
        let last_beat = *self.last_beat();
        if last_beat.is_some_and(|last| shown.uptime.saturating_sub(last) < APART) {
            return Ok(false);
        }
        let before = self.last_heartbeat(&mut *connection).await?;
        if let Some(before) = &before {
            // This process has recorded nothing since its last heartbeat, or the one before it since its own.
            let silent = last_beat.map_or(Duration::MAX, |last| shown.uptime.saturating_sub(last));
            let ended = match last_beat {
                Some(_) => now,
                None => self.was_awake_since(&mut *connection, &shown).await?,
            };
            let long = SignedDuration::try_from(LONGEST).unwrap_or(SignedDuration::MAX);
            if silent > LONGEST && ended.duration_since(before.at) > long {
                let query = "INSERT OR REPLACE INTO gaps (began, ended, host_booted) VALUES (?, ?, ?)";
                let gap = sqlx::query(query).bind(Moment::new(before.at).millis()).bind(Moment::new(ended).millis());
                let restarted = belief::was_restarted(before, &self.host.boot, &shown);
                gap.bind(restarted).execute(&mut *connection).await?;
                let query =
                    "DELETE FROM gaps WHERE began IN (SELECT began FROM gaps ORDER BY began DESC LIMIT -1 OFFSET ?)";
                sqlx::query(query).bind(MOST).execute(&mut *connection).await?;
            }
        }
        let query = match before {
            Some(_) => "UPDATE heartbeat SET at = ?, boot = ?, uptime = ?",
            None => "INSERT INTO heartbeat (at, boot, uptime) VALUES (?, ?, ?)",
        };
        let beat = sqlx::query(query).bind(Moment::new(now).millis()).bind(&self.host.boot);
        beat.bind(shown.uptime_millis()).execute(connection).await?;
        Ok(true)
    }

    /// The heartbeat is on disk.
    pub(super) fn has_beaten(&self) {
        self.trouble.is_over();
        *self.last_beat() = Some(self.host.uptime.now());
    }

    /// Writes a heartbeat where no reading has carried one for a while; how long until that may be so again.
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub async fn beat_alone(&self) -> Result<Duration, StoreError> {
        self.noted(self.try_beat_alone().await)
    }

    async fn try_beat_alone(&self) -> Result<Duration, StoreError> {
        let silent = self.last_beat().map_or(ALONE, |last| self.host.uptime.now().saturating_sub(last));
        if silent < ALONE {
            return Ok(ALONE.saturating_sub(silent));
        }
        let mut change = self.begin_write().await?;
        if self.beat(&mut change).await? {
            change.commit().await?;
            self.has_beaten();
        }
        Ok(ALONE)
    }

    /// When nothing could be recorded, the newest first.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn gaps(&self, since: Option<Moment>, most: u32) -> Result<Vec<Gap>, StoreError> {
        let query = "SELECT began, ended, host_booted FROM gaps WHERE ended > ? ORDER BY began DESC LIMIT ?";
        Ok(sqlx::query_as(query).bind(since.map_or(i64::MIN, Moment::millis)).bind(most).fetch_all(&self.read).await?)
    }

    /// The last heartbeat, of whichever boot.
    pub(super) async fn last_heartbeat(&self, connection: &mut SqliteConnection) -> sqlx::Result<Option<Heartbeat>> {
        let row: Option<(i64, String, Option<i64>)> =
            sqlx::query_as("SELECT at, boot, uptime FROM heartbeat").fetch_optional(connection).await?;
        let Some((at, boot, uptime)) = row else { return Ok(None) };
        let at = Moment::try_from(at).map_err(|error| sqlx::Error::Decode(error.into()))?.timestamp();
        let uptime = uptime.and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis);
        Ok(Some(Heartbeat { at, boot, uptime }))
    }

    /// Since when readings have come, in this process or one before it whose clock was not believed.
    async fn was_awake_since(&self, connection: &mut SqliteConnection, shown: &Shown) -> sqlx::Result<Timestamp> {
        let began = SignedDuration::try_from(self.began.uptime).unwrap_or_default();
        let began = shown.booted().saturating_add(began).unwrap_or(shown.wall);
        let waiting = self.earliest_undated(connection, shown).await?;
        Ok(waiting.map_or(began, |waiting| waiting.min(began)))
    }
}
