//! What comes in before the clock is set. A Pi has no battery for its clock, so after a power cut the jobs stamp what they
//! measure with a time long past. It is kept by the host's uptime, and dated once the clock is set.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::id::{MetricId, PageId};
use sqlx::SqliteConnection;

use super::{Moment, SentPoint, Store, StoreError};
use crate::reading::Reading;

/// How much is kept undated: a month of a reading a minute. Beyond that the oldest goes.
const MOST: i64 = 50_000;

/// How much is dated in one transaction.
const AT_ONCE: i64 = 500;

/// A stamp of the same clock is not older than a job may have taken to hand it over.
const AGREES: SignedDuration = SignedDuration::from_hours(1);

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
        let age = self.host.wall.now().duration_since(at);
        let uptime = SignedDuration::try_from(self.host.uptime.now()).unwrap_or_default();
        let after = i64::try_from((uptime - age).as_millis()).unwrap_or_default();
        // Who agrees with our clock has the same wrong one. Another time that can be right needs no boot to count from.
        let agrees = age.abs() < AGREES;
        let (boot, after) = if agrees || at < self.host.built {
            (self.host.boot.as_str(), after)
        } else {
            (ITS_OWN, at.as_millisecond())
        };
        let query = "INSERT INTO undated (boot, after, document) VALUES (?, ?, ?)";
        sqlx::query(query).bind(boot).bind(after).bind(document).execute(&mut *connection).await?;
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
        let booted = now.checked_sub(self.host.uptime.now()).unwrap_or(now);
        loop {
            let mut change = self.begin_write().await?;
            let rows: Vec<(i64, String, i64, String)> =
                sqlx::query_as("SELECT id, boot, after, document FROM undated ORDER BY id LIMIT ?")
                    .bind(AT_ONCE)
                    .fetch_all(&mut *change)
                    .await?;
            let Some(last) = rows.last().map(|row| row.0) else { return Ok(sum) };
            for (_, boot, after, document) in &rows {
                let at = match boot.as_str() {
                    ITS_OWN => Moment::try_from(*after).ok().map(Moment::timestamp),
                    // Where the system tells no boots apart, nobody can know that it was this one.
                    boot if boot == self.host.boot && !boot.is_empty() => {
                        booted.checked_add(SignedDuration::from_millis(*after)).ok()
                    }
                    _ => None,
                };
                let dated = match (at, serde_json::from_str(document)) {
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
}

/// In the place of a boot: the time is its own.
const ITS_OWN: &str = "wall";
