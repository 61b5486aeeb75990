//! Which components the seed names, and which ones it did once; and what of them, and of the metrics, it marks to be relayed.

use shared::id::{ComponentId, PageId};

use super::{Seed, SeedComponent};
use crate::keeper::{
    KeeperError,
    db::{Query, Tx, built, query},
    outbox::points::drop_unrelayed,
};

impl Seed {
    /// The component that is this home: the beacon's, or the first whose status this home does not send upstream itself.
    pub fn home(&self) -> Option<&ComponentId> {
        let named = self.components.iter().find(|component| component.beacon);
        named.or_else(|| self.components.iter().find(|component| !component.relay)).map(|component| &component.id)
    }
}

/// Marks the components that the seed names, and those that it names no more; writes only what has changed.
pub(super) async fn mark_seeded(tx: &mut Tx, page: &PageId, named: &[SeedComponent]) -> Result<(), KeeperError> {
    for component in named {
        let mark = query("UPDATE components SET seeded = 1 WHERE id = ? AND seeded IS NOT 1");
        mark.bind(component.id.as_str()).execute(tx).await?;
    }
    let ids = places(named.len());
    let unmark =
        built(format!("UPDATE components SET seeded = 0 WHERE page_id = ? AND seeded = 1 AND id NOT IN ({ids})"));
    let unmark = unmark.bind(page.as_str());
    named.iter().fold(unmark, |unmark, component| unmark.bind(component.id.as_str())).execute(tx).await?;
    Ok(())
}

/// Marks a component as one whose status is sent upstream, or is not.
pub(super) async fn set_relayed(tx: &mut Tx, id: &ComponentId, is_relayed: bool) -> Result<(), KeeperError> {
    // What is sent upstream is no copy of upstream's.
    let mark =
        query("UPDATE components SET relayed = ?1, mirrored = mirrored AND NOT ?1 WHERE id = ?2 AND relayed IS NOT ?1");
    mark.bind(is_relayed).bind(id.as_str()).execute(tx).await?;
    Ok(())
}

/// Marks a component as one that somebody is expected to look at, or not.
pub(super) async fn set_looked_at(tx: &mut Tx, id: &ComponentId, is_looked_at: bool) -> Result<(), KeeperError> {
    let mark = query("UPDATE components SET looks = ?1 WHERE id = ?2 AND looks IS NOT ?1 AND NOT checked");
    mark.bind(is_looked_at).bind(id.as_str()).execute(tx).await?;
    Ok(())
}

/// Takes the mark of what is relayed from everything that the seed does not mark, and drops what is queued of it.
pub(super) async fn unmark_relayed(tx: &mut Tx, seed: Option<&Seed>) -> Result<(), KeeperError> {
    let components = seed.iter().flat_map(|seed| &seed.components).filter(|component| component.relay);
    let components: Vec<_> = components.map(|component| component.id.as_str()).collect();
    let metrics = seed.iter().flat_map(|seed| &seed.metrics).filter(|metric| metric.relay);
    let metrics: Vec<_> = metrics.map(|metric| metric.id.as_str()).collect();
    for (text, kept) in [
        ("UPDATE components SET relayed = 0, delivered = NULL WHERE relayed AND id NOT IN", components),
        ("UPDATE metrics SET relayed = 0, held = 0 WHERE relayed AND id NOT IN", metrics),
    ] {
        let unmark = built(format!("{text} ({})", places(kept.len())));
        kept.into_iter().fold(unmark, Query::bind).execute(tx).await?;
    }
    drop_unrelayed(tx).await
}

/// As many parameters.
pub(super) fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}
