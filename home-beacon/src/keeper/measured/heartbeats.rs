//! When the keeper was alive: in the transaction of the minute's reading, so that it costs the disk nothing of its own.
//! What lies between two heartbeats that are far apart is a gap.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::undated;
use crate::{
    clock::Shown,
    keeper::{
        KeeperClock, KeeperError,
        clock::{Heartbeat, was_restarted},
        db::{Conn, Db, FromRow, Moment, Row, StorageError, Tx, query},
        looks::Looks,
    },
};

/// A longer time without a heartbeat is a gap.
const MAX_SILENCE: Duration = Duration::from_mins(2);

/// The least time between two heartbeats, and the time after which one is written that no reading carries.
const MIN_INTERVAL: Duration = Duration::from_secs(30);
const OWN_WRITE_AFTER: Duration = Duration::from_secs(75);

/// How many gaps are kept.
pub(in crate::keeper) const MAX_GAPS: u32 = 1000;

/// A time in which nothing was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The last heartbeat before it.
    pub began: Moment,
    /// When something was recorded again.
    pub ended: Moment,
    /// Whether the host booted in it: a power cut, or a restart by hand.
    pub host_booted: bool,
}

/// Records that this process is alive. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::keeper) struct Heartbeats {
    clock: KeeperClock,
    /// The host's uptime at the last heartbeat of this process that is on disk.
    last: Arc<Mutex<Option<Duration>>>,
}

impl Heartbeats {
    pub(super) fn new(clock: KeeperClock) -> Self {
        Self { clock, last: Arc::default() }
    }

    /// Writes a heartbeat in a transaction of the caller's, unless the last one is recent, and with it what is carried of looks;
    /// whether it did.
    pub(super) async fn record(&self, tx: &mut Tx, carried: Option<&str>) -> Result<bool, KeeperError> {
        let host = self.clock.host();
        let (Some(now), shown) = (self.clock.trusted_now(), host.shown()) else { return Ok(false) };
        let last = self.last();
        if last.is_some_and(|last| shown.uptime.saturating_sub(last) < MIN_INTERVAL) {
            return Ok(false);
        }
        let before = self::last(tx).await?;
        if let Some(before) = &before {
            self.record_gap(tx, before, last, now, &shown).await?;
        }
        let write = match before {
            Some(_) => query("UPDATE heartbeat SET at = ?, boot = ?, uptime = ?, looks = ?"),
            None => query("INSERT INTO heartbeat (at, boot, uptime, looks) VALUES (?, ?, ?, ?)"),
        };
        write.bind(Moment::new(now)).bind(&host.boot).bind(shown.uptime_millis()).bind(carried).execute(tx).await?;
        Ok(true)
    }

    /// Writes the gap that ends now, if one does.
    async fn record_gap(
        &self,
        tx: &mut Tx,
        before: &Heartbeat,
        last: Option<Duration>,
        now: Timestamp,
        shown: &Shown,
    ) -> Result<(), KeeperError> {
        // This process has recorded nothing since its last heartbeat, or the one before it since its own.
        let silence = last.map_or(Duration::MAX, |last| shown.uptime.saturating_sub(last));
        let ended = if last.is_some() { now } else { self.awake_since(tx, shown).await? };
        let was_restarted = was_restarted(before, &self.clock.host().boot, shown);
        // That the host was started says more than the length does.
        let allowed = if was_restarted { OWN_WRITE_AFTER } else { MAX_SILENCE };
        let longest = SignedDuration::try_from(allowed).unwrap_or(SignedDuration::MAX);
        if silence <= allowed || ended.duration_since(before.at) <= longest {
            return Ok(());
        }
        query("INSERT OR REPLACE INTO gaps (began, ended, host_booted) VALUES (?, ?, ?)")
            .bind(Moment::new(before.at))
            .bind(Moment::new(ended))
            .bind(was_restarted)
            .execute(tx)
            .await?;
        let bound = "DELETE FROM gaps WHERE began IN (SELECT began FROM gaps ORDER BY began DESC LIMIT -1 OFFSET ?)";
        query(bound).bind(MAX_GAPS).execute(tx).await?;
        Ok(())
    }

    /// The heartbeat is on disk.
    pub(super) fn committed(&self) {
        *self.lock() = Some(self.clock.host().uptime.now());
    }

    /// The host's uptime at the last one that is on disk.
    pub(in crate::keeper) fn last(&self) -> Option<Duration> {
        *self.lock()
    }

    /// Writes a heartbeat where no reading has carried one for a while; returns how long until that may be so again.
    pub(super) async fn record_alone(&self, db: &Db, looks: &Looks) -> Result<Duration, KeeperError> {
        let uptime = self.clock.host().uptime.now();
        let silence = self.last().map_or(OWN_WRITE_AFTER, |last| uptime.saturating_sub(last));
        if silence < OWN_WRITE_AFTER {
            return Ok(OWN_WRITE_AFTER.saturating_sub(silence));
        }
        let mut tx = db.begin().await?;
        let saved = looks.save(&mut tx, self.clock.now_for_looks()).await?;
        if self.record(&mut tx, saved.carried.as_deref()).await? {
            tx.commit().await?;
            looks.forget_saved(&saved);
            self.committed();
        }
        Ok(OWN_WRITE_AFTER)
    }

    /// Since when readings have come, in this process or one before it whose clock was not trusted.
    async fn awake_since(&self, tx: &mut Tx, shown: &Shown) -> Result<Timestamp, KeeperError> {
        let began = SignedDuration::try_from(self.clock.began().uptime).unwrap_or_default();
        let began = shown.booted().saturating_add(began).unwrap_or(shown.wall);
        let waiting = undated::earliest(tx, &self.clock, shown).await?;
        Ok(waiting.map_or(began, |waiting| waiting.min(began)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Duration>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The times in which nothing was recorded, the newest first.
///
/// # Errors
/// When the storage fails.
pub async fn gaps(db: &Db, since: Option<Moment>, max: u32) -> Result<Vec<Gap>, KeeperError> {
    let list = query("SELECT began, ended, host_booted FROM gaps WHERE ended > ? ORDER BY began DESC LIMIT ?");
    let list = list.bind(since.map_or(i64::MIN, Moment::millis)).bind(max);
    Ok(list.all(&mut db.read().await?).await?)
}

/// When the keeper last recorded that it was alive.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn last_at(db: &Db) -> Result<Option<Moment>, KeeperError> {
    Ok(query("SELECT at FROM heartbeat").optional(&mut db.read().await?).await?)
}

/// The last heartbeat on disk, of whichever process and boot.
pub(super) async fn last(conn: &mut Conn) -> Result<Option<Heartbeat>, StorageError> {
    query("SELECT at, boot, uptime FROM heartbeat").optional(conn).await
}

impl FromRow for Heartbeat {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let uptime: Option<i64> = row.get("uptime")?;
        let uptime = uptime.and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis);
        Ok(Self { at: row.get("at")?, boot: row.get("boot")?, uptime })
    }
}

impl FromRow for Gap {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { began: row.get("began")?, ended: row.get("ended")?, host_booted: row.get("host_booted")? })
    }
}
