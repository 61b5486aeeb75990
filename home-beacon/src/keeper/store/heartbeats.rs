//! When the keeper was alive: in the transaction of the minute's reading, so that it costs the disk nothing of its own.
//! What lies between two heartbeats that are far apart is a gap.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::{FromRow, SqliteConnection};

use super::{Moment, Store, StoreError};

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
        let (Some(now), uptime) = (self.time(), self.host.uptime.now()) else { return Ok(false) };
        let last_beat = *self.last_beat();
        if last_beat.is_some_and(|last| uptime.saturating_sub(last) < APART) {
            return Ok(false);
        }
        let before: Option<(i64, String)> =
            sqlx::query_as("SELECT at, boot FROM heartbeat").fetch_optional(&mut *connection).await?;
        if let Some((began, boot)) = before {
            // This process has recorded nothing since its last heartbeat, or the one before it since its own.
            let silent = last_beat.map_or(Duration::MAX, |last| uptime.saturating_sub(last));
            let ended = last_beat.map_or_else(|| self.started(now, uptime), |_| now);
            let began = Moment::try_from(began).map_err(|error| sqlx::Error::Decode(error.into()))?;
            let long = SignedDuration::try_from(LONGEST).unwrap_or(SignedDuration::MAX);
            if silent > LONGEST && ended.duration_since(began.timestamp()) > long {
                let query = "INSERT OR REPLACE INTO gaps (began, ended, host_booted) VALUES (?, ?, ?)";
                let gap = sqlx::query(query).bind(began.millis()).bind(Moment::new(ended).millis());
                gap.bind(self.has_booted(&boot, began.timestamp(), now, uptime)).execute(&mut *connection).await?;
                let query =
                    "DELETE FROM gaps WHERE began IN (SELECT began FROM gaps ORDER BY began DESC LIMIT -1 OFFSET ?)";
                sqlx::query(query).bind(MOST).execute(&mut *connection).await?;
            }
            let query = "UPDATE heartbeat SET at = ?, boot = ?";
            let beat = sqlx::query(query).bind(Moment::new(now).millis()).bind(&self.host.boot);
            beat.execute(connection).await?;
        } else {
            let query = "INSERT INTO heartbeat (at, boot) VALUES (?, ?)";
            let beat = sqlx::query(query).bind(Moment::new(now).millis()).bind(&self.host.boot);
            beat.execute(connection).await?;
        }
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

    /// The last heartbeat, where it is of another boot.
    pub(super) async fn alive_in_another_boot(&self) -> sqlx::Result<Option<Timestamp>> {
        let query = sqlx::query_scalar("SELECT at FROM heartbeat WHERE boot <> ?").bind(&self.host.boot);
        let at: Option<i64> = query.fetch_optional(&self.read).await?;
        Ok(at.and_then(|at| Moment::try_from(at).ok()).map(Moment::timestamp))
    }

    /// Whether the host has booted since it was in that boot, at that time.
    fn has_booted(&self, boot: &str, since: Timestamp, now: Timestamp, uptime: Duration) -> bool {
        if self.host.boot.is_empty() {
            return now.duration_since(since).unsigned_abs() > uptime;
        }
        boot != self.host.boot
    }

    /// When this process began, by the clock on the wall as it is now.
    fn started(&self, now: Timestamp, uptime: Duration) -> Timestamp {
        now.checked_sub(uptime.saturating_sub(self.began)).unwrap_or(now)
    }
}
