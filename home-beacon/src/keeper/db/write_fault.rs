//! Write errors, injected into an open database by a test.

use super::{Db, built, query};

/// What stops a write.
#[derive(Clone, Copy, Debug)]
pub(in crate::keeper) enum WriteFault {
    /// The row that queues a point for upstream.
    QueueRow,
    /// The row that holds the heartbeat.
    HeartbeatRow,
    /// The row of an incident's update.
    UpdateRow,
    /// The deletion of a delivered point from the queue.
    Dequeue,
    /// The disk, once every statement has succeeded.
    Commit,
    /// The disk, as soon as the file would grow.
    Growth,
}

impl WriteFault {
    pub(in crate::keeper) async fn begin(self, db: &Db) {
        let when = match self {
            Self::QueueRow => "INSERT ON main.relay_points",
            Self::HeartbeatRow => "INSERT ON main.heartbeat",
            Self::UpdateRow => "INSERT ON main.incident_updates",
            Self::Dequeue => "DELETE ON main.relay_points",
            Self::Commit => {
                let mut connection = db.write.acquire().await.unwrap();
                connection.lock_handle().await.unwrap().set_commit_hook(|| false);
                return;
            }
            Self::Growth => {
                let on = &mut db.write().await.unwrap();
                let pages: i64 = query("PRAGMA page_count").one(on).await.unwrap();
                let _: i64 = built(format!("PRAGMA max_page_count = {pages}")).one(on).await.unwrap();
                return;
            }
        };
        let trigger = format!("CREATE TEMP TRIGGER fault BEFORE {when} BEGIN SELECT RAISE(ABORT, 'the disk'); END");
        built(trigger).execute(&mut db.write().await.unwrap()).await.unwrap();
    }

    /// The connection may have been replaced by now, by one without the fault.
    pub(in crate::keeper) async fn end(db: &Db) {
        let on = &mut db.write().await.unwrap();
        query("DROP TRIGGER IF EXISTS temp.fault").execute(on).await.unwrap();
        let _: i64 = query("PRAGMA max_page_count = 1000000").one(on).await.unwrap();
        on.sqlite().lock_handle().await.unwrap().remove_commit_hook();
    }
}
