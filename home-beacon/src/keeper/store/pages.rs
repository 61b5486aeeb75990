//! Pages.

use shared::id::PageId;
use sqlx::SqliteConnection;

use super::{Page, Store, StoreError};

/// What to change of a page; absent fields stay.
#[derive(Debug, Default)]
pub struct PagePatch {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub url: Option<Option<String>>,
    pub domain: Option<Option<String>>,
    pub subdomain: Option<Option<String>>,
    pub time_zone: Option<String>,
}

impl Store {
    /// All pages, the oldest first.
    pub async fn pages(&self) -> Result<Vec<Page>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM pages ORDER BY created_at, id").fetch_all(&self.read).await?)
    }

    pub async fn page(&self, id: &PageId) -> Result<Page, StoreError> {
        let mut connection = self.read.acquire().await?;
        page(&mut connection, id).await
    }

    pub async fn update_page(&self, id: &PageId, patch: PagePatch) -> Result<Page, StoreError> {
        let mut change = self.begin_write().await?;
        let mut page = page(&mut change, id).await?;
        page.name = patch.name.unwrap_or(page.name);
        page.description = patch.description.unwrap_or(page.description);
        page.url = patch.url.unwrap_or(page.url);
        page.domain = patch.domain.unwrap_or(page.domain);
        page.subdomain = patch.subdomain.unwrap_or(page.subdomain);
        page.time_zone = patch.time_zone.unwrap_or(page.time_zone);
        page.updated_at = self.now().after(page.updated_at);
        save(&mut change, &page).await?;
        change.commit().await?;
        Ok(page)
    }
}

pub(super) async fn page(connection: &mut SqliteConnection, id: &PageId) -> Result<Page, StoreError> {
    sqlx::query_as("SELECT * FROM pages WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("page {id}")))
}

/// Writes the whole page, new or not.
pub(super) async fn save(connection: &mut SqliteConnection, page: &Page) -> Result<(), StoreError> {
    sqlx::query(
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
    .bind(page.created_at.millis())
    .bind(page.updated_at.millis())
    .execute(connection)
    .await?;
    Ok(())
}
