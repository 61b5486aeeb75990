//! What clients have deleted: a seed that names it still does not bring it back.

use std::collections::BTreeSet;

use shared::id::PageId;

use crate::keeper::{
    KeeperError,
    db::{Conn, Moment, Tx, query},
};

/// How many are remembered where no seed says which of them matter; the newest ones.
const MAX_REMEMBERED: i64 = 1000;

/// What can be deleted, and be in a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) enum Kind {
    Component,
    Metric,
}

impl Kind {
    pub(in crate::keeper) const fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Metric => "metric",
        }
    }
}

/// Records that a client has deleted it.
pub(in crate::keeper) async fn record(
    tx: &mut Tx,
    page: &PageId,
    kind: Kind,
    id: &str,
    now: Moment,
) -> Result<(), KeeperError> {
    let record = "INSERT INTO deleted (id, kind, at, page_id) VALUES (?, ?, ?, ?)
                  ON CONFLICT (id) DO UPDATE SET at = excluded.at, page_id = excluded.page_id";
    query(record).bind(id).bind(kind.as_str()).bind(now).bind(page.as_str()).execute(tx).await?;
    let forget = "DELETE FROM deleted WHERE rowid <= (SELECT MAX(rowid) FROM deleted) - ?";
    query(forget).bind(MAX_REMEMBERED).execute(tx).await?;
    Ok(())
}

/// Whether clients have deleted any of that kind from a page.
pub(in crate::keeper) async fn any(conn: &mut Conn, page: &PageId, kind: Kind) -> Result<bool, KeeperError> {
    let count = query("SELECT COUNT(*) FROM deleted WHERE (page_id = ? OR page_id IS NULL) AND kind = ?");
    let count: i64 = count.bind(page.as_str()).bind(kind.as_str()).one(conn).await?;
    Ok(count > 0)
}

/// What of a page's seed was deleted. What the seed does not name is forgotten, so that naming it again later makes it anew;
/// of other pages the seed says nothing. (Where no page is known, an earlier version recorded it, of any page.)
pub(in crate::keeper) async fn of(
    tx: &mut Tx,
    page: &PageId,
    named: &BTreeSet<&str>,
) -> Result<BTreeSet<String>, KeeperError> {
    let all = query("SELECT id FROM deleted WHERE page_id = ? OR page_id IS NULL").bind(page.as_str());
    let all: Vec<String> = all.all(tx).await?;
    let (deleted, unnamed): (BTreeSet<_>, BTreeSet<_>) = all.into_iter().partition(|id| named.contains(id.as_str()));
    for id in unnamed {
        query("DELETE FROM deleted WHERE id = ?").bind(id).execute(tx).await?;
    }
    Ok(deleted)
}
