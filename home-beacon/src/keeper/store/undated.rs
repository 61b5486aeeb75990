//! What comes in before the clock is believed. A Pi has no battery for its clock, so after a power cut the jobs stamp what
//! they measure with a time long past. It is kept by the host's uptime, and dated once the clock is set.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::id::{MetricId, PageId};
use sqlx::{FromRow, SqliteConnection};

use super::{Moment, SentPoint, Store, StoreError, belief};
use crate::{clock::Shown, reading::Reading};

/// How much is kept undated: a month of a reading a minute. Beyond that the oldest goes.
const MOST: i64 = 50_000;

/// How much is dated in one transaction.
const AT_ONCE: i64 = 500;

/// A stamp of the same clock is not older than a job may have taken to hand it over, and hardly ahead: who is ahead of a clock
/// that is behind has another one.
const AGREES: SignedDuration = SignedDuration::from_hours(1);
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// Something whose time is not known yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Undated {
    Reading(Reading),
    Point { page: PageId, metric: MetricId, value: f64 },
}

/// What dating came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dated {
    pub dated: u64,
    /// From before another boot, or refused: when they were cannot be known any more.
    pub lost: u64,
}

impl Store {
    /// Keeps something that was stamped `at` by a clock that is as wrong as ours. One whose stamp can be right, because it
    /// comes from a host whose clock is set, keeps that.
    pub(super) async fn keep_undated(
        &self,
        connection: &mut SqliteConnection,
        at: Timestamp,
        what: &Undated,
    ) -> Result<(), StoreError> {
        let document = serde_json::to_string(what).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let shown = self.host.shown();
        let age = shown.wall.duration_since(at);
        let uptime = SignedDuration::try_from(shown.uptime).unwrap_or_default();
        let after = i64::try_from((uptime - age).as_millis()).unwrap_or_default();
        // Who agrees with our clock has the same wrong one. Another time that can be right needs no boot to count from.
        let agrees = -AHEAD < age && age < AGREES;
        let (boot, after) = if agrees || at < self.host.built {
            (self.host.boot.as_str(), after)
        } else {
            (ITS_OWN, at.as_millisecond())
        };
        let query = "INSERT INTO undated (boot, after, booted, document) VALUES (?, ?, ?, ?)";
        let kept = sqlx::query(query).bind(boot).bind(after).bind(shown.booted().as_millisecond()).bind(document);
        kept.execute(&mut *connection).await?;
        let query = "DELETE FROM undated WHERE id <= (SELECT MAX(id) FROM undated) - ?";
        sqlx::query(query).bind(MOST).execute(connection).await?;
        Ok(())
    }

    /// Dates what came in before the clock was set, if it is set now.
    ///
    /// # Errors
    /// When the storage is in trouble; what is not dated yet stays.
    pub async fn date(&self) -> Result<Dated, StoreError> {
        let mut sum = Dated::default();
        let Some(now) = self.time() else { return Ok(sum) };
        let there: i64 = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM undated)").fetch_one(&self.read).await?;
        if there == 0 {
            return Ok(sum);
        }
        let shown = self.host.shown();
        loop {
            let mut change = self.begin_write().await?;
            // While they still wait: the silence before them is a gap that ends with the first of them.
            self.beat(&mut change).await?;
            let rows = waiting(&mut change).await?;
            let Some(last) = rows.last().map(|row| row.id) else { return Ok(sum) };
            for row in &rows {
                let dated = match (self.dated(row, &shown), serde_json::from_str(&row.document)) {
                    (Some(at), Ok(Undated::Reading(reading))) => {
                        self.store_readings(&mut change, &[Reading { at, ..reading }]).await
                    }
                    (Some(at), Ok(Undated::Point { page, metric, value })) => {
                        let point = SentPoint { timestamp: at.as_second(), value };
                        if point.in_range(now) {
                            self.store_points(&mut change, &page, &[(metric, vec![point])]).await
                        } else {
                            Err(StoreError::Contradiction("its time cannot be right".into()))
                        }
                    }
                    _ => Err(StoreError::Contradiction("its time cannot be known any more".into())),
                };
                match dated {
                    Ok(()) => sum.dated += 1,
                    Err(error @ StoreError::Storage(_)) => return Err(error),
                    Err(_) => sum.lost += 1,
                }
            }
            sqlx::query("DELETE FROM undated WHERE id <= ?").bind(last).execute(&mut *change).await?;
            self.commit_readings(change).await?;
        }
    }

    /// When the first of what waits came, as far as that can be known.
    pub(super) async fn earliest_undated(
        &self,
        connection: &mut SqliteConnection,
        shown: &Shown,
    ) -> sqlx::Result<Option<Timestamp>> {
        let rows = waiting(connection).await?;
        let ours = rows.iter().filter(|row| row.boot != ITS_OWN);
        Ok(ours.filter_map(|row| self.dated(row, shown)).min())
    }

    /// Whether the clock was stepped since the first of what waits in this boot came.
    pub(super) async fn stepped_since_undated(&self) -> sqlx::Result<bool> {
        let query =
            "SELECT booted FROM undated WHERE boot = ? AND boot <> '' AND booted IS NOT NULL ORDER BY id LIMIT 1";
        let booted: Option<i64> = sqlx::query_scalar(query).bind(&self.host.boot).fetch_optional(&self.read).await?;
        let booted = booted.and_then(|booted| Timestamp::from_millisecond(booted).ok());
        Ok(booted.is_some_and(|booted| belief::was_stepped(booted, self.began.booted())))
    }

    /// When that was, by clocks that show this; `None` where nobody can know it any more.
    fn dated(&self, row: &Waiting, shown: &Shown) -> Option<Timestamp> {
        if row.boot == ITS_OWN {
            return Moment::try_from(row.after).ok().map(Moment::timestamp);
        }
        let is_this_boot = !self.host.boot.is_empty() && row.boot == self.host.boot;
        // A container that is started anew has another boot, and the boot clock of its host: that one has run on since, and
        // the clock on the wall with it, unless somebody has set it meanwhile.
        let ran_on = row.after <= self.began.uptime_millis();
        let booted = row.booted.and_then(|booted| Timestamp::from_millisecond(booted).ok());
        let with_it = booted.is_some_and(|booted| belief::is_near(booted, self.began.booted()));
        let is_known = is_this_boot || (ran_on && (with_it || self.began_believed));
        is_known.then(|| shown.booted().checked_add(SignedDuration::from_millis(row.after)).ok()).flatten()
    }
}

/// In the place of a boot: the time is its own.
const ITS_OWN: &str = "wall";

#[derive(FromRow)]
struct Waiting {
    id: i64,
    boot: String,
    /// Milliseconds since that boot, or since 1970.
    after: i64,
    /// When the host booted, in milliseconds since 1970, by its clock as it was.
    booted: Option<i64>,
    document: String,
}

/// What waits, the first of it.
async fn waiting(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Waiting>> {
    let query = "SELECT id, boot, after, booted, document FROM undated ORDER BY id LIMIT ?";
    sqlx::query_as(query).bind(AT_ONCE).fetch_all(connection).await
}
