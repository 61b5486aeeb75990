//! Pages.

use shared::id::PageId;

use super::Page;
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, Moment, Tx, query},
};

/// What to change of a page; absent fields stay.
#[derive(Debug, Default)]
pub struct PagePatch {
    /// Its heading.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<Option<String>>,
    /// Where it can be reached.
    pub url: Option<Option<String>>,
    /// The host name under which it can be reached.
    pub domain: Option<Option<String>>,
    /// Unused here.
    pub subdomain: Option<Option<String>>,
    /// An IANA name.
    pub time_zone: Option<String>,
}

/// All pages, the oldest first.
pub(in crate::keeper) async fn list(db: &Db) -> Result<Vec<Page>, KeeperError> {
    Ok(query("SELECT * FROM pages ORDER BY created_at, id").all(&mut db.read().await?).await?)
}

/// One page.
pub(in crate::keeper) async fn get(db: &Db, id: &PageId) -> Result<Page, KeeperError> {
    find(&mut db.read().await?, id).await
}

/// Changes a page.
pub(in crate::keeper) async fn update(
    db: &Db,
    now: Moment,
    id: &PageId,
    patch: PagePatch,
) -> Result<Page, KeeperError> {
    let mut tx = db.begin().await?;
    let mut page = find(&mut tx, id).await?;
    page.name = patch.name.unwrap_or(page.name);
    page.description = patch.description.unwrap_or(page.description);
    page.url = patch.url.unwrap_or(page.url);
    page.domain = patch.domain.unwrap_or(page.domain);
    page.subdomain = patch.subdomain.unwrap_or(page.subdomain);
    page.time_zone = patch.time_zone.unwrap_or(page.time_zone);
    page.updated_at = now.after(page.updated_at);
    save(&mut tx, &page).await?;
    tx.commit().await?;
    Ok(page)
}

/// The page's row.
pub(in crate::keeper) async fn find(conn: &mut Conn, id: &PageId) -> Result<Page, KeeperError> {
    let found = query("SELECT * FROM pages WHERE id = ?").bind(id.as_str()).optional(conn).await?;
    found.ok_or_else(|| KeeperError::NotFound(format!("page {id}")))
}

/// Writes the whole page, new or not.
pub(in crate::keeper) async fn save(tx: &mut Tx, page: &Page) -> Result<(), KeeperError> {
    query(
        "INSERT INTO pages (id, name, description, url, domain, subdomain, time_zone, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
             url = excluded.url, domain = excluded.domain, subdomain = excluded.subdomain,
             time_zone = excluded.time_zone, updated_at = excluded.updated_at",
    )
    .bind(page.id.as_str())
    .bind(&page.name)
    .bind(&page.description)
    .bind(&page.url)
    .bind(&page.domain)
    .bind(&page.subdomain)
    .bind(&page.time_zone)
    .bind(page.created_at)
    .bind(page.updated_at)
    .execute(tx)
    .await?;
    Ok(())
}
