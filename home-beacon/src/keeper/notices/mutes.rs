//! What nobody is written to about for now, because somebody said so.

use jiff::Timestamp;
use serde::Serialize;

use super::condition::is_below;
use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Moment, Row, StorageError, Tx, query},
};

/// How many there may be: whoever works on many checks mutes each of them.
const MAX_MUTES: usize = 1000;

/// The longest key.
const MAX_KEY: usize = 200;

/// What nobody is written to about for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mute {
    /// A key, or the part of it before a slash; `all` is everything.
    pub key: String,
    /// Until when.
    pub until: Moment,
}

/// The end of what has none: 9999-01-01T00:00:00Z. What is later is not stored, and some of that could not be read again.
pub(in crate::keeper) const NO_END: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// Until when nobody is written to about that: as long as any of these holds.
pub(in crate::keeper) fn muted_until(mutes: &[Mute], key: &str, at: Timestamp) -> Option<Moment> {
    mutes.iter().filter(|mute| mute.holds(key, at)).map(|mute| mute.until).max()
}

impl Mute {
    /// Whether nobody is written to about that at that time.
    pub(super) fn holds(&self, key: &str, at: Timestamp) -> bool {
        self.until.timestamp() > at && is_below(key, &self.key)
    }
}

/// Those that still hold, the first to end first.
pub(super) async fn list(db: &Db, now: Timestamp) -> Result<Vec<Mute>, StorageError> {
    let list = query("SELECT key, until FROM mutes WHERE until > ? ORDER BY until, key");
    list.bind(Moment::new(now)).all(&mut db.read().await?).await
}

/// Mutes a key until then.
///
/// # Errors
/// When it is none, there are too many, or the storage fails.
pub(super) async fn set(db: &Db, now: Timestamp, key: &str, until: Timestamp) -> Result<(), KeeperError> {
    if key.is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
        return Err(KeeperError::Invalid(format!(
            "key: write what a notice is about, like job/ping, or the part before a slash, or all, in up to {MAX_KEY} bytes"
        )));
    }
    if until <= now {
        return Err(KeeperError::Invalid("until: it is past already".into()));
    }
    if list(db, now).await?.iter().filter(|mute| mute.key != key).count() >= MAX_MUTES {
        return Err(KeeperError::Invalid(format!("there are {MAX_MUTES} mutes: end some of them first")));
    }
    let until = until.min(NO_END);
    let mut tx = db.begin().await?;
    query("DELETE FROM mutes WHERE until <= ?").bind(Moment::new(now)).execute(&mut tx).await?;
    let set = query("INSERT OR REPLACE INTO mutes (key, until) VALUES (?, ?)");
    set.bind(key).bind(Moment::new(until)).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends the mute of a key.
///
/// # Errors
/// When there is none, or the storage fails.
pub(super) async fn end(db: &Db, key: &str) -> Result<(), KeeperError> {
    let mut conn = db.write().await?;
    let ended = query("DELETE FROM mutes WHERE key = ?").bind(key).execute(&mut conn).await?;
    if ended == 0 { Err(KeeperError::NotFound(format!("a mute of {}", key.escape_debug()))) } else { Ok(()) }
}

/// Those of a key and of what is below it are of another one from now on.
pub(in crate::keeper) async fn rename(tx: &mut Tx, from: &str, to: &str) -> Result<(), StorageError> {
    // Everything between the slash and the character after it.
    let rename = query(
        "UPDATE OR REPLACE mutes SET key = ?2 || SUBSTR(key, LENGTH(?1) + 1)
         WHERE key = ?1 OR (key > ?1 || '/' AND key < ?1 || '0')",
    );
    rename.bind(from).bind(to).execute(tx).await?;
    Ok(())
}

/// Forgets those of a key that is not there any more, and of what is below it.
pub(in crate::keeper) async fn forget(tx: &mut Tx, key: &str) -> Result<(), StorageError> {
    let forget = query("DELETE FROM mutes WHERE key = ?1 OR (key > ?1 || '/' AND key < ?1 || '0')");
    forget.bind(key).execute(tx).await?;
    Ok(())
}

impl FromRow for Mute {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { key: row.get("key")?, until: row.get("until")? })
    }
}
