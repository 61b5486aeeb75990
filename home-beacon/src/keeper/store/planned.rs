//! Incidents as the page lists them: what is planned, soonest first, and what is over, latest first. Neither pushes the other
//! off.

use jiff::Timestamp;
use shared::id::PageId;

use super::{Incident, Moment, Store, StoreError, incident_rows::fill};

impl Store {
    /// Maintenance that is planned and was to end after `since`, the soonest first; and how many there are in all.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn planned(
        &self,
        page: &PageId,
        since: Timestamp,
        limit: u32,
    ) -> Result<(Vec<Incident>, i64), StoreError> {
        const PLANNED: &str = "FROM incidents WHERE page_id = ? AND status = 'scheduled'
                               AND COALESCE(scheduled_until, scheduled_for, ?2) >= ?2";
        let query = format!("SELECT COUNT(*) {PLANNED}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .bind(page.as_str())
            .bind(Moment::new(since).millis())
            .fetch_one(&self.read)
            .await?;
        let query = format!("SELECT * {PLANNED} ORDER BY scheduled_for, id LIMIT ?3");
        Ok((self.listed(&query, page, since, limit).await?, count))
    }

    /// What is over, and has been since some time after `since`, the latest first.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn over(&self, page: &PageId, since: Timestamp, limit: u32) -> Result<Vec<Incident>, StoreError> {
        // What is told afterwards is over since then, not since it was told.
        let query = "SELECT * FROM incidents WHERE page_id = ? AND status IN ('resolved', 'completed')
                     AND COALESCE(resolved_at, updated_at) >= ?2
                     ORDER BY COALESCE(resolved_at, updated_at) DESC, id LIMIT ?3";
        self.listed(query, page, since, limit).await
    }

    async fn listed(
        &self,
        query: &str,
        page: &PageId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Incident>, StoreError> {
        let mut connection = self.read.acquire().await?;
        let mut incidents: Vec<Incident> = sqlx::query_as(sqlx::AssertSqlSafe(query.to_owned()))
            .bind(page.as_str())
            .bind(Moment::new(since).millis())
            .bind(limit)
            .fetch_all(&mut *connection)
            .await?;
        for incident in &mut incidents {
            fill(&mut connection, incident).await?;
        }
        Ok(incidents)
    }
}
