//! What comes in before the clock is trusted. A Pi has no battery for its clock, so after a power cut the jobs stamp what they
//! measure with a time long past. It is stored by the host's uptime, and gets its time once the clock is set.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::id::{MetricId, PageId};

use crate::{
    clock::{Host, Shown},
    keeper::{
        KeeperClock, KeeperError,
        clock::is_near,
        db::{Conn, FromRow, Moment, Row, StorageError, Tx, query},
    },
    reading::Reading,
};

/// How much is stored undated: a month of a reading a minute. Beyond that the oldest is deleted.
const MAX_UNDATED: i64 = 50_000;

/// How much is dated in one transaction.
const BATCH: i64 = 500;

/// A stamp of the same clock is not older than a job may have taken to hand it over, and hardly ahead: one that is ahead of a
/// clock that is behind comes from another clock.
const AGREES: SignedDuration = SignedDuration::from_hours(1);
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// In the place of a boot: the time is its own.
const ITS_OWN: &str = "wall";

/// Something whose time is not known yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Undated {
    Reading(Reading),
    Point { page: PageId, metric: MetricId, value: f64 },
}

/// A row of what waits.
pub(super) struct UndatedRow {
    pub(super) id: i64,
    boot: String,
    /// Milliseconds since that boot, or since 1970.
    after: i64,
    /// When the host booted, in milliseconds since 1970, by its clock as it was.
    booted: Option<i64>,
    pub(super) document: String,
}

/// Stores something that was stamped `at` by a clock that is as wrong as this host's. A stamp that can be right, because it
/// comes from a host whose clock is set, is kept.
pub(super) async fn store(tx: &mut Tx, host: &Host, at: Timestamp, what: &Undated) -> Result<(), KeeperError> {
    let document = serde_json::to_string(what).map_err(|error| KeeperError::Invalid(error.to_string()))?;
    let shown = host.shown();
    let age = shown.wall.duration_since(at);
    let uptime = SignedDuration::try_from(shown.uptime).unwrap_or_default();
    let after = i64::try_from((uptime - age).as_millis()).unwrap_or_default();
    // A stamp that agrees with this clock comes from the same wrong one. Another one that can be right needs no boot to
    // count from.
    let agrees = -AHEAD < age && age < AGREES;
    let (boot, after) =
        if agrees || at < host.built { (host.boot.as_str(), after) } else { (ITS_OWN, at.as_millisecond()) };
    query("INSERT INTO undated (boot, after, booted, document) VALUES (?, ?, ?, ?)")
        .bind(boot)
        .bind(after)
        .bind(shown.booted().as_millisecond())
        .bind(document)
        .execute(tx)
        .await?;
    query("DELETE FROM undated WHERE id <= (SELECT MAX(id) FROM undated) - ?").bind(MAX_UNDATED).execute(tx).await?;
    Ok(())
}

/// The first rows that wait.
pub(super) async fn first_rows(conn: &mut Conn) -> Result<Vec<UndatedRow>, StorageError> {
    query("SELECT id, boot, after, booted, document FROM undated ORDER BY id LIMIT ?").bind(BATCH).all(conn).await
}

/// When the first of what waits came, as far as that can be known.
pub(super) async fn earliest(
    conn: &mut Conn,
    clock: &KeeperClock,
    shown: &Shown,
) -> Result<Option<Timestamp>, StorageError> {
    let rows = first_rows(conn).await?;
    let ours = rows.iter().filter(|row| row.boot != ITS_OWN);
    Ok(ours.filter_map(|row| row.time(clock, shown)).min())
}

/// When the host booted, by its clock as it was when the first of what waits in this boot came.
pub(super) async fn first_boot(conn: &mut Conn, boot: &str) -> Result<Option<Timestamp>, StorageError> {
    let find = "SELECT booted FROM undated WHERE boot = ? AND boot <> '' AND booted IS NOT NULL ORDER BY id LIMIT 1";
    query(find).bind(boot).optional(conn).await
}

impl UndatedRow {
    /// When that was, by clocks that show this; `None` where it cannot be known any more.
    pub(super) fn time(&self, clock: &KeeperClock, shown: &Shown) -> Option<Timestamp> {
        if self.boot == ITS_OWN {
            return Moment::try_from(self.after).ok().map(Moment::timestamp);
        }
        let host = clock.host();
        let is_this_boot = !host.boot.is_empty() && self.boot == host.boot;
        // A container that is started anew has another boot id, and the boot clock of its host: that one has run on since,
        // and the clock on the wall with it, unless it was set meanwhile.
        let ran_on = self.after <= clock.began().uptime_millis();
        let booted = self.booted.and_then(|booted| Timestamp::from_millisecond(booted).ok());
        let with_it = booted.is_some_and(|booted| is_near(booted, clock.began().booted()));
        let is_known = is_this_boot || (ran_on && (with_it || clock.began_plausible()));
        is_known.then(|| shown.booted().checked_add(SignedDuration::from_millis(self.after)).ok()).flatten()
    }
}

impl FromRow for UndatedRow {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            boot: row.get("boot")?,
            after: row.get("after")?,
            booted: row.get("booted")?,
            document: row.get("document")?,
        })
    }
}
