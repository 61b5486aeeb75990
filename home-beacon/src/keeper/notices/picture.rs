//! The picture that comes with a result, for the channels that show one: kept as long as the notice of that result waits. A result
//! of which no notice is due leaves none, and neither does one that is held back: what is told later is told as it is then.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use notify::event::Subject;

use super::Notices;
use crate::keeper::db::{Db, Moment, Query, StorageError, query};

/// How many are kept: notices wait while the line is down, and the disk is small.
const MAX_PICTURES: u32 = 16;

impl Notices {
    /// Whether anybody is given pictures with what is said of checks.
    pub(in crate::keeper) fn takes_pictures(&self) -> bool {
        let Some(shared) = &self.0 else { return false };
        shared.known().channels.iter().any(|channel| channel.wants(Subject::Check) && channel.takes_pictures())
    }
}

/// What adds a picture, in base64, to the notice of one of these keys that is queued from that time on, in the transaction that
/// queues it.
pub(in crate::keeper) fn added(keys: [&str; 2], from: Timestamp, jpeg: &str) -> [Query; 2] {
    let add = query(
        "INSERT INTO notice_pictures (notice_id, jpeg)
             SELECT id, ? FROM notices WHERE key IN (?, ?) AND at >= ? AND id NOT IN (SELECT notice_id FROM notice_pictures)
             ORDER BY id DESC LIMIT 1",
    );
    let bound = query(
        "DELETE FROM notice_pictures
             WHERE notice_id NOT IN (SELECT notice_id FROM notice_pictures ORDER BY notice_id DESC LIMIT ?)",
    );
    [add.bind(jpeg).bind(keys[0]).bind(keys[1]).bind(Moment::new(from)), bound.bind(MAX_PICTURES)]
}

/// The picture of a notice that a channel is being given. Where it may have been taken with it, it is sent again without: over a
/// slow line a picture may be what takes too long.
pub(super) async fn of(db: &Db, channel: &str, notice: i64) -> Result<Option<Vec<u8>>, StorageError> {
    let find = query(
        "SELECT jpeg FROM notice_pictures JOIN notice_deliveries USING (notice_id)
         WHERE notice_id = ? AND channel = ? AND tries <= 1",
    );
    let found: Option<String> = find.bind(notice).bind(channel).optional(&mut db.read().await?).await?;
    Ok(found.and_then(|jpeg| STANDARD.decode(jpeg).ok()))
}
