//! What clients have deleted: a seed that names it still does not bring it back.

use std::collections::BTreeSet;

use shared::id::PageId;
use sqlx::SqliteConnection;

use super::{Moment, StoreError};

/// How many are remembered where no seed says which of them matter; the newest ones.
const MOST: i64 = 1000;

/// What can be deleted, and be in a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Component,
    Metric,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Metric => "metric",
        }
    }
}

pub(super) async fn note(
    connection: &mut SqliteConnection,
    page: &PageId,
    kind: Kind,
    id: &str,
    now: Moment,
) -> Result<(), StoreError> {
    let query = "INSERT INTO deleted (id, kind, at, page_id) VALUES (?, ?, ?, ?)
                 ON CONFLICT (id) DO UPDATE SET at = excluded.at, page_id = excluded.page_id";
    let note = sqlx::query(query).bind(id).bind(kind.as_str()).bind(now.millis()).bind(page.as_str());
    note.execute(&mut *connection).await?;
    let query = "DELETE FROM deleted WHERE rowid <= (SELECT MAX(rowid) FROM deleted) - ?";
    sqlx::query(query).bind(MOST).execute(connection).await?;
    Ok(())
}

/// Whether clients have deleted any of that kind from a page.
pub(super) async fn any(connection: &mut SqliteConnection, page: &PageId, kind: Kind) -> Result<bool, StoreError> {
    let query = "SELECT COUNT(*) FROM deleted WHERE (page_id = ? OR page_id IS NULL) AND kind = ?";
    let query = sqlx::query_scalar(query).bind(page.as_str()).bind(kind.as_str());
    let count: i64 = query.fetch_one(connection).await?;
    Ok(count > 0)
}

/// What of a page's seed was deleted. What of that page the seed does not name is forgotten: who names it again later wants it
/// anew. Of other pages it says nothing. (Where no page is known, an earlier version noted it, of whichever page.)
pub(super) async fn of(
    connection: &mut SqliteConnection,
    page: &PageId,
    named: &BTreeSet<&str>,
) -> Result<BTreeSet<String>, StoreError> {
    let all: Vec<String> = sqlx::query_scalar("SELECT id FROM deleted WHERE page_id = ? OR page_id IS NULL")
        .bind(page.as_str())
        .fetch_all(&mut *connection)
        .await?;
    let (deleted, unnamed): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(|id| named.contains(id.as_str()));
    for id in unnamed {
        sqlx::query("DELETE FROM deleted WHERE id = ?").bind(id).execute(&mut *connection).await?;
    }
    Ok(deleted)
}
