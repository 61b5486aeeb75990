//! What jobs remember between runs: one small JSON document for each, replaced whole.

use serde_json::Value;

use super::{
    KeeperError,
    db::{Db, Moment, query},
    notices::Notices,
};

/// How many jobs' states are kept; beyond that the one that was written longest ago is deleted. A client that makes up names
/// must not fill the disk.
const MAX_JOBS: i64 = 100;

/// What a job remembers.
pub(super) async fn get(db: &Db, job: &str) -> Result<Value, KeeperError> {
    let find = query("SELECT document FROM job_states WHERE job = ?").bind(job);
    let found = find.optional(&mut db.read().await?).await?;
    found.ok_or_else(|| KeeperError::NotFound(format!("a state of the job {job}")))
}

/// Replaces what a job remembers, if `may_replace` says of what there is now (nothing, or a document) that it may be.
///
/// # Errors
/// When it may not, or the storage fails; the document that there was stays.
pub async fn set(
    (db, notices): (&Db, &Notices),
    now: Moment,
    job: &str,
    document: &Value,
    may_replace: impl FnOnce(Option<&Value>) -> bool + Send,
) -> Result<(), KeeperError> {
    let mut tx = db.begin().await?;
    let find = query("SELECT document FROM job_states WHERE job = ?").bind(job);
    let found: Option<Value> = find.optional(&mut tx).await?;
    if !may_replace(found.as_ref()) {
        return Err(KeeperError::Conflict(format!("the state of the job {job}")));
    }
    let save = "INSERT INTO job_states (job, document, updated_at) VALUES (?, ?, ?)
                ON CONFLICT (job) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at";
    query(save).bind(job).bind(document.to_string()).bind(now).execute(&mut tx).await?;
    let bound = "DELETE FROM job_states WHERE job IN
                     (SELECT job FROM job_states ORDER BY updated_at DESC, rowid DESC LIMIT -1 OFFSET ?)";
    query(bound).bind(MAX_JOBS).execute(&mut tx).await?;
    notices.learn_state(&mut tx, job, (found.as_ref(), document), now.timestamp()).await?;
    tx.commit().await?;
    notices.wake();
    Ok(())
}
