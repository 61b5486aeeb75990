//! Write errors, injected: what one transaction carries is there in whole or not at all, and the next one is whole again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::{id::PageId, statuspage::IncidentStatus};
use tokio::time::sleep;

use super::{
    KeeperError,
    db::{Db, Moment, query, write_fault::WriteFault},
    measured::{
        Recorder,
        series::{Span, buckets},
    },
    outbox::{Outbox, QueuedPoint},
    seed::{self, Seed},
    status::{
        IncidentPatch,
        components::{self, ComponentPatch, NewComponent},
        groups::{self, GroupPatch},
        incidents::{self, NewIncident},
        postmortems,
    },
};
use crate::{
    clock::Host,
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

const FAULTS: [WriteFault; 5] =
    [WriteFault::QueueRow, WriteFault::HeartbeatRow, WriteFault::Dequeue, WriteFault::Commit, WriteFault::Growth];

struct Kept {
    db: Db,
    recorder: Recorder,
    outbox: Outbox,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let db = Db::open(&url).await.unwrap();
        let outbox = Outbox::new(db.clone(), true);
        let recorder = Recorder::new(db.clone(), Host::system(), outbox.clone()).await.unwrap();
        let seed: Seed = toml::from_str(SEED).unwrap();
        seed::apply(&db, Moment::new(Timestamp::now()), &seed).await.unwrap();
        Self { db, recorder, outbox, now: Timestamp::now(), _folder: folder }
    }

    /// A reading from so many minutes ago.
    async fn add(&self, minutes: i64) -> Result<(), KeeperError> {
        self.recorder.add_readings(&[self.reading(minutes)]).await
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
        match buckets(&self.db, "ping", span).await {
            Ok(buckets) => buckets.iter().map(|bucket| bucket.measured).sum(),
            Err(KeeperError::NotFound(_)) => 0,
            Err(error) => panic!("{error}"),
        }
    }

    /// What waits on the disk.
    async fn queued(&self) -> i64 {
        query("SELECT COUNT(*) FROM relay_points").one(&mut self.db.read().await.unwrap()).await.unwrap()
    }

    async fn heartbeats(&self) -> i64 {
        query("SELECT COUNT(*) FROM heartbeat").one(&mut self.db.read().await.unwrap()).await.unwrap()
    }

    async fn waiting(&self) -> Vec<QueuedPoint> {
        self.outbox.pending(Timestamp::now(), &[], 10_000).await.unwrap()
    }
}

#[tokio::test]
async fn reading_queue_entry_and_heartbeat_are_there_in_whole_or_not_at_all() {
    for fault in FAULTS {
        if matches!(fault, WriteFault::Dequeue) {
            continue;
        }
        let kept = Kept::new().await;
        fault.begin(&kept.db).await;
        // Many, so that the file would have to grow.
        let many: Vec<_> = (0..500).map(|minutes| kept.reading(minutes)).collect();
        let error = kept.recorder.add_readings(&many).await.unwrap_err();
        assert!(matches!(error, KeeperError::Storage(_)), "{fault:?}: {error}");
        assert!(kept.db.failure().await.is_some(), "{fault:?}");
        assert_eq!((kept.readings().await, kept.queued().await, kept.heartbeats().await), (0, 0, 0), "{fault:?}");
        assert_eq!(kept.recorder.heartbeats.last(), None, "{fault:?}");

        WriteFault::end(&kept.db).await;
        kept.recorder.add_readings(&many).await.unwrap();
        assert_eq!(kept.db.failure().await, None, "{fault:?}");
        assert_eq!((kept.readings().await, kept.heartbeats().await), (500, 1), "{fault:?}");
        assert!(kept.queued().await > 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_delivery_is_not_forgotten_when_the_write_that_carries_it_fails() {
    for fault in [WriteFault::Dequeue, WriteFault::Commit] {
        let kept = Kept::new().await;
        kept.add(5).await.unwrap();
        kept.add(4).await.unwrap();
        let waiting = kept.waiting().await;
        assert_eq!(waiting.len(), 2);
        fault.begin(&kept.db).await;
        kept.outbox.mark_delivered(waiting, Duration::ZERO).await.unwrap();
        kept.add(3).await.unwrap_err();
        WriteFault::end(&kept.db).await;
        fault.begin(&kept.db).await;
        kept.outbox.flush_delivered().await.unwrap_err();
        assert_eq!(kept.queued().await, 2, "{fault:?}");
        // Upstream has them, so they are not sent again.
        assert!(kept.waiting().await.is_empty(), "{fault:?}");
        assert!(kept.outbox.delivered_since().is_some(), "{fault:?}");

        WriteFault::end(&kept.db).await;
        kept.add(3).await.unwrap();
        assert_eq!(kept.queued().await, 1, "{fault:?}");
        assert_eq!(kept.waiting().await.len(), 1, "{fault:?}");
        assert_eq!(kept.outbox.delivered_since(), None, "{fault:?}");
    }
}

#[tokio::test]
async fn a_postmortem_is_public_in_whole_or_not_at_all() {
    let kept = Kept::new().await;
    let (db, page): (_, PageId) = (&kept.db, "gytm4qzbx9t6".parse().unwrap());
    let now = Moment::new(kept.now);
    let patch = IncidentPatch { status: Some(IncidentStatus::Resolved), ..IncidentPatch::default() };
    let new = NewIncident { name: "Storm".into(), patch, backfilled: None };
    let id = incidents::create(db, now, &page, new).await.unwrap().id;
    postmortems::draft(db, now, &page, &id, "It was the cat.".into()).await.unwrap();
    for fault in [WriteFault::UpdateRow, WriteFault::Commit] {
        fault.begin(db).await;
        assert!(postmortems::publish(db, now, &page, &id, None).await.is_err(), "{fault:?}");
        WriteFault::end(db).await;
        let incident = incidents::get(db, &page, &id).await.unwrap();
        assert_eq!((incident.state.as_str(), incident.incident_updates.len()), ("resolved", 1), "{fault:?}");
        assert_eq!(incident.postmortem.unwrap().published(), None, "{fault:?}");
    }
    postmortems::publish(db, now, &page, &id, None).await.unwrap();
    let incident = incidents::get(db, &page, &id).await.unwrap();
    assert_eq!((incident.state.as_str(), incident.incident_updates.len()), ("postmortem", 2));
}

#[tokio::test]
async fn a_group_has_all_its_components_or_is_not_there() {
    let kept = Kept::new().await;
    let (db, page): (_, PageId) = (&kept.db, "gytm4qzbx9t6".parse().unwrap());
    let now = Moment::new(kept.now);
    let new = |name: &str| NewComponent { name: name.into(), patch: ComponentPatch::default() };
    let one = components::create(db, now, &page, new("Line")).await.unwrap().id;
    let other = components::create(db, now, &page, new("NAS")).await.unwrap().id;
    let patch = || GroupPatch { components: Some(vec![one.clone(), other.clone()]), ..GroupPatch::default() };
    WriteFault::Commit.begin(db).await;
    assert!(groups::create(db, now, &page, "Home".into(), patch()).await.is_err());
    WriteFault::end(db).await;
    assert!(groups::list(db, &page, 0, 10).await.unwrap().is_empty());
    assert_eq!(components::get(db, &page, &one).await.unwrap().group_id, None);
    let made = groups::create(db, now, &page, "Home".into(), patch()).await.unwrap();
    assert_eq!(made.components, [one, other]);
}

/// Where a commit fails, SQLite rolls everything back at once; a pool that misses that may take the next transactions for
/// parts of one that never ends.
#[tokio::test]
async fn what_is_acknowledged_after_a_commit_failed_is_on_disk() {
    let kept = Kept::new().await;
    for minutes in 0..3 {
        WriteFault::Commit.begin(&kept.db).await;
        kept.add(minutes).await.unwrap_err();
    }
    WriteFault::end(&kept.db).await;
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
    WriteFault::QueueRow.begin(&kept.db).await;
    kept.add(1).await.unwrap_err();
    WriteFault::end(&kept.db).await;
    // What writes nothing proves nothing.
    kept.recorder.add_readings(&[]).await.unwrap();
    kept.recorder.record_heartbeat().await.unwrap();
    assert!(kept.db.failure().await.is_some());
    let pause = Duration::from_millis(10);
    let noticed = async {
        while kept.db.failure().await.is_some() {
            sleep(pause).await;
        }
    };
    tokio::select! {
        () = kept.db.retry_writes(pause) => (),
        () = noticed => (),
    }
}
