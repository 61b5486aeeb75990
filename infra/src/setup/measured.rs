//! The metrics of the page that get what is measured at home: found by name, or made.

use shared::{
    id::{MetricId, MetricsProviderId, PageId},
    statuspage::{Client, MetricsProvider, NamedMetric, NewMetric},
};

use super::{
    Outcome,
    ask::{Asker, Question},
    made::{Intent, Made},
    mend::made_by,
    record::{Chosen, Record},
    settings::SetupSettings,
    status_page::in_words,
    yes_or_no,
};

/// What the home measures that a page can show: statuspage.io's free plan has two metrics.
pub(super) const KINDS: [Kind; 2] = [
    Kind {
        new: NewMetric {
            name: "Latency",
            identifier: "porchlight.latency",
            suffix: "ms",
            decimal_places: 1,
            description: "Round-trip time from the home to a server on the internet",
        },
        of: |chosen| &mut chosen.latency,
    },
    Kind {
        new: NewMetric {
            name: "Bandwidth",
            identifier: "porchlight.bandwidth",
            suffix: "Mbit/s",
            decimal_places: 1,
            description: "What the home's line downloads in a second",
        },
        of: |chosen| &mut chosen.bandwidth,
    },
];

/// A metric, and where its id is noted.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) new: NewMetric<'static>,
    of: fn(&mut Chosen) -> &mut Option<MetricId>,
}

impl Kind {
    /// The id of the one that was chosen.
    pub(super) fn id(&self, chosen: &Chosen) -> Option<MetricId> {
        (self.of)(&mut chosen.clone()).clone()
    }
}

/// Finds them, and makes those that are missing.
///
/// # Errors
/// When the page cannot be asked, or does not take them.
pub(super) async fn metrics(
    asker: Asker,
    settings: &SetupSettings,
    client: &Client,
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    let Some(page) = record.chosen().page.clone() else { anyhow::bail!("the page is not known: run this again") };
    let mut wanted = settings.metrics.or(record.chosen().metrics);
    if wanted == Some(false) {
        record.choose(|it| (it.metrics, it.latency, it.bandwidth) = (wanted, None, None))?;
        return Ok(Outcome::Skipped("they are not wanted (--metrics false)".into()));
    }
    let known = client.named_metrics(&page).await.map_err(|error| in_words(&error))?;
    let mut missing = Vec::new();
    for kind in KINDS {
        match one(&known, kind.id(record.chosen()).as_ref(), kind.new.name)? {
            Some(id) => record.choose(|chosen| *(kind.of)(chosen) = Some(id))?,
            None => missing.push(kind),
        }
    }
    let names = missing.iter().map(|kind| kind.new.name).collect::<Vec<_>>().join(" and ");
    if missing.is_empty() {
        return Ok(Outcome::Already(format!("the page {page} has Latency and Bandwidth")));
    }
    if wanted.is_none() && !asker.is_silent {
        let text = format!("The page can show what is measured at home; make its metrics {names}: yes or no");
        wanted =
            Some(asker.choose(Question { text: &text, flag: "--metrics", default: Some("yes") }, yes_or_no).await?);
        record.choose(|chosen| chosen.metrics = wanted)?;
    }
    match wanted {
        Some(true) if settings.dry_run => {
            return Ok(Outcome::Skipped(format!("{names} would be made on the page {page}")));
        }
        Some(true) => record.choose(|chosen| chosen.metrics = wanted)?,
        _ => return Ok(Outcome::Skipped(format!("the page {page} has no {names} (--metrics true makes them)"))),
    }
    let provider = provider(client, &page, record).await?;
    for kind in missing {
        let intent = Intent::Metric { page: page.clone(), name: kind.new.name.to_owned() };
        let adding = client.add_metric(&page, &provider, &kind.new);
        let made = made_by(record, intent, adding, |it| Made::Metric { page: page.clone(), id: it.id.clone() }).await?;
        record.choose(|chosen| *(kind.of)(chosen) = Some(made.id))?;
    }
    Ok(Outcome::Done(format!("made {names} on the page {page}")))
}

/// The one that was chosen before, else the one of that name.
fn one(known: &[NamedMetric], before: Option<&MetricId>, name: &str) -> anyhow::Result<Option<MetricId>> {
    if let Some(before) = before.filter(|before| known.iter().any(|metric| metric.id == **before)) {
        return Ok(Some(before.clone()));
    }
    let same: Vec<_> = known.iter().filter(|metric| metric.name == name).collect();
    match same.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.id.clone())),
        _ => anyhow::bail!(
            "the page has several metrics called {name}: give one another name, or leave them out by --metrics false"
        ),
    }
}

/// What takes points: a page has it with its first metric of one's own data.
async fn provider(client: &Client, page: &PageId, record: &mut Record) -> anyhow::Result<MetricsProviderId> {
    let known = client.providers(page).await.map_err(|error| in_words(&error))?;
    if let Some(provider) = known.into_iter().find(MetricsProvider::takes_points) {
        return Ok(provider.id);
    }
    let intent = Intent::Provider { page: page.clone() };
    let adding = client.add_provider(page);
    let made = made_by(record, intent, adding, |it| Made::Provider { page: page.clone(), id: it.id.clone() }).await?;
    Ok(made.id)
}
