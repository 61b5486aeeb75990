//! A page's metrics, and the providers that they belong to. Their points are readings of a series of their own.

use serde::Serialize;
use shared::id::{MetricId, MetricsProviderId, PageId};
use sqlx::{FromRow, SqliteConnection};

use super::{
    Moment, Store, StoreError,
    deleted::{self, Kind},
    latest, new_id, pages, queue,
    series_rows::{self, series_of},
};

/// Where metrics come from. The keeper fetches from nobody, so there is only the kind that is sent to it.
#[derive(Clone, Debug, FromRow, Serialize)]
pub struct MetricsProvider {
    #[sqlx(try_from = "String")]
    pub id: MetricsProviderId,
    #[sqlx(skip)]
    #[serde(rename = "type")]
    pub kind: SelfKind,
    #[sqlx(skip)]
    pub disabled: bool,
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
}

/// The API's word for points that are sent.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub enum SelfKind {
    #[default]
    #[serde(rename = "Self")]
    Sent,
}

#[derive(Clone, Debug, FromRow, Serialize)]
pub struct Metric {
    #[sqlx(try_from = "String")]
    pub id: MetricId,
    #[sqlx(try_from = "String")]
    pub metrics_provider_id: MetricsProviderId,
    pub metric_identifier: Option<String>,
    pub name: String,
    pub display: bool,
    pub tooltip_description: Option<String>,
    pub y_axis_min: Option<f64>,
    pub y_axis_max: Option<f64>,
    pub y_axis_hidden: bool,
    /// The unit, like `ms`.
    pub suffix: Option<String>,
    pub decimal_places: i64,
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
    /// The time of the latest point.
    #[sqlx(skip)]
    pub most_recent_data_at: Option<Moment>,
}

/// A metric to be made.
#[derive(Debug)]
pub struct NewMetric {
    pub name: String,
    pub metric_identifier: Option<String>,
    pub display: bool,
    pub tooltip_description: Option<String>,
    pub y_axis_min: Option<f64>,
    pub y_axis_max: Option<f64>,
    pub y_axis_hidden: bool,
    pub suffix: Option<String>,
    pub decimal_places: i64,
}

/// What the API lets be changed of a metric; absent fields stay.
#[derive(Debug, Default)]
pub struct MetricPatch {
    pub name: Option<String>,
    pub metric_identifier: Option<Option<String>>,
}

impl Store {
    pub async fn metrics_providers(&self, page: &PageId) -> Result<Vec<MetricsProvider>, StoreError> {
        let mut connection = self.read.acquire().await?;
        pages::page(&mut connection, page).await?;
        let query = "SELECT * FROM metrics_providers WHERE page_id = ? ORDER BY created_at, id";
        Ok(sqlx::query_as(query).bind(page.as_str()).fetch_all(&mut *connection).await?)
    }

    pub async fn metrics_provider(&self, page: &PageId, id: &MetricsProviderId) -> Result<MetricsProvider, StoreError> {
        provider(&mut *self.read.acquire().await?, page, id).await
    }

    pub async fn create_metrics_provider(&self, page: &PageId) -> Result<MetricsProvider, StoreError> {
        let mut change = self.begin_write().await?;
        pages::page(&mut change, page).await?;
        let provider = create_provider(&mut change, page, self.now()).await?;
        change.commit().await?;
        Ok(provider)
    }

    /// Deletes it with its metrics and their points.
    pub async fn delete_metrics_provider(
        &self,
        page: &PageId,
        id: &MetricsProviderId,
    ) -> Result<MetricsProvider, StoreError> {
        let mut change = self.begin_write().await?;
        let provider = provider(&mut change, page, id).await?;
        let metrics: Vec<String> = sqlx::query_scalar("SELECT id FROM metrics WHERE metrics_provider_id = ?")
            .bind(id.as_str())
            .fetch_all(&mut *change)
            .await?;
        for metric in metrics {
            series_rows::forget(&mut change, &series_of(&metric)).await?;
            deleted::note(&mut change, page, Kind::Metric, &metric, self.now()).await?;
        }
        sqlx::query("DELETE FROM metrics_providers WHERE id = ?").bind(id.as_str()).execute(&mut *change).await?;
        change.commit().await?;
        Ok(provider)
    }

    /// A page's metrics, or only a provider's, in the order in which they were made; `skip` and `limit` count rows.
    pub async fn metrics(
        &self,
        page: &PageId,
        of: Option<&MetricsProviderId>,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<Metric>, StoreError> {
        let mut connection = self.read.acquire().await?;
        pages::page(&mut connection, page).await?;
        if let Some(id) = of {
            provider(&mut connection, page, id).await?;
        }
        let query = "SELECT * FROM metrics WHERE page_id = ?1 AND (?2 IS NULL OR metrics_provider_id = ?2)
                     ORDER BY created_at, rowid LIMIT ?3 OFFSET ?4";
        let mut metrics: Vec<Metric> = sqlx::query_as(query)
            .bind(page.as_str())
            .bind(of.map(MetricsProviderId::as_str))
            .bind(limit)
            .bind(skip)
            .fetch_all(&mut *connection)
            .await?;
        for metric in &mut metrics {
            metric.most_recent_data_at = latest::latest(&mut connection, &series_of(metric.id.as_str())).await?;
        }
        Ok(metrics)
    }

    pub async fn metric(&self, page: &PageId, id: &MetricId) -> Result<Metric, StoreError> {
        metric(&mut *self.read.acquire().await?, page, id).await
    }

    pub async fn create_metric(
        &self,
        page: &PageId,
        of: &MetricsProviderId,
        new: NewMetric,
    ) -> Result<Metric, StoreError> {
        let mut change = self.begin_write().await?;
        provider(&mut change, page, of).await?;
        let id = MetricId::try_from(new_id()).map_err(|error| StoreError::Contradiction(error.to_string()))?;
        let now = self.now();
        sqlx::query(
            "INSERT INTO metrics (id, page_id, metrics_provider_id, metric_identifier, name, display,
                 tooltip_description, y_axis_min, y_axis_max, y_axis_hidden, suffix, decimal_places, created_at, updated_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.as_str())
        .bind(page.as_str())
        .bind(of.as_str())
        .bind(new.metric_identifier)
        .bind(new.name)
        .bind(new.display)
        .bind(new.tooltip_description)
        .bind(new.y_axis_min)
        .bind(new.y_axis_max)
        .bind(new.y_axis_hidden)
        .bind(new.suffix)
        .bind(new.decimal_places)
        .bind(now.millis())
        .bind(now.millis())
        .execute(&mut *change)
        .await?;
        let metric = metric(&mut change, page, &id).await?;
        change.commit().await?;
        Ok(metric)
    }

    pub async fn update_metric(&self, page: &PageId, id: &MetricId, patch: MetricPatch) -> Result<Metric, StoreError> {
        let mut change = self.begin_write().await?;
        let mut metric = metric(&mut change, page, id).await?;
        metric.name = patch.name.unwrap_or(metric.name);
        metric.metric_identifier = patch.metric_identifier.unwrap_or(metric.metric_identifier);
        metric.updated_at = self.now().after(metric.updated_at);
        sqlx::query("UPDATE metrics SET name = ?, metric_identifier = ?, updated_at = ? WHERE id = ?")
            .bind(&metric.name)
            .bind(&metric.metric_identifier)
            .bind(metric.updated_at.millis())
            .bind(id.as_str())
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(metric)
    }

    /// Deletes it with its points.
    pub async fn delete_metric(&self, page: &PageId, id: &MetricId) -> Result<Metric, StoreError> {
        let mut change = self.begin_write().await?;
        let metric = metric(&mut change, page, id).await?;
        series_rows::forget(&mut change, &series_of(id.as_str())).await?;
        sqlx::query("DELETE FROM metrics WHERE id = ?").bind(id.as_str()).execute(&mut *change).await?;
        deleted::note(&mut change, page, Kind::Metric, id.as_str(), self.now()).await?;
        change.commit().await?;
        Ok(metric)
    }

    /// Deletes all its points.
    pub async fn reset_metric(&self, page: &PageId, id: &MetricId) -> Result<Metric, StoreError> {
        let mut change = self.begin_write().await?;
        let mut metric = metric(&mut change, page, id).await?;
        series_rows::forget(&mut change, &series_of(id.as_str())).await?;
        queue::forget(&mut change, id).await?;
        change.commit().await?;
        metric.most_recent_data_at = None;
        Ok(metric)
    }
}

pub(super) async fn create_provider(
    connection: &mut SqliteConnection,
    page: &PageId,
    now: Moment,
) -> Result<MetricsProvider, StoreError> {
    let id = MetricsProviderId::try_from(new_id()).map_err(|error| StoreError::Contradiction(error.to_string()))?;
    sqlx::query("INSERT INTO metrics_providers (id, page_id, created_at, updated_at) VALUES (?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(page.as_str())
        .bind(now.millis())
        .bind(now.millis())
        .execute(&mut *connection)
        .await?;
    provider(connection, page, &id).await
}

async fn provider(
    connection: &mut SqliteConnection,
    page: &PageId,
    id: &MetricsProviderId,
) -> Result<MetricsProvider, StoreError> {
    sqlx::query_as("SELECT * FROM metrics_providers WHERE page_id = ? AND id = ?")
        .bind(page.as_str())
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("metrics provider {id} of page {page}")))
}

pub(super) async fn metric(
    connection: &mut SqliteConnection,
    page: &PageId,
    id: &MetricId,
) -> Result<Metric, StoreError> {
    let found: Option<Metric> = sqlx::query_as("SELECT * FROM metrics WHERE page_id = ? AND id = ?")
        .bind(page.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let mut metric = found.ok_or_else(|| StoreError::NotFound(format!("metric {id} of page {page}")))?;
    metric.most_recent_data_at = latest::latest(connection, &series_of(id.as_str())).await?;
    Ok(metric)
}

/// Whether upstream is told its points.
pub(super) async fn is_relayed(connection: &mut SqliteConnection, id: &MetricId) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar("SELECT relayed FROM metrics WHERE id = ?").bind(id.as_str());
    Ok(query.fetch_optional(connection).await?.unwrap_or(false))
}
