//! What a keeper begins with that has no seed.

use shared::id::{ComponentId, MetricId, PageId, WrongShape};

use super::{
    Seed, SeedComponent, SeedMetric, SeedPage,
    apply::{Origin, apply, seed_metric},
    marks::unmark_relayed,
};
use crate::{
    keeper::{
        KeeperError,
        db::{Db, Moment, new_id, query},
        measured::metrics_providers,
        status::{
            Page,
            deleted::{self, Kind},
            pages,
        },
    },
    reading::Field,
};

/// What a keeper without a seed begins with, so that it is of use at once.
const FIRST_PAGE: &str = "Home";
const FIRST_COMPONENT: &str = "Home internet";
/// Name, unit, decimal places and readings.
const FIRST_METRICS: [(&str, &str, u8, &str); 2] =
    [("Latency", "ms", 1, "ping"), ("Bandwidth", "Mbit/s", 0, "bandwidth")];

/// The page that is shown without a seed: the one that was shown last, else the newest one. It is made with one component
/// where there is none yet, and with the usual metrics where it never had any.
///
/// # Errors
/// When the storage fails.
pub async fn first_page(db: &Db, now: Moment) -> Result<PageId, KeeperError> {
    let mut tx = db.begin().await?;
    unmark_relayed(&mut tx, None).await?;
    tx.commit().await?;
    let shown: Option<String> = query("SELECT page_id FROM shown").optional(&mut db.read().await?).await?;
    let was_shown = |page: &Page| shown.as_deref() == Some(page.id.as_str());
    let page = match pages::list(db).await?.into_iter().max_by_key(|page| (was_shown(page), page.created_at)) {
        Some(page) => page.id,
        None => apply(db, now, &first_seed().map_err(invalid)?).await?,
    };
    if metrics_providers::list(db, &page).await?.is_empty() {
        let mut tx = db.begin().await?;
        if deleted::any(&mut tx, &page, Kind::Metric).await? {
            return Ok(page);
        }
        for (name, suffix, decimal_places, reading) in FIRST_METRICS {
            let metric = SeedMetric {
                id: MetricId::try_from(new_id()).map_err(invalid)?,
                name: name.into(),
                suffix: Some(suffix.into()),
                decimal_places,
                reading: reading.parse().ok(),
                field: Field::Value,
                relay: false,
                hold: None,
            };
            seed_metric(&mut tx, &page, &metric, Origin::Start, now).await?;
        }
        tx.commit().await?;
    }
    Ok(page)
}

fn first_seed() -> Result<Seed, WrongShape> {
    Ok(Seed {
        page: SeedPage {
            id: PageId::try_from(new_id())?,
            name: FIRST_PAGE.into(),
            description: None,
            url: None,
            time_zone: "UTC".into(),
            logo: None,
            accent: None,
            accent_dark: None,
        },
        components: vec![SeedComponent {
            id: ComponentId::try_from(new_id())?,
            name: FIRST_COMPONENT.into(),
            description: None,
            relay: false,
            looks: None,
            beacon: false,
        }],
        metrics: Vec::new(),
    })
}

fn invalid(error: WrongShape) -> KeeperError {
    KeeperError::Invalid(error.to_string())
}
