//! What a keeper begins with that has no seed.

use shared::id::{ComponentId, MetricId, PageId, WrongShape};

use super::{
    super::{
        Page, Store, StoreError,
        deleted::{self, Kind},
        new_id,
    },
    Origin, seed_metric,
};
use crate::{
    keeper::seed::{Seed, SeedComponent, SeedMetric, SeedPage},
    reading::Field,
};

/// What a keeper without a seed begins with, so that it is of use at once.
const FIRST_PAGE: &str = "Home";
const FIRST_COMPONENT: &str = "Home internet";
/// Name, unit, decimal places and readings.
const FIRST_METRICS: [(&str, &str, u8, &str); 2] =
    [("Latency", "ms", 1, "ping"), ("Bandwidth", "Mbit/s", 0, "bandwidth")];

impl Store {
    /// The page that is shown without a seed: the one that was shown last, else the newest one. It is made with one component
    /// where there is none yet, and with the usual metrics where it never had any.
    ///
    /// # Errors
    /// When the storage is in trouble.
    pub async fn first_page(&self) -> Result<PageId, StoreError> {
        let mut change = self.begin_write().await?;
        self.unmark(&mut change, None).await?;
        change.commit().await?;
        let shown: Option<String> = sqlx::query_scalar("SELECT page_id FROM shown").fetch_optional(&self.read).await?;
        let was_shown = |page: &Page| shown.as_deref() == Some(page.id.as_str());
        let page = match self.pages().await?.into_iter().max_by_key(|page| (was_shown(page), page.created_at)) {
            Some(page) => page.id,
            None => self.seed(&first_seed().map_err(wrong)?).await?,
        };
        if self.metrics_providers(&page).await?.is_empty() {
            let mut change = self.begin_write().await?;
            if deleted::any(&mut change, &page, Kind::Metric).await? {
                return Ok(page);
            }
            for (name, suffix, decimal_places, reading) in FIRST_METRICS {
                let metric = SeedMetric {
                    id: MetricId::try_from(new_id()).map_err(wrong)?,
                    name: name.into(),
                    suffix: Some(suffix.into()),
                    decimal_places,
                    reading: reading.parse().ok(),
                    field: Field::Value,
                    relay: false,
                    hold: None,
                };
                seed_metric(&mut change, &page, &metric, Origin::Start, self.now()).await?;
            }
            change.commit().await?;
        }
        Ok(page)
    }
}

fn first_seed() -> Result<Seed, WrongShape> {
    Ok(Seed {
        page: SeedPage {
            id: PageId::try_from(new_id())?,
            name: FIRST_PAGE.into(),
            description: None,
            url: None,
            time_zone: "UTC".into(),
        },
        components: vec![SeedComponent {
            id: ComponentId::try_from(new_id())?,
            name: FIRST_COMPONENT.into(),
            description: None,
            relay: false,
        }],
        metrics: Vec::new(),
    })
}

fn wrong(error: WrongShape) -> StoreError {
    StoreError::Contradiction(error.to_string())
}
