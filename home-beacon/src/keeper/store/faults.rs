//! Write errors, injected: what one transaction carries is there in whole or not at all, and the next one is whole again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use tokio::time::sleep;

use super::{Moment, QueuedPoint, Span, Store, StoreError};
use crate::{
    clock::Host,
    keeper::seed::Seed,
    reading::{Outcome, Reading},
};

const SEED: &str = r#"
[page]
id = "gytm4qzbx9t6"
name = "My home"

[[metrics]]
id = "hx2mq81kpw0d"
name = "Latency"
reading = "ping"
relay = true
"#;

/// What stops the write.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The row that queues a point for upstream.
    Queue,
    /// The row that says that the keeper is alive.
    Heartbeat,
    /// The row that takes off the queue what was delivered.
    TakingOff,
    /// The disk, once everything else is done.
    Commit,
    /// The disk, as soon as the file would grow.
    Room,
}

const FAULTS: [Fault; 5] = [Fault::Queue, Fault::Heartbeat, Fault::TakingOff, Fault::Commit, Fault::Room];

impl Fault {
    async fn begin(self, store: &Store) {
        let mut connection = store.write.acquire().await.unwrap();
        let when = match self {
            Self::Queue => "INSERT ON main.relay_points",
            Self::Heartbeat => "INSERT ON main.heartbeat",
            Self::TakingOff => "DELETE ON main.relay_points",
            Self::Commit => {
                connection.lock_handle().await.unwrap().set_commit_hook(|| false);
                return;
            }
            Self::Room => {
                let pages: i64 = one(&mut connection, "PRAGMA page_count").await;
                let _: i64 = one(&mut connection, &format!("PRAGMA max_page_count = {pages}")).await;
                return;
            }
        };
        let trigger = format!("CREATE TEMP TRIGGER fault BEFORE {when} BEGIN SELECT RAISE(ABORT, 'the disk'); END");
        sqlx::query(sqlx::AssertSqlSafe(trigger)).execute(&mut *connection).await.unwrap();
    }

    /// The connection may be another one by now, which has none.
    async fn end(store: &Store) {
        let mut connection = store.write.acquire().await.unwrap();
        sqlx::query("DROP TRIGGER IF EXISTS temp.fault").execute(&mut *connection).await.unwrap();
        let _: i64 = one(&mut connection, "PRAGMA max_page_count = 1000000").await;
        connection.lock_handle().await.unwrap().remove_commit_hook();
    }
}

async fn one(connection: &mut SqliteConnection, query: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned())).fetch_one(connection).await.unwrap()
}

struct Kept {
    store: Store,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let store = Store::open(&url, Host::system()).await.unwrap().relaying();
        let seed: Seed = toml::from_str(SEED).unwrap();
        store.seed(&seed).await.unwrap();
        Self { store, now: Timestamp::now(), _folder: folder }
    }

    /// A reading from so many minutes ago.
    async fn add(&self, minutes: i64) -> Result<(), StoreError> {
        self.store.add_readings(&[self.reading(minutes)]).await
    }

    fn reading(&self, minutes: i64) -> Reading {
        let at = self.now - SignedDuration::from_mins(minutes);
        Reading::new("ping".parse().unwrap(), at, Outcome::Value(12.5))
    }

    /// How many readings there are, as others see it.
    async fn readings(&self) -> i64 {
        let from = Moment::new(self.now - SignedDuration::from_hours(48));
        let to = Moment::new(self.now + SignedDuration::from_hours(1));
        let span = Span { from, to, step: SignedDuration::from_hours(100) };
        match self.store.series("ping", span).await {
            Ok(buckets) => buckets.iter().map(|bucket| bucket.measured).sum(),
            Err(StoreError::NotFound(_)) => 0,
            Err(error) => panic!("{error}"),
        }
    }

    /// What waits on the disk.
    async fn queued(&self) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM relay_points").fetch_one(&self.store.read).await.unwrap()
    }

    async fn heartbeats(&self) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM heartbeat").fetch_one(&self.store.read).await.unwrap()
    }

    async fn waiting(&self) -> Vec<QueuedPoint> {
        self.store.waiting(Timestamp::now(), &[], 10_000).await.unwrap()
    }
}

#[tokio::test]
async fn reading_queue_entry_and_heartbeat_are_there_in_whole_or_not_at_all() {
    for fault in FAULTS {
        if matches!(fault, Fault::TakingOff) {
            continue;
        }
        let kept = Kept::new().await;
        fault.begin(&kept.store).await;
        // Many, so that the file would have to grow.
        let many: Vec<_> = (0..500).map(|minutes| kept.reading(minutes)).collect();
        let error = kept.store.add_readings(&many).await.unwrap_err();
        assert!(matches!(error, StoreError::Storage(_)), "{fault:?}: {error}");
        assert!(kept.store.trouble().await.is_some(), "{fault:?}");
        assert_eq!((kept.readings().await, kept.queued().await, kept.heartbeats().await), (0, 0, 0), "{fault:?}");
        assert_eq!(*kept.store.last_beat(), None, "{fault:?}");

        Fault::end(&kept.store).await;
        kept.store.add_readings(&many).await.unwrap();
        assert_eq!(kept.store.trouble().await, None, "{fault:?}");
        assert_eq!((kept.readings().await, kept.heartbeats().await), (500, 1), "{fault:?}");
        assert!(kept.queued().await > 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_delivery_is_not_forgotten_when_the_write_that_carries_it_fails() {
    for fault in [Fault::TakingOff, Fault::Commit] {
        let kept = Kept::new().await;
        kept.add(5).await.unwrap();
        kept.add(4).await.unwrap();
        let waiting = kept.waiting().await;
        assert_eq!(waiting.len(), 2);
        fault.begin(&kept.store).await;
        kept.store.delivered(waiting).await.unwrap();
        kept.add(3).await.unwrap_err();
        Fault::end(&kept.store).await;
        fault.begin(&kept.store).await;
        kept.store.settle().await.unwrap_err();
        assert_eq!(kept.queued().await, 2, "{fault:?}");
        // Upstream has them, so they are not sent again.
        assert!(kept.waiting().await.is_empty(), "{fault:?}");
        assert!(kept.store.delivered_since().is_some(), "{fault:?}");

        Fault::end(&kept.store).await;
        kept.add(3).await.unwrap();
        assert_eq!(kept.queued().await, 1, "{fault:?}");
        assert_eq!(kept.waiting().await.len(), 1, "{fault:?}");
        assert_eq!(kept.store.delivered_since(), None, "{fault:?}");
    }
}

/// Where a commit fails, SQLite takes everything back at once; who does not know that may take the next transactions for
/// parts of one that never ends.
#[tokio::test]
async fn what_is_acknowledged_after_a_commit_failed_is_on_disk() {
    let kept = Kept::new().await;
    for minutes in 0..3 {
        Fault::Commit.begin(&kept.store).await;
        kept.add(minutes).await.unwrap_err();
    }
    Fault::end(&kept.store).await;
    // It is refused for what it says, and taken back.
    kept.add(-600).await.unwrap_err();
    for minutes in 10..20 {
        kept.add(minutes).await.unwrap();
    }
    assert_eq!(kept.readings().await, 10);
}

#[tokio::test]
async fn a_disk_that_has_recovered_is_noticed_without_a_writer() {
    let kept = Kept::new().await;
    kept.add(5).await.unwrap();
    Fault::Queue.begin(&kept.store).await;
    kept.add(1).await.unwrap_err();
    Fault::end(&kept.store).await;
    // What writes nothing proves nothing.
    kept.store.add_readings(&[]).await.unwrap();
    kept.store.beat_alone().await.unwrap();
    assert!(kept.store.trouble().await.is_some());
    let pause = Duration::from_millis(10);
    let noticed = async {
        while kept.store.trouble().await.is_some() {
            sleep(pause).await;
        }
    };
    tokio::select! {
        () = kept.store.recover(pause) => (),
        () = noticed => (),
    }
}
