//! Carries a change out, carefully: the component is read again immediately before the write, and again before
//! every further try, because a try whose answer was lost may have been obeyed.

use shared::{api::ApiError, id::PageId};
use tokio::time::Instant;

use crate::{
    access::Access,
    plan::{Change, Still},
};

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    Written,
    /// Somebody else had done it.
    AlreadyDone,
    /// Somebody changed the component meanwhile; left to the next run.
    Left,
}

/// # Errors
/// When the change could not be published before `until`.
pub async fn apply(access: &Access<'_>, page: &PageId, change: &Change, until: Instant) -> Result<Applied, ApiError> {
    access
        .call(until, |client| async move {
            let now = client.component(page, &change.seen.id).await?;
            match change.still(&now) {
                Still::Done => Ok(Applied::AlreadyDone),
                Still::Moved => Ok(Applied::Left),
                Still::Due => {
                    client.set_status(page, &change.seen.id, change.to).await?;
                    Ok(Applied::Written)
                }
            }
        })
        .await
}
