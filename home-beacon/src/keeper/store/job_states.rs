//! What jobs remember: one small document for each, replaced whole.

use serde_json::Value;

use super::{Store, StoreError};

/// For how many jobs is remembered; beyond that the one that wrote longest ago is forgotten. A client that makes up names
/// must not fill the disk.
const MOST_JOBS: i64 = 100;

impl Store {
    pub async fn job_state(&self, job: &str) -> Result<Value, StoreError> {
        let query = sqlx::query_scalar("SELECT document FROM job_states WHERE job = ?").bind(job);
        let text: Option<String> = query.fetch_optional(&self.read).await?;
        read(&text.ok_or_else(|| StoreError::NotFound(format!("a state of the job {job}")))?)
    }

    /// Replaces what is remembered, if `may` says of what there is now (nothing, or a document) that it may be.
    pub async fn set_job_state(
        &self,
        job: &str,
        document: &Value,
        may: impl FnOnce(Option<&Value>) -> bool + Send,
    ) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let query = sqlx::query_scalar("SELECT document FROM job_states WHERE job = ?").bind(job);
        let text: Option<String> = query.fetch_optional(&mut *change).await?;
        let now = text.map(|text| read(&text)).transpose()?;
        if !may(now.as_ref()) {
            return Err(StoreError::Moved(format!("the state of the job {job}")));
        }
        let query = "INSERT INTO job_states (job, document, updated_at) VALUES (?, ?, ?)
                     ON CONFLICT (job) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at";
        let now = self.now().millis();
        sqlx::query(query).bind(job).bind(document.to_string()).bind(now).execute(&mut *change).await?;
        let forget = "DELETE FROM job_states WHERE job IN
                          (SELECT job FROM job_states ORDER BY updated_at DESC, rowid DESC LIMIT -1 OFFSET ?)";
        sqlx::query(forget).bind(MOST_JOBS).execute(&mut *change).await?;
        change.commit().await?;
        Ok(())
    }
}

fn read(text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()).into())
}
