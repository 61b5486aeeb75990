//! The providers that metrics belong to.

use serde::Serialize;
use shared::id::{MetricsProviderId, PageId};

use super::series_rows::{self, series_of};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, FromRow, Moment, Row, StorageError, Tx, new_id, query},
    status::{
        deleted::{self, Kind},
        pages,
    },
};

/// Where metrics come from. The keeper fetches nothing, so there is only the kind whose points are sent to it.
#[derive(Clone, Debug, Serialize)]
pub struct MetricsProvider {
    /// 12 lower-case letters and digits.
    pub id: MetricsProviderId,
    /// The API's word for points that are sent.
    #[serde(rename = "type")]
    pub kind: SelfKind,
    /// Always `false`.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
}

/// The API's word for points that are sent.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum SelfKind {
    /// `Self`
    #[serde(rename = "Self")]
    Sent,
}

/// A page's providers, the oldest first.
pub(in crate::keeper) async fn list(db: &Db, page: &PageId) -> Result<Vec<MetricsProvider>, KeeperError> {
    let mut conn = db.read().await?;
    pages::find(&mut conn, page).await?;
    let list = query("SELECT * FROM metrics_providers WHERE page_id = ? ORDER BY created_at, id");
    Ok(list.bind(page.as_str()).all(&mut conn).await?)
}

/// One provider of a page.
pub(in crate::keeper) async fn get(
    db: &Db,
    page: &PageId,
    id: &MetricsProviderId,
) -> Result<MetricsProvider, KeeperError> {
    find(&mut db.read().await?, page, id).await
}

/// Makes a provider.
pub(in crate::keeper) async fn create(db: &Db, now: Moment, page: &PageId) -> Result<MetricsProvider, KeeperError> {
    let mut tx = db.begin().await?;
    pages::find(&mut tx, page).await?;
    let provider = insert(&mut tx, page, now).await?;
    tx.commit().await?;
    Ok(provider)
}

/// Deletes a provider with its metrics and their points.
pub(in crate::keeper) async fn delete(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &MetricsProviderId,
) -> Result<MetricsProvider, KeeperError> {
    let mut tx = db.begin().await?;
    let provider = find(&mut tx, page, id).await?;
    let metrics = query("SELECT id FROM metrics WHERE metrics_provider_id = ?").bind(id.as_str());
    let metrics: Vec<String> = metrics.all(&mut tx).await?;
    for metric in metrics {
        series_rows::delete(&mut tx, &series_of(&metric)).await?;
        deleted::record(&mut tx, page, Kind::Metric, &metric, now).await?;
    }
    query("DELETE FROM metrics_providers WHERE id = ?").bind(id.as_str()).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(provider)
}

/// Writes a new provider.
pub(in crate::keeper) async fn insert(tx: &mut Tx, page: &PageId, now: Moment) -> Result<MetricsProvider, KeeperError> {
    let id = MetricsProviderId::try_from(new_id()).map_err(|error| KeeperError::Invalid(error.to_string()))?;
    query("INSERT INTO metrics_providers (id, page_id, created_at, updated_at) VALUES (?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(page.as_str())
        .bind(now)
        .bind(now)
        .execute(tx)
        .await?;
    find(tx, page, &id).await
}

/// The provider's row.
pub(super) async fn find(
    conn: &mut Conn,
    page: &PageId,
    id: &MetricsProviderId,
) -> Result<MetricsProvider, KeeperError> {
    let find = query("SELECT * FROM metrics_providers WHERE page_id = ? AND id = ?");
    let found = find.bind(page.as_str()).bind(id.as_str()).optional(conn).await?;
    found.ok_or_else(|| KeeperError::NotFound(format!("metrics provider {id} of page {page}")))
}

impl FromRow for MetricsProvider {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            kind: SelfKind::Sent,
            disabled: false,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}
