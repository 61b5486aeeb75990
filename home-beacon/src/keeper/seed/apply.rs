//! Applies a seed: at every start, without deleting anything and without touching a status.
//!
//! What a client has deleted stays deleted. A metric that an earlier seed named and this one does not, or that shows what
//! one of this seed shows, is put away: nothing feeds it and the page does not show it, but its points stay, and it comes
//! back when a seed names it again.

use std::collections::BTreeSet;

use shared::id::PageId;

use super::{
    Seed, SeedComponent, SeedMetric, SeedPage,
    marks::{mark_seeded, places, set_looked_at, set_relayed, unmark_relayed},
};
use crate::{
    keeper::{
        KeeperError,
        db::{Db, Moment, Tx, built, query},
        measured::metrics_providers,
        status::{Page, components, deleted, pages},
    },
    reading::MetricName,
};

/// Makes the seed's page, components and metrics where they are missing and brings them up to date.
/// Returns the page that is shown.
///
/// # Errors
/// When an id is already another page's, or the storage fails; nothing is changed then.
pub async fn apply(db: &Db, now: Moment, seed: &Seed) -> Result<PageId, KeeperError> {
    let mut tx = db.begin().await?;
    seed_page(&mut tx, &seed.page, now).await?;
    unmark_relayed(&mut tx, Some(seed)).await?;
    let metrics: BTreeSet<&str> = seed.metrics.iter().map(|metric| metric.id.as_str()).collect();
    let components = seed.components.iter().map(|component| component.id.as_str());
    let named = metrics.iter().copied().chain(components).collect();
    let deleted = deleted::of(&mut tx, &seed.page.id, &named).await?;
    for (position, component) in (1..).zip(&seed.components) {
        if deleted.contains(component.id.as_str()) {
            continue;
        }
        seed_component(&mut tx, &seed.page.id, component, position, now).await?;
        set_relayed(&mut tx, &component.id, component.relay).await?;
        set_looked_at(&mut tx, &component.id, component.is_looked_at()).await?;
    }
    mark_seeded(&mut tx, &seed.page.id, &seed.components).await?;
    for metric in seed.metrics.iter().filter(|metric| !deleted.contains(metric.id.as_str())) {
        seed_metric(&mut tx, &seed.page.id, metric, Origin::Seed, now).await?;
    }
    put_away(&mut tx, &seed.page.id, &metrics, now).await?;
    let show = "INSERT INTO shown (only_one, page_id) VALUES (1, ?) ON CONFLICT (only_one) DO UPDATE
                SET page_id = excluded.page_id WHERE shown.page_id <> excluded.page_id";
    query(show).bind(seed.page.id.as_str()).execute(&mut tx).await?;
    tx.commit().await?;
    for id in deleted {
        tracing::warn!(
            id,
            "the seed names this, but a client deleted it, so it is not made again: take it out of the seed; once a \
             start has not found it there, naming it makes it anew"
        );
    }
    Ok(seed.page.id.clone())
}

/// The metrics of a page that are put away, with their names.
pub(in crate::keeper) async fn metrics_put_away(db: &Db, page: &PageId) -> Result<Vec<(String, String)>, KeeperError> {
    let list = query("SELECT id, name FROM metrics WHERE page_id = ? AND seeded = 2 ORDER BY id");
    Ok(list.bind(page.as_str()).all(&mut db.read().await?).await?)
}

async fn seed_page(tx: &mut Tx, seed: &SeedPage, now: Moment) -> Result<(), KeeperError> {
    let seeded = match pages::find(tx, &seed.id).await {
        Ok(page)
            if page.name == seed.name
                && page.description == seed.description
                && page.url == seed.url
                && page.time_zone == seed.time_zone =>
        {
            return Ok(());
        }
        Ok(page) => Page { updated_at: now.after(page.updated_at), ..page },
        Err(KeeperError::NotFound(_)) => Page {
            id: seed.id.clone(),
            name: String::new(),
            description: None,
            url: None,
            domain: None,
            subdomain: None,
            time_zone: String::new(),
            created_at: now,
            updated_at: now,
        },
        Err(error) => return Err(error),
    };
    let seeded = Page {
        name: seed.name.clone(),
        description: seed.description.clone(),
        url: seed.url.clone(),
        time_zone: seed.time_zone.clone(),
        ..seeded
    };
    pages::save(tx, &seeded).await
}

/// What made a metric.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// A seed, which may put it away.
    Seed,
    /// The first start without one.
    Start,
}

/// Puts away what this seed has left out, and what it has given another id.
async fn put_away(tx: &mut Tx, page: &PageId, named: &BTreeSet<&str>, now: Moment) -> Result<(), KeeperError> {
    let listed = places(named.len());
    let put_away = built(format!(
        "UPDATE metrics SET display = 0, reading = NULL, seeded = 2, updated_at = ?
         WHERE page_id = ? AND seeded <> 2 AND id NOT IN ({listed}) AND (seeded = 1 OR EXISTS (
             SELECT 1 FROM metrics other WHERE other.reading = metrics.reading AND other.field = metrics.field
                 AND other.page_id = metrics.page_id AND other.id IN ({listed})))"
    ));
    let put_away = put_away.bind(now).bind(page.as_str());
    named.iter().chain(named).fold(put_away, |put_away, id| put_away.bind(*id)).execute(tx).await?;
    Ok(())
}

pub(super) async fn seed_metric(
    tx: &mut Tx,
    page: &PageId,
    seed: &SeedMetric,
    origin: Origin,
    now: Moment,
) -> Result<(), KeeperError> {
    let taken = query("SELECT page_id FROM metrics WHERE id = ?").bind(seed.id.as_str());
    let taken: Option<String> = taken.optional(tx).await?;
    if let Some(other) = taken.filter(|other| other != page.as_str()) {
        return Err(KeeperError::Invalid(format!(
            "metric {} belongs to page {other}: keep that page's id, or give the metric another one",
            seed.id
        )));
    }
    let provider = query("SELECT id FROM metrics_providers WHERE page_id = ? ORDER BY created_at, id LIMIT 1");
    let provider: Option<String> = provider.bind(page.as_str()).optional(tx).await?;
    let provider = match provider {
        Some(id) => id,
        None => metrics_providers::insert(tx, page, now).await?.id.to_string(),
    };
    // Written only where it differs: a start must not touch the disk for nothing.
    query(
        "INSERT INTO metrics (id, page_id, metrics_provider_id, name, display, y_axis_hidden, suffix, decimal_places,
             reading, field, relayed, held, created_at, updated_at, seeded)
         VALUES (?1, ?2, ?3, ?4, true, false, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, suffix = excluded.suffix,
             decimal_places = excluded.decimal_places, reading = excluded.reading, field = excluded.field,
             relayed = excluded.relayed, held = excluded.held, updated_at = excluded.updated_at,
             seeded = excluded.seeded, display = CASE metrics.seeded WHEN 2 THEN 1 ELSE metrics.display END
         WHERE (name, suffix, decimal_places, reading, field, relayed, held, seeded) IS NOT
             (excluded.name, excluded.suffix, excluded.decimal_places, excluded.reading, excluded.field,
              excluded.relayed, excluded.held, excluded.seeded)",
    )
    .bind(seed.id.as_str())
    .bind(page.as_str())
    .bind(provider)
    .bind(&seed.name)
    .bind(&seed.suffix)
    .bind(i64::from(seed.decimal_places))
    .bind(seed.reading.as_ref().map(MetricName::as_str))
    .bind(seed.field.as_str())
    .bind(seed.relay)
    .bind(seed.is_held())
    .bind(now)
    .bind(matches!(origin, Origin::Seed))
    .execute(tx)
    .await?;
    Ok(())
}

async fn seed_component(
    tx: &mut Tx,
    page: &PageId,
    seed: &SeedComponent,
    position: i64,
    now: Moment,
) -> Result<(), KeeperError> {
    match components::find(tx, page, &seed.id).await {
        Ok(mut component) => {
            if component.name != seed.name
                || component.description != seed.description
                || component.position != position
            {
                component.name.clone_from(&seed.name);
                component.description.clone_from(&seed.description);
                component.position = position;
                component.updated_at = now.after(component.updated_at);
                components::save(tx, &component).await?;
            }
            Ok(())
        }
        Err(KeeperError::NotFound(_)) => {
            let taken = query("SELECT page_id FROM components WHERE id = ?").bind(seed.id.as_str());
            let taken: Option<String> = taken.optional(tx).await?;
            if let Some(other) = taken {
                return Err(KeeperError::Invalid(format!(
                    "component {} belongs to page {other}: keep that page's id, or give the component another one",
                    seed.id
                )));
            }
            let mut component = components::fresh(seed.id.clone(), page, seed.name.clone(), position, now);
            component.description.clone_from(&seed.description);
            components::insert(tx, &component).await
        }
        Err(error) => Err(error),
    }
}
