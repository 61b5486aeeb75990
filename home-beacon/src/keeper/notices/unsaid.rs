//! What was muted before anybody was told of it: it is as if nothing had been said, so that it is told once the mute has ended if
//! it still lasts, and that it is over is told to nobody.

use notify::event::Stage;

use super::queue::{Batch, IN_BATCH, Waiting, tidy};
use crate::keeper::db::{Db, Moment, StorageError, built, query};

/// A channel has them: who is told of it from now on that it is over knows that it began.
pub(super) async fn given(db: &Db, channel: &str, batch: Batch) -> Result<(), StorageError> {
    let mut tx = db.begin().await?;
    for text in [
        format!(
            "UPDATE notices SET given = 1 WHERE NOT given AND id IN (SELECT notice_id FROM notice_deliveries WHERE {IN_BATCH})"
        ),
        format!("DELETE FROM notice_deliveries WHERE {IN_BATCH}"),
    ] {
        built(text).bind(channel).bind(batch.first).bind(batch.last).bind(batch.serious).execute(&mut tx).await?;
    }
    tidy(&mut tx).await?;
    tx.commit().await
}

/// A channel is not given that, because it is muted.
pub(super) async fn leave_out(db: &Db, channel: &str, muted: &Waiting) -> Result<(), StorageError> {
    let mut tx = db.begin().await?;
    let leave_out = query("DELETE FROM notice_deliveries WHERE notice_id = ? AND channel = ? AND failure IS NULL");
    leave_out.bind(muted.id).bind(channel).execute(&mut tx).await?;
    if muted.event.stage == Stage::Began && muted.tries == 0 {
        let unsay = query(
            "UPDATE notice_tracks SET announced = NULL, last = NULL WHERE key = ?1 AND announced = ?2
                 AND NOT EXISTS (SELECT 1 FROM notice_deliveries WHERE notice_id = ?3)
                 AND NOT EXISTS (SELECT 1 FROM notices WHERE id = ?3 AND given)",
        );
        let unsay = unsay.bind(&muted.event.key).bind(Moment::new(muted.event.since)).bind(muted.id);
        unsay.execute(&mut tx).await?;
    }
    tidy(&mut tx).await?;
    tx.commit().await
}
