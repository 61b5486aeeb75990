//! Applies a seed: at every start, without deleting anything and without touching a status.
//!
//! What a client has deleted stays deleted. A metric that an earlier seed named and this one does not, or that shows what
//! one of this seed shows, is put away: nothing feeds it and the page does not show it, but its points stay, and it comes
//! back when a seed names it again.

mod first;

use std::collections::BTreeSet;

use shared::id::PageId;
use sqlx::SqliteConnection;

use super::{
    Moment, Page, Store, StoreError, components,
    deleted::{self},
    metrics, outside, pages, queue, seeded,
};
use crate::keeper::seed::{Seed, SeedComponent, SeedMetric, SeedPage};

impl Store {
    /// Makes the seed's page, components and metrics where they are missing and brings them up to date.
    /// Returns the page that is shown.
    ///
    /// # Errors
    /// When an id is already another page's.
    pub async fn seed(&self, seed: &Seed) -> Result<PageId, StoreError> {
        let now = self.now();
        let mut change = self.begin_write().await?;
        seed_page(&mut change, &seed.page, now).await?;
        self.unmark(&mut change, Some(seed)).await?;
        let metrics: BTreeSet<&str> = seed.metrics.iter().map(|metric| metric.id.as_str()).collect();
        let components = seed.components.iter().map(|component| component.id.as_str());
        let deleted =
            deleted::of(&mut change, &seed.page.id, &metrics.iter().copied().chain(components).collect()).await?;
        for (position, component) in (1..).zip(&seed.components) {
            if deleted.contains(component.id.as_str()) {
                continue;
            }
            seed_component(&mut change, &seed.page.id, component, position, now).await?;
            outside::set_relayed(&mut change, &component.id, component.relay).await?;
        }
        seeded::mark(&mut change, &seed.page.id, &seed.components).await?;
        for metric in seed.metrics.iter().filter(|metric| !deleted.contains(metric.id.as_str())) {
            seed_metric(&mut change, &seed.page.id, metric, Origin::Seed, now).await?;
        }
        put_away(&mut change, &seed.page.id, &metrics, now).await?;
        let query = "INSERT INTO shown (only_one, page_id) VALUES (1, ?) ON CONFLICT (only_one) DO UPDATE
                     SET page_id = excluded.page_id WHERE shown.page_id <> excluded.page_id";
        sqlx::query(query).bind(seed.page.id.as_str()).execute(&mut *change).await?;
        change.commit().await?;
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
    pub async fn put_away(&self, page: &PageId) -> Result<Vec<(String, String)>, StoreError> {
        let query = "SELECT id, name FROM metrics WHERE page_id = ? AND seeded = 2 ORDER BY id";
        Ok(sqlx::query_as(query).bind(page.as_str()).fetch_all(&self.read).await?)
    }

    /// Takes the mark of what is told upstream from everything that the seed does not mark.
    async fn unmark(&self, connection: &mut SqliteConnection, seed: Option<&Seed>) -> Result<(), StoreError> {
        let marked = |relay: bool, id: &str| relay.then(|| id.to_owned());
        let seed = seed.into_iter();
        let components: Vec<_> =
            seed.clone().flat_map(|seed| &seed.components).filter_map(|it| marked(it.relay, it.id.as_str())).collect();
        let metrics: Vec<_> =
            seed.flat_map(|seed| &seed.metrics).filter_map(|it| marked(it.relay, it.id.as_str())).collect();
        for (query, kept) in [
            ("UPDATE components SET relayed = 0, delivered = NULL WHERE relayed AND id NOT IN", components),
            ("UPDATE metrics SET relayed = 0, held = 0 WHERE relayed AND id NOT IN", metrics),
        ] {
            let query = format!("{query} ({})", vec!["?"; kept.len()].join(", "));
            let unmark = kept.iter().fold(sqlx::query(sqlx::AssertSqlSafe(query)), sqlx::query::Query::bind);
            unmark.execute(&mut *connection).await?;
        }
        queue::drop_unmarked(connection).await
    }
}

async fn seed_page(connection: &mut SqliteConnection, seed: &SeedPage, now: Moment) -> Result<(), StoreError> {
    let seeded = match pages::page(connection, &seed.id).await {
        Ok(page)
            if page.name == seed.name
                && page.description == seed.description
                && page.url == seed.url
                && page.time_zone == seed.time_zone =>
        {
            return Ok(());
        }
        Ok(page) => Page { updated_at: now.after(page.updated_at), ..page },
        Err(StoreError::NotFound(_)) => Page {
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
    pages::save(connection, &seeded).await
}

/// Who has made a metric.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// A seed, which may put it away.
    Seed,
    /// The first start without one.
    Start,
}

/// Puts away what this seed has left out, and what it has given another id.
async fn put_away(
    connection: &mut SqliteConnection,
    page: &PageId,
    named: &BTreeSet<&str>,
    now: Moment,
) -> Result<(), StoreError> {
    let listed = vec!["?"; named.len()].join(", ");
    let query = format!(
        "UPDATE metrics SET display = 0, reading = NULL, seeded = 2, updated_at = ?
         WHERE page_id = ? AND seeded <> 2 AND id NOT IN ({listed}) AND (seeded = 1 OR EXISTS (
             SELECT 1 FROM metrics other WHERE other.reading = metrics.reading AND other.field = metrics.field
                 AND other.page_id = metrics.page_id AND other.id IN ({listed})))"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(now.millis()).bind(page.as_str());
    let query = named.iter().chain(named).fold(query, |query, id| query.bind(*id));
    query.execute(connection).await?;
    Ok(())
}

async fn seed_metric(
    connection: &mut SqliteConnection,
    page: &PageId,
    seed: &SeedMetric,
    origin: Origin,
    now: Moment,
) -> Result<(), StoreError> {
    let taken: Option<String> = sqlx::query_scalar("SELECT page_id FROM metrics WHERE id = ?")
        .bind(seed.id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(other) = taken.filter(|other| other != page.as_str()) {
        return Err(StoreError::Contradiction(format!(
            "metric {} belongs to page {other}: keep that page's id, or give the metric another one",
            seed.id
        )));
    }
    let provider: Option<String> =
        sqlx::query_scalar("SELECT id FROM metrics_providers WHERE page_id = ? ORDER BY created_at, id")
            .bind(page.as_str())
            .fetch_optional(&mut *connection)
            .await?;
    let provider = match provider {
        Some(id) => id,
        None => metrics::create_provider(connection, page, now).await?.id.to_string(),
    };
    // Written only where it differs: a start must not touch the disk for nothing.
    sqlx::query(
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
    .bind(seed.reading.as_ref().map(crate::reading::Metric::as_str))
    .bind(seed.field.as_str())
    .bind(seed.relay)
    .bind(seed.is_held())
    .bind(now.millis())
    .bind(matches!(origin, Origin::Seed))
    .execute(connection)
    .await?;
    Ok(())
}

async fn seed_component(
    connection: &mut SqliteConnection,
    page: &PageId,
    seed: &SeedComponent,
    position: i64,
    now: Moment,
) -> Result<(), StoreError> {
    match components::component(connection, page, &seed.id).await {
        Ok(mut component) => {
            if component.name != seed.name
                || component.description != seed.description
                || component.position != position
            {
                component.name.clone_from(&seed.name);
                component.description.clone_from(&seed.description);
                component.position = position;
                component.updated_at = now.after(component.updated_at);
                components::save(connection, &component).await?;
            }
            Ok(())
        }
        Err(StoreError::NotFound(_)) => {
            let taken: Option<String> = sqlx::query_scalar("SELECT page_id FROM components WHERE id = ?")
                .bind(seed.id.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(other) = taken {
                return Err(StoreError::Contradiction(format!(
                    "component {} belongs to page {other}: keep that page's id, or give the component another one",
                    seed.id
                )));
            }
            let mut component = components::fresh(seed.id.clone(), page, seed.name.clone(), position, now);
            component.description.clone_from(&seed.description);
            components::insert(connection, &component).await
        }
        Err(error) => Err(error),
    }
}
