//! Readings and points as they come in. One transaction carries a whole batch with the points that it feeds, their entries in
//! the queue, and the heartbeat.

use std::collections::HashMap;

use jiff::Timestamp;
use shared::{
    id::{MetricId, PageId},
    look::PostedLooks,
};

use super::{
    ages::RAW,
    heartbeats::{self, Heartbeats},
    metrics,
    series_rows::{find_or_create, series_of},
    undated::{self, Undated},
};
use crate::{
    clock::Host,
    keeper::{
        KeeperClock, KeeperError,
        checks::{results::Ran, tally::Tallies},
        db::{Db, Moment, Query, StorageError, Tx, query},
        looks::Looks,
        notices::Notices,
        outbox::{Outbox, points},
    },
    reading::{
        Field, Mark, Outcome, Reading,
        slots::{AHEAD, SentPoint},
    },
};

/// Records what is measured. Clones share it.
#[derive(Clone, Debug)]
pub struct Recorder {
    pub(in crate::keeper) db: Db,
    pub(super) clock: KeeperClock,
    pub(in crate::keeper) outbox: Outbox,
    pub(super) looks: Looks,
    pub(super) notices: Notices,
    pub(in crate::keeper) tallies: Tallies,
    pub(in crate::keeper) heartbeats: Heartbeats,
}

/// What is known of a series while a batch is stored.
pub(super) struct Series {
    pub(super) id: i64,
    pub(super) feeds: Vec<Feed>,
}

/// A metric of the page that shows readings.
pub(super) struct Feed {
    /// The series of its points.
    points: i64,
    /// What it shows of a reading.
    field: Field,
    /// The metric, where it is relayed.
    relayed: Option<MetricId>,
}

impl Recorder {
    /// For a database that was just opened, on that host.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn new(db: Db, host: Host, outbox: Outbox) -> Result<Self, StorageError> {
        let mut conn = db.read().await?;
        let last_heartbeat = heartbeats::last(&mut conn).await?;
        let undated_boot = undated::first_boot(&mut conn, &host.boot).await?;
        drop(conn);
        let clock = KeeperClock::new(host, last_heartbeat, undated_boot);
        let looks = Looks::load(&db, clock.wall()).await?;
        let (notices, tallies) = (Notices::default(), Tallies::default());
        Ok(Self { db, heartbeats: Heartbeats::new(clock.clone()), clock, outbox, looks, notices, tallies })
    }

    /// With those to write to of what readings say.
    #[must_use]
    pub(in crate::keeper) fn with_notices(self, notices: Notices) -> Self {
        Self { notices, ..self }
    }

    /// Those to write to.
    pub(in crate::keeper) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// For a database that is only read, perhaps one of an earlier version, without looks.
    pub(in crate::keeper) async fn read_only(db: Db, host: Host, outbox: Outbox) -> Self {
        let clock = KeeperClock::new(host, None, None);
        let looks = Looks::load(&db, clock.wall()).await.unwrap_or_default();
        let (notices, tallies) = (Notices::default(), Tallies::default());
        Self { db, heartbeats: Heartbeats::new(clock.clone()), clock, outbox, looks, notices, tallies }
    }

    /// The clock by which readings are judged.
    pub fn clock(&self) -> &KeeperClock {
        &self.clock
    }

    /// What is known of looks: what the disk does not know yet is written with the next reading.
    pub fn looks(&self) -> &Looks {
        &self.looks
    }

    /// Takes a prober's looks, all or none, and how many there were; `None` while the clock cannot be trusted, and nothing is
    /// taken then. They are written with the next reading, and what has turned at once.
    ///
    /// # Errors
    /// When the page or a component is not there, or the time cannot be right.
    pub async fn add_looks(&self, posted: &PostedLooks) -> Result<Option<usize>, KeeperError> {
        let Some(now) = self.clock.now_for_looks() else { return Ok(None) };
        Ok(Some(self.looks.take(&self.db, now, posted).await?))
    }

    /// Stores points of a page's metrics; those of one slot replace each other, the last one stays. All or none.
    ///
    /// # Errors
    /// When a metric is not there, or the storage fails; nothing is stored then.
    pub async fn add_points(&self, page: &PageId, sent: &[(MetricId, Vec<SentPoint>)]) -> Result<(), KeeperError> {
        let mut tx = self.db.begin().await?;
        if self.clock.is_set() {
            self.store_points(&mut tx, page, sent).await?;
        } else {
            for (metric, points) in sent {
                metrics::find(&mut tx, page, metric).await?;
                for point in points {
                    let at = Timestamp::from_second(point.timestamp).unwrap_or_default();
                    let (page, metric, value) = (page.clone(), metric.clone(), point.value);
                    undated::store(&mut tx, self.clock.host(), at, &Undated::Point { page, metric, value }).await?;
                }
            }
        }
        self.commit(tx).await
    }

    /// As [`Recorder::add_readings`], with more that is to be written in one transaction with them:
    /// before them, and after what follows from them.
    pub(in crate::keeper) async fn add_readings_and(
        &self,
        readings: &[Reading],
        also: Vec<Query>,
        then: Vec<Query>,
    ) -> Result<(), KeeperError> {
        let mut tx = self.db.begin().await?;
        for query in also {
            query.execute(&mut tx).await?;
        }
        let mut ran = Vec::new();
        if self.clock.is_set() {
            ran = self.store_readings(&mut tx, readings).await?;
            self.take_checks(&ran);
        } else {
            for reading in readings {
                let what = Undated::Reading(reading.clone());
                undated::store(&mut tx, self.clock.host(), reading.at, &what).await?;
            }
        }
        for query in then {
            query.execute(&mut tx).await?;
        }
        self.commit(tx).await?;
        // What was not written is sent again, and counts then.
        self.tallies.add(&ran);
        Ok(())
    }

    pub(super) async fn store_points(
        &self,
        tx: &mut Tx,
        page: &PageId,
        sent: &[(MetricId, Vec<SentPoint>)],
    ) -> Result<(), KeeperError> {
        for (id, sent) in sent {
            metrics::find(tx, page, id).await?;
            let series = find_or_create(tx, &series_of(id.as_str())).await?;
            let is_relayed = self.outbox.relays() && metrics::is_relayed(tx, id).await?;
            for point in sent {
                save_point(tx, series, point.slot(), point.value).await?;
                if is_relayed {
                    points::enqueue(tx, id, point.slot(), point.value).await?;
                }
            }
        }
        Ok(())
    }

    /// Stores readings with all that follows from them, and returns which checks have run.
    pub(super) async fn store_readings(&self, tx: &mut Tx, readings: &[Reading]) -> Result<Vec<Ran>, KeeperError> {
        let now = self.clock.wall();
        let mut known: HashMap<&str, Series> = HashMap::new();
        for (index, reading) in readings.iter().enumerate() {
            let age = now.duration_since(reading.at);
            // One that is older than single readings are kept would be counted again when it is sent again.
            if age > RAW || -age > AHEAD {
                return Err(KeeperError::Invalid(format!(
                    "readings[{index}].at: {} is not within the last 30 days, because it is {now} here: check the clocks",
                    reading.at
                )));
            }
            let name = reading.metric.as_str();
            if !known.contains_key(name) {
                let series = Series { id: find_or_create(tx, name).await?, feeds: feeds(tx, name).await? };
                known.insert(name, series);
            }
            self.store_reading(tx, &known[name], reading, now).await?;
        }
        for (name, series) in known.iter().filter(|(name, _)| !name.starts_with("check:")) {
            self.notices.learn(tx, name, series.id, now).await?;
        }
        self.store_runs(tx, readings, now).await
    }

    /// Stores a reading and feeds the metrics that show it.
    pub(super) async fn store_reading(
        &self,
        tx: &mut Tx,
        series: &Series,
        reading: &Reading,
        now: Timestamp,
    ) -> Result<(), KeeperError> {
        save(tx, series.id, reading).await?;
        for feed in &series.feeds {
            let point = reading.shown(feed.field).map(|value| SentPoint { timestamp: reading.at.as_second(), value });
            let Some(point) = point.filter(|point| point.in_range(now)) else { continue };
            save_point(tx, feed.points, point.slot(), point.value).await?;
            if let Some(metric) = feed.relayed.as_ref().filter(|_| self.outbox.relays()) {
                points::enqueue(tx, metric, point.slot(), point.value).await?;
            }
        }
        Ok(())
    }

    /// Ends a transaction that brought readings, together with what else there is to write: one write of the disk for all.
    pub(super) async fn commit(&self, mut tx: Tx) -> Result<(), KeeperError> {
        let dequeued = self.outbox.dequeue_delivered(&mut tx).await?;
        let looks = self.looks.save(&mut tx, self.clock.now_for_looks()).await?;
        let has_heartbeat = self.heartbeats.record(&mut tx, looks.carried.as_deref()).await?;
        tx.commit().await?;
        self.looks.forget_saved(&looks);
        self.outbox.forget_delivered(&dequeued);
        if has_heartbeat {
            self.heartbeats.committed();
        }
        self.outbox.wake();
        self.notices.wake_if_queued();
        Ok(())
    }
}

/// The metrics that show readings of that name, and what they show of them.
pub(super) async fn feeds(tx: &mut Tx, name: &str) -> Result<Vec<Feed>, KeeperError> {
    let find = query("SELECT id, field, relayed FROM metrics WHERE reading = ?").bind(name);
    let fed: Vec<(MetricId, String, bool)> = find.all(tx).await?;
    let mut feeds = Vec::new();
    for (id, field, relayed) in fed {
        if let Ok(field) = field.parse() {
            let points = find_or_create(tx, &series_of(id.as_str())).await?;
            feeds.push(Feed { points, field, relayed: relayed.then_some(id) });
        }
    }
    Ok(feeds)
}

async fn save_point(tx: &mut Tx, series: i64, slot: i64, value: f64) -> Result<(), KeeperError> {
    let save = query("INSERT OR REPLACE INTO readings (series_id, at, value) VALUES (?, ?, ?)");
    save.bind(series).bind(slot * 1000).bind(value).execute(tx).await?;
    Ok(())
}

async fn save(tx: &mut Tx, series: i64, reading: &Reading) -> Result<(), KeeperError> {
    let (value, failure, skipped) = match &reading.outcome {
        Outcome::Value(value) => (Some(*value), None, None),
        Outcome::Failure(why) => (None, Some(why), None),
        Outcome::Skipped(why) => (None, None, Some(why)),
    };
    query(
        "INSERT OR REPLACE INTO readings
             (series_id, at, value, failure, skipped, target, method, min, max, jitter, loss, mark)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(series)
    .bind(Moment::new(reading.at))
    .bind(value)
    .bind(failure)
    .bind(skipped)
    .bind(&reading.target)
    .bind(&reading.method)
    .bind(reading.min)
    .bind(reading.max)
    .bind(reading.jitter)
    .bind(reading.loss)
    .bind(reading.mark.map(Mark::as_str))
    .execute(tx)
    .await?;
    Ok(())
}
