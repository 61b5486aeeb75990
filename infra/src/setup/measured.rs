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
    let known = own_data(client, &page).await?;
    let home = record.chosen().home.clone();
    let (mut missing, mut others) = (Vec::new(), Vec::new());
    for kind in KINDS {
        let is_ours = |it: &NamedMetric| record.has_made(&Made::Metric { page: page.clone(), id: it.id.clone() });
        if let Some(id) = ours(&known, &kind, record.chosen(), is_ours) {
            record.choose(|chosen| *(kind.of)(chosen) = Some(id))?;
            continue;
        }
        let other = known.iter().find(|metric| metric.name == kind.new.name);
        if let Some(other) = other
            && is_taken(asker, other).await?
        {
            record.choose(|chosen| *(kind.of)(chosen) = Some(other.id.clone()))?;
            continue;
        }
        record.choose(|chosen| *(kind.of)(chosen) = None)?;
        others.extend(other.map(|other| other.name.clone()));
        let name = match (other, &home) {
            // Another home's.
            (Some(_), Some(home)) => format!("{} {}", kind.new.name, home.as_str()),
            _ => kind.new.name.to_owned(),
        };
        missing.push((kind, name));
    }
    let names = missing.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" and ");
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
        _ if others.is_empty() => {
            return Ok(Outcome::Skipped(format!("the page {page} has no {names} (--metrics true makes them)")));
        }
        _ => {
            let others = others.join(" and ");
            let said = format!("the page {page} has {others}, and this setup did not make them: they stay as they are");
            return Ok(Outcome::Skipped(format!("{said} (--metrics true makes {names})")));
        }
    }
    let provider = provider(client, &page, record).await?;
    for (kind, name) in missing {
        let intent = Intent::Metric { page: page.clone(), name: name.clone() };
        let new = NewMetric { name: &name, ..kind.new };
        let adding = client.add_metric(&page, &provider, &new);
        let made = made_by(record, intent, adding, |it| Made::Metric { page: page.clone(), id: it.id.clone() }).await?;
        record.choose(|chosen| *(kind.of)(chosen) = Some(made.id))?;
    }
    Ok(Outcome::Done(format!("made {names} on the page {page}")))
}

/// The metrics of the page that are sent points: those that others fill take none.
async fn own_data(client: &Client, page: &PageId) -> anyhow::Result<Vec<NamedMetric>> {
    let providers = client.providers(page).await.map_err(|error| in_words(&error))?;
    let mut all = Vec::new();
    for provider in providers.iter().filter(|provider| provider.takes_points()) {
        all.extend(client.metrics_of(page, &provider.id).await.map_err(|error| in_words(&error))?);
    }
    Ok(all)
}

/// The one that was chosen before, else one that was made here.
fn ours(
    known: &[NamedMetric],
    kind: &Kind,
    chosen: &Chosen,
    is_ours: impl Fn(&NamedMetric) -> bool,
) -> Option<MetricId> {
    let before = kind.id(chosen);
    let chosen = known.iter().find(|metric| Some(&metric.id) == before.as_ref());
    let made = || known.iter().find(|metric| is_ours(metric) && kind_of(metric) == Some(kind.new.name));
    chosen.or_else(made).map(|metric| metric.id.clone())
}

/// What a metric shows, where it says of itself what a setup writes there.
pub(super) fn kind_of(metric: &NamedMetric) -> Option<&'static str> {
    let identifier = metric.metric_identifier.as_deref();
    KINDS.iter().find(|kind| Some(kind.new.identifier) == identifier).map(|kind| kind.new.name)
}

/// Whether this home is to fill a metric that somebody else has made, and may be filling.
async fn is_taken(asker: Asker, other: &NamedMetric) -> anyhow::Result<bool> {
    if asker.is_silent {
        return Ok(false);
    }
    let NamedMetric { id, name, .. } = other;
    let text = format!("The page has {name} ({id}), which this setup did not make; send it this home's: yes or no");
    asker.choose(Question { text: &text, flag: "--metrics", default: Some("no") }, yes_or_no).await
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

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(id: &str, kind: &Kind) -> NamedMetric {
        let (id, identifier) = (id.parse().unwrap(), Some(kind.new.identifier.to_owned()));
        NamedMetric { id, name: kind.new.name.to_owned(), metric_identifier: identifier }
    }

    #[test]
    fn a_metric_of_another_home_is_not_taken_by_its_name() {
        let [latency, bandwidth] = KINDS;
        let known = [metric("8kbf7d35c070", &latency), metric("9kbf7d35c071", &latency)];
        let mut chosen = Chosen::default();
        assert_eq!(ours(&known, &latency, &chosen, |_| false), None, "it has the name, and even the identifier");
        let second = |it: &NamedMetric| it.id == known[1].id;
        assert_eq!(ours(&known, &latency, &chosen, second), Some(known[1].id.clone()));
        assert_eq!(ours(&known, &bandwidth, &chosen, second), None, "it shows another thing");
        chosen.latency = Some(known[0].id.clone());
        assert_eq!(ours(&known, &latency, &chosen, second), Some(known[0].id.clone()), "that was chosen");
    }
}
