//! Applies a seed: at every start, without deleting anything and without touching a status.

use shared::id::{ComponentId, PageId};
use sqlx::SqliteConnection;

use super::{Moment, Page, Store, StoreError, components, new_id, pages};
use crate::keeper::seed::{Seed, SeedComponent, SeedPage};

/// What a keeper without a seed begins with, so that it is of use at once.
const FIRST_PAGE: &str = "Home";
const FIRST_COMPONENT: &str = "Home internet";

impl Store {
    /// Makes the seed's page and components where they are missing and brings their texts and order up to date.
    /// Returns the page that is shown.
    ///
    /// # Errors
    /// When a component's id is already another page's.
    pub async fn seed(&self, seed: &Seed) -> Result<PageId, StoreError> {
        let now = self.now();
        let mut change = self.write.begin().await?;
        seed_page(&mut change, &seed.page, now).await?;
        for (position, component) in (1..).zip(&seed.components) {
            seed_component(&mut change, &seed.page.id, component, position, now).await?;
        }
        change.commit().await?;
        Ok(seed.page.id.clone())
    }

    /// The page that is shown without a seed: the oldest one, made with one component if there is none yet.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn first_page(&self) -> Result<PageId, StoreError> {
        if let Some(page) = self.pages().await?.into_iter().next() {
            return Ok(page.id);
        }
        let wrong = |error: shared::id::WrongShape| StoreError::Contradiction(error.to_string());
        let seed = Seed {
            page: SeedPage {
                id: PageId::try_from(new_id()).map_err(wrong)?,
                name: FIRST_PAGE.into(),
                description: None,
                url: None,
                time_zone: "UTC".into(),
            },
            components: vec![SeedComponent {
                id: ComponentId::try_from(new_id()).map_err(wrong)?,
                name: FIRST_COMPONENT.into(),
                description: None,
            }],
        };
        self.seed(&seed).await
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
