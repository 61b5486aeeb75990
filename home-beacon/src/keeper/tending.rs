//! What a keeper does without being asked, and what it says at its start.

use shared::{chain::deepest, id::PageId};
use tokio::time::sleep;

use super::{
    AGAIN,
    store::{Backlog, Dated, Store, StoreError},
};

/// Says that the keeper is alive where no reading does.
pub(super) async fn beat(store: &Store) {
    loop {
        sleep(store.beat_alone().await.unwrap_or(AGAIN)).await;
    }
}

/// Dates what came in before the clock was set.
pub(super) async fn date(store: &Store) {
    let mut failed = false;
    loop {
        let result = store.date().await;
        match &result {
            Ok(Dated { dated: 0, lost: 0 }) => (),
            Ok(Dated { dated, lost: 0 }) => tracing::info!(dated, "the clock is set: what came before it is dated"),
            Ok(Dated { dated, lost }) => {
                tracing::warn!(dated, lost, "the clock is set, but of some readings nobody can know the time any more");
            }
            // Once: it is tried again and again.
            Err(error) if !failed => {
                tracing::warn!(cause = %deepest(error), "what came before the clock was set cannot be dated yet");
            }
            Err(_) => (),
        }
        failed = result.is_err();
        sleep(AGAIN).await;
    }
}

/// Tells how much waits for upstream.
pub(super) async fn tell_of_relay(store: &Store) -> Result<(), StoreError> {
    let Backlog { waiting, too_old, set_aside, .. } = store.backlog().await?;
    tracing::info!(waiting, too_old, set_aside, "points for upstream");
    Ok(())
}

/// Tells what is shown, with the ids that a prober needs, and what is kept but not shown.
pub(super) async fn tell(store: &Store, shown: &PageId) -> Result<(), StoreError> {
    for page in store.pages().await? {
        if page.id != *shown {
            tracing::warn!(page = %page.id, name = page.name, "this page is kept, but another one is shown");
            continue;
        }
        for component in store.components(shown, 0, u32::MAX).await? {
            tracing::info!(page = %shown, component = %component.id, name = component.name, "shown");
        }
        for (metric, name) in store.put_away(shown).await? {
            tracing::info!(
                metric,
                name,
                "this metric is kept, but not shown: the seed names it no more, or shows its readings by another"
            );
        }
    }
    Ok(())
}
