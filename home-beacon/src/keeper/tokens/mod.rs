//! Tokens for one page: what a home that has joined sends to the keeper of its outside machine. The keeper's own token, which
//! opens everything, is a setting and none of these.
//!
//! - `scope`: what one opens (pure)

pub(super) mod scope;

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use shared::{fingerprint::Fingerprint, id::PageId, keeper_token, secret::Secret};

use super::{
    KeeperError,
    db::{Db, FromRow, Moment, Row, StorageError, Tx, new_id, query},
    status::pages,
};

/// How exactly it is known when a token was used last: a write for each call would wear out a card.
const USE_INTERVAL: Duration = Duration::from_hours(1);

/// How long a token that was revoked is listed.
const KEPT: Duration = Duration::from_hours(24 * 90);

/// The most that are listed, and that open something at one time.
const MAX_LISTED: i64 = 500;
const MAX_VALID: i64 = 100;

/// A token, without what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// By which it is revoked.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// The page that it opens.
    pub page_id: PageId,
    /// Since when there is one.
    pub created_at: Moment,
    /// To the hour.
    pub last_used_at: Option<Moment>,
    /// Since when it opens nothing.
    pub revoked_at: Option<Moment>,
}

impl FromRow for Token {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            page_id: row.get("page_id")?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
            revoked_at: row.get("revoked_at")?,
        })
    }
}

/// Makes a token for a page, and returns it: it is never to be had again. Its first use ends those of its name for that page
/// that were made before: until then, whom it was made for may never have got it.
///
/// # Errors
/// When there is no such page, too many of its tokens are valid, or the storage fails.
pub async fn create(db: &Db, now: Timestamp, page: &PageId, name: &str) -> Result<Secret, KeeperError> {
    let mut tx = db.begin().await?;
    let token = insert(&mut tx, Moment::new(now), page, name).await?;
    tx.commit().await?;
    Ok(token)
}

async fn insert(tx: &mut Tx, now: Moment, page: &PageId, name: &str) -> Result<Secret, KeeperError> {
    pages::find(tx, page).await?;
    let forgotten = Moment::new(now.timestamp() - KEPT);
    query("DELETE FROM tokens WHERE revoked_at < ?").bind(forgotten).execute(tx).await?;
    let valid = query("SELECT count(*) FROM tokens WHERE page_id = ? AND revoked_at IS NULL");
    let valid: i64 = valid.bind(page.as_str()).one(tx).await?;
    if valid >= MAX_VALID {
        return Err(KeeperError::Invalid(format!(
            "page {page} has {MAX_VALID} valid tokens: revoke some of them first"
        )));
    }
    let token = keeper_token::new().map_err(|error| KeeperError::Invalid(error.to_string()))?;
    query("INSERT INTO tokens (id, page_id, name, hash, created_at) VALUES (?, ?, ?, ?, ?)")
        .bind(new_id().as_str())
        .bind(page.as_str())
        .bind(name)
        .bind(hash(token.as_bytes()).as_str())
        .bind(now)
        .execute(tx)
        .await?;
    Ok(Secret::new(token))
}

/// All of them, the newest first.
///
/// # Errors
/// When the storage fails.
pub async fn list(db: &Db) -> Result<Vec<Token>, KeeperError> {
    let list = query("SELECT * FROM tokens ORDER BY created_at DESC, id LIMIT ?");
    Ok(list.bind(MAX_LISTED).all(&mut db.read().await?).await?)
}

/// Makes a token open nothing any more; it stays revoked since the first time.
///
/// # Errors
/// When there is no such token, or the storage fails.
pub async fn revoke(db: &Db, now: Timestamp, id: &str) -> Result<Token, KeeperError> {
    let mut tx = db.begin().await?;
    let revoke = query("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
    revoke.bind(Moment::new(now)).bind(id).execute(&mut tx).await?;
    let found = query("SELECT * FROM tokens WHERE id = ?").bind(id).optional(&mut tx).await?;
    let token = found.ok_or_else(|| KeeperError::NotFound(format!("token {}", id.escape_default())))?;
    tx.commit().await?;
    Ok(token)
}

/// The token that a client has sent, if it is one of these, revoked or not.
pub(super) async fn find(db: &Db, sent: &[u8]) -> Result<Option<Token>, KeeperError> {
    // Whoever guesses is to cost the disk nothing.
    if !sent.starts_with(keeper_token::PREFIX.as_bytes()) {
        return Ok(None);
    }
    // The hash of what was sent tells nothing of how near it is to another one's, so it may be looked up.
    let find = query("SELECT * FROM tokens WHERE hash = ?").bind(hash(sent).as_str());
    Ok(find.optional(&mut db.read().await?).await?)
}

/// It was used now. Nothing depends on it, so a disk that cannot be written keeps nobody out.
pub(super) async fn used(db: &Db, now: Moment, token: &Token) {
    let is_known = token.last_used_at.is_some_and(|last| {
        let since = now.timestamp().duration_since(last.timestamp());
        !since.is_negative() && since.unsigned_abs() < USE_INTERVAL
    });
    if is_known {
        return;
    }
    let write = async {
        let mut tx = db.begin().await?;
        let used = query("UPDATE tokens SET last_used_at = ? WHERE id = ?").bind(now).bind(token.id.as_str());
        used.execute(&mut tx).await?;
        if token.last_used_at.is_none() {
            let earlier = query(
                "UPDATE tokens SET revoked_at = ? WHERE page_id = ? AND name = ? AND revoked_at IS NULL AND rowid < (SELECT \
                 rowid FROM tokens WHERE id = ?)",
            );
            let earlier = earlier.bind(now).bind(token.page_id.as_str()).bind(token.name.as_str());
            earlier.bind(token.id.as_str()).execute(&mut tx).await?;
        }
        tx.commit().await
    };
    if let Err(error) = write.await {
        tracing::debug!(token = token.id, %error, "when it was used last could not be written down");
    }
}

/// SHA-256: a token has 256 random bits, so nothing slower is needed.
fn hash(token: &[u8]) -> String {
    Fingerprint::of(token).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::keeper::seed;

    async fn keeper() -> (Db, PageId, Timestamp, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("k.db").display())).await.unwrap();
        let now = "2026-05-01T12:00:00Z".parse().unwrap();
        let page = seed::first_page(&db, Moment::new(now)).await.unwrap();
        (db, page, now, folder)
    }

    #[tokio::test]
    async fn a_token_is_known_by_its_hash_until_it_is_revoked_and_after() {
        let (db, page, now, _folder) = keeper().await;
        let token = create(&db, now, &page, "home").await.unwrap();
        let sent = token.expose().as_bytes();
        let found = find(&db, sent).await.unwrap().unwrap();
        assert_eq!((found.name.as_str(), &found.page_id, found.revoked_at), ("home", &page, None));
        assert!(!serde_json::to_string(&list(&db).await.unwrap()).unwrap().contains(token.expose()));
        assert_eq!(find(&db, &sent[..sent.len() - 1]).await.unwrap(), None);
        assert_eq!(find(&db, b"").await.unwrap(), None);
        let revoked = revoke(&db, now + 1.hour(), &found.id).await.unwrap();
        assert_eq!(revoked.revoked_at, Some(Moment::new(now + 1.hour())));
        assert_eq!(revoke(&db, now + 2.hours(), &found.id).await.unwrap(), revoked, "it stays as it was");
        assert_eq!(find(&db, sent).await.unwrap(), Some(revoked));
        assert!(matches!(revoke(&db, now, "none").await, Err(KeeperError::NotFound(_))));
    }

    #[tokio::test]
    async fn its_use_is_written_down_once_an_hour() {
        let (db, page, now, _folder) = keeper().await;
        let token = create(&db, now, &page, "home").await.unwrap();
        let found = async || find(&db, token.expose().as_bytes()).await.unwrap().unwrap();
        for (minutes, last) in [(0, 0), (59, 0), (60, 60), (30, 30)] {
            let (at, last) = (Moment::new(now + minutes.minutes()), Moment::new(now + last.minutes()));
            used(&db, at, &found().await).await;
            // A clock that was set back is the right one.
            assert_eq!(found().await.last_used_at, Some(last), "{minutes}");
        }
    }

    #[tokio::test]
    async fn a_new_one_takes_the_place_of_those_of_its_name_when_it_is_used() {
        let (db, page, now, _folder) = keeper().await;
        let (old, other) =
            (create(&db, now, &page, "home").await.unwrap(), create(&db, now, &page, "x").await.unwrap());
        let new = create(&db, now, &page, "home").await.unwrap();
        let found = async |token: &Secret| find(&db, token.expose().as_bytes()).await.unwrap().unwrap();
        // Whoever has the old one may not have got the new one.
        used(&db, Moment::new(now), &found(&old).await).await;
        for (token, is_revoked) in [(&old, false), (&new, false)] {
            assert_eq!(found(token).await.revoked_at.is_some(), is_revoked);
        }
        used(&db, Moment::new(now), &found(&new).await).await;
        for (token, is_revoked) in [(&old, true), (&other, false), (&new, false)] {
            assert_eq!(found(token).await.revoked_at.is_some(), is_revoked, "{}", found(token).await.name);
        }
        let elsewhere = "gytm4qzbx9t6".parse().unwrap();
        assert!(matches!(create(&db, now, &elsewhere, "home").await, Err(KeeperError::NotFound(_))));
    }
}
