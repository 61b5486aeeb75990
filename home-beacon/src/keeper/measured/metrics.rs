//! A page's metrics. Their points are readings of a series of their own.

use serde::Serialize;
use shared::id::{MetricId, MetricsProviderId, PageId};

use super::{
    latest, metrics_providers,
    series_rows::{self, series_of},
};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, FromRow, Moment, Row, StorageError, new_id, query},
    outbox::points::drop_metric,
    status::{
        deleted::{self, Kind},
        pages,
    },
};
use crate::reading::Field;

/// A metric of a page.
#[derive(Clone, Debug, Serialize)]
pub struct Metric {
    /// 12 lower-case letters and digits.
    pub id: MetricId,
    /// The provider that it belongs to.
    pub metrics_provider_id: MetricsProviderId,
    /// The client's own name for it.
    pub metric_identifier: Option<String>,
    /// What visitors read.
    pub name: String,
    /// Whether the page shows it.
    pub display: bool,
    /// What it means.
    pub tooltip_description: Option<String>,
    /// Where its axis begins, in its unit.
    pub y_axis_min: Option<f64>,
    /// Where its axis ends, in its unit.
    pub y_axis_max: Option<f64>,
    /// Whether it has no axis.
    pub y_axis_hidden: bool,
    /// The unit, like `ms`.
    pub suffix: Option<String>,
    /// How many decimal places are shown.
    pub decimal_places: i64,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
    /// The time of the latest point.
    pub most_recent_data_at: Option<Moment>,
}

/// What a metric's graph is drawn from.
#[derive(Clone, Debug)]
pub(in crate::keeper) struct Feed {
    pub(in crate::keeper) metric: MetricId,
    /// The readings that feed it; `None` where only points are sent to it.
    pub(in crate::keeper) reading: Option<String>,
    /// The part of them that it shows.
    pub(in crate::keeper) field: Field,
}

impl Feed {
    /// The series of its points.
    pub(in crate::keeper) fn points(&self) -> String {
        series_of(self.metric.as_str())
    }
}

/// A metric to be made; the fields are those of [`Metric`].
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "they are those of Metric")]
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
    /// What visitors read.
    pub name: Option<String>,
    /// The client's own name for it.
    pub metric_identifier: Option<Option<String>>,
}

/// A page's metrics, or only a provider's, in the order in which they were made; `skip` and `limit` count rows.
pub(in crate::keeper) async fn list(
    db: &Db,
    page: &PageId,
    of: Option<&MetricsProviderId>,
    skip: u32,
    limit: u32,
) -> Result<Vec<Metric>, KeeperError> {
    let mut conn = db.read().await?;
    pages::find(&mut conn, page).await?;
    if let Some(id) = of {
        metrics_providers::find(&mut conn, page, id).await?;
    }
    let list = query(
        "SELECT * FROM metrics WHERE page_id = ?1 AND (?2 IS NULL OR metrics_provider_id = ?2)
         ORDER BY created_at, rowid LIMIT ?3 OFFSET ?4",
    );
    let list = list.bind(page.as_str()).bind(of.map(MetricsProviderId::as_str)).bind(limit).bind(skip);
    let mut metrics: Vec<Metric> = list.all(&mut conn).await?;
    for metric in &mut metrics {
        metric.most_recent_data_at = latest::latest(&mut conn, &series_of(metric.id.as_str())).await?;
    }
    Ok(metrics)
}

/// What the graphs of a page's metrics are drawn from.
pub(in crate::keeper) async fn feeds(db: &Db, page: &PageId) -> Result<Vec<Feed>, KeeperError> {
    let list = query("SELECT id, reading, field FROM metrics WHERE page_id = ?").bind(page.as_str());
    let listed: Vec<(MetricId, Option<String>, String)> = list.all(&mut db.read().await?).await?;
    let feed =
        |(metric, reading, field): (_, _, String)| Feed { metric, reading, field: field.parse().unwrap_or_default() };
    Ok(listed.into_iter().map(feed).collect())
}

/// One metric of a page.
pub(in crate::keeper) async fn get(db: &Db, page: &PageId, id: &MetricId) -> Result<Metric, KeeperError> {
    find(&mut db.read().await?, page, id).await
}

/// Makes a metric.
pub(in crate::keeper) async fn create(
    db: &Db,
    now: Moment,
    page: &PageId,
    of: &MetricsProviderId,
    new: NewMetric,
) -> Result<Metric, KeeperError> {
    let mut tx = db.begin().await?;
    metrics_providers::find(&mut tx, page, of).await?;
    let id = MetricId::try_from(new_id()).map_err(|error| KeeperError::Invalid(error.to_string()))?;
    query(
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
    .bind(now)
    .bind(now)
    .execute(&mut tx)
    .await?;
    let metric = find(&mut tx, page, &id).await?;
    tx.commit().await?;
    Ok(metric)
}

/// Changes a metric.
pub(in crate::keeper) async fn update(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &MetricId,
    patch: MetricPatch,
) -> Result<Metric, KeeperError> {
    let mut tx = db.begin().await?;
    let mut metric = find(&mut tx, page, id).await?;
    metric.name = patch.name.unwrap_or(metric.name);
    metric.metric_identifier = patch.metric_identifier.unwrap_or(metric.metric_identifier);
    metric.updated_at = now.after(metric.updated_at);
    query("UPDATE metrics SET name = ?, metric_identifier = ?, updated_at = ? WHERE id = ?")
        .bind(&metric.name)
        .bind(&metric.metric_identifier)
        .bind(metric.updated_at)
        .bind(id.as_str())
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(metric)
}

/// Deletes a metric with its points.
pub(in crate::keeper) async fn delete(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &MetricId,
) -> Result<Metric, KeeperError> {
    let mut tx = db.begin().await?;
    let metric = find(&mut tx, page, id).await?;
    series_rows::delete(&mut tx, &series_of(id.as_str())).await?;
    query("DELETE FROM metrics WHERE id = ?").bind(id.as_str()).execute(&mut tx).await?;
    deleted::record(&mut tx, page, Kind::Metric, id.as_str(), now).await?;
    tx.commit().await?;
    Ok(metric)
}

/// Deletes all points of a metric.
pub(in crate::keeper) async fn reset(db: &Db, page: &PageId, id: &MetricId) -> Result<Metric, KeeperError> {
    let mut tx = db.begin().await?;
    let mut metric = find(&mut tx, page, id).await?;
    series_rows::delete(&mut tx, &series_of(id.as_str())).await?;
    drop_metric(&mut tx, id).await?;
    tx.commit().await?;
    metric.most_recent_data_at = None;
    Ok(metric)
}

/// The metric's row, and the time of its latest point.
pub(in crate::keeper) async fn find(conn: &mut Conn, page: &PageId, id: &MetricId) -> Result<Metric, KeeperError> {
    let find = query("SELECT * FROM metrics WHERE page_id = ? AND id = ?").bind(page.as_str()).bind(id.as_str());
    let found: Option<Metric> = find.optional(conn).await?;
    let mut metric = found.ok_or_else(|| KeeperError::NotFound(format!("metric {id} of page {page}")))?;
    metric.most_recent_data_at = latest::latest(conn, &series_of(id.as_str())).await?;
    Ok(metric)
}

/// Whether its points are sent upstream.
pub(super) async fn is_relayed(conn: &mut Conn, id: &MetricId) -> Result<bool, KeeperError> {
    let find = query("SELECT relayed FROM metrics WHERE id = ?").bind(id.as_str());
    Ok(find.optional(conn).await?.unwrap_or(false))
}

impl FromRow for Metric {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            metrics_provider_id: row.get("metrics_provider_id")?,
            metric_identifier: row.get("metric_identifier")?,
            name: row.get("name")?,
            display: row.get("display")?,
            tooltip_description: row.get("tooltip_description")?,
            y_axis_min: row.get("y_axis_min")?,
            y_axis_max: row.get("y_axis_max")?,
            y_axis_hidden: row.get("y_axis_hidden")?,
            suffix: row.get("suffix")?,
            decimal_places: row.get("decimal_places")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
            most_recent_data_at: None,
        })
    }
}
