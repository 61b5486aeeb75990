//! Where readings go: to a keeper, or without one to statuspage.io itself, which takes numbers only.

use std::time::Duration;

use shared::{
    api::{ApiError, Passing, Permanent},
    http::{Deadlines, client_for},
    id::{MetricId, PageId},
    keeper_token,
    online::Asked,
    retry,
    secret::SecretSetting,
    settings::WrongSetting,
    statuspage::{Client, Point},
};
use tokio::time::Instant;

use super::{
    keeper::Keeper,
    settings::{KEEPER_TOKEN, KeeperSettings, RunSettings, STATUSPAGE_TOKEN, StatuspageSettings},
};
use crate::reading::{Field, Metric, Outcome, Reading};

/// How much of a run's time is kept for handing over.
pub const HANDING_OVER: Duration = Duration::from_secs(10);

/// Where readings go.
#[derive(Clone, Debug)]
pub enum Destination {
    Keeper(Keeper),
    Statuspage(Page),
    /// A dry run, or a job that works without.
    Nowhere,
}

/// A page at statuspage.io, and what its metrics show.
#[derive(Clone, Debug)]
pub struct Page {
    client: Client,
    id: PageId,
    feeds: Vec<Feed>,
}

/// A metric of the page, and the part of the readings that it shows.
#[derive(Clone, Debug)]
pub struct Feed {
    pub metric: Metric,
    pub field: Field,
    pub id: MetricId,
}

/// What became of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedOver {
    All,
    /// A measurement failed, no metric shows that, and there is no keeper to record it.
    Nothing,
}

/// Readings could not be handed over.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub struct NotHandedOver {
    told: String,
}

impl Destination {
    /// The keeper where one is set.
    ///
    /// # Errors
    /// When its token is missing, or this machine can make no client.
    pub fn keeper(settings: &KeeperSettings) -> Result<Option<Keeper>, WrongSetting> {
        let Some(address) = &settings.keeper_url else { return Ok(None) };
        let token = KEEPER_TOKEN.require()?;
        keeper_token::is_not_the_key(&token, &token.name(KEEPER_TOKEN.name))?;
        let http = client_for([address], Deadlines::default()).map_err(|error| WrongSetting(error.to_string()))?;
        Ok(Some(Keeper::new(http, address, token)))
    }

    /// The keeper where there is one, else the page; nowhere in a dry run.
    ///
    /// # Errors
    /// When there is nowhere to hand over to, or something of the page is missing.
    pub fn choose(
        run: &RunSettings,
        keeper: Option<Keeper>,
        statuspage: &StatuspageSettings,
        feeds: Vec<Feed>,
    ) -> Result<Self, WrongSetting> {
        match keeper {
            _ if run.dry_run => Ok(Self::Nowhere),
            Some(keeper) => Ok(Self::Keeper(keeper)),
            None => Page::new(statuspage, feeds).map(Self::Statuspage),
        }
    }

    /// What was set, in words.
    pub fn told(&self) -> &'static str {
        match self {
            Self::Keeper(_) => "readings go to the keeper",
            Self::Statuspage(_) => "numbers go to the status page",
            Self::Nowhere => "nothing is handed over",
        }
    }

    /// Asks whether what readings go to is there, and takes the token.
    pub async fn ask(&self, job: &str) -> Vec<Asked> {
        let until = Instant::now() + HANDING_OVER;
        match self {
            Self::Nowhere => Vec::new(),
            Self::Keeper(keeper) => {
                let state = retry::silently(until, || keeper.state(job)).await;
                let failed = |error: &ApiError| not_handed_over(error, "KEEPER_URL", KEEPER_TOKEN).to_string();
                vec![Asked::of("the keeper", state.as_ref().map(|_| "is there, and takes the token"), failed)]
            }
            Self::Statuspage(page) => page.ask(until).await,
        }
    }

    /// Hands readings over, trying again until `until`.
    ///
    /// # Errors
    /// When that was not to be had, or was refused.
    pub async fn hand_over(&self, readings: &[Reading], until: Instant) -> Result<HandedOver, NotHandedOver> {
        match self {
            Self::Nowhere => Ok(HandedOver::All),
            Self::Keeper(keeper) => {
                let stored = retry::silently(until, || keeper.store(readings)).await;
                stored.map(|()| HandedOver::All).map_err(|error| not_handed_over(&error, "KEEPER_URL", KEEPER_TOKEN))
            }
            Self::Statuspage(page) => page.add(readings, until).await.map_err(|error| not_published(&error)),
        }
    }
}

impl Page {
    fn new(settings: &StatuspageSettings, feeds: Vec<Feed>) -> Result<Self, WrongSetting> {
        let wrong = |text: &str| Err(WrongSetting(text.to_owned()));
        let id = match (&settings.page_id, feeds.is_empty()) {
            (Some(page), false) => page.clone(),
            (Some(_), true) => return wrong("PAGE_ID is set without a metric: set METRIC_ID too"),
            (None, false) => return wrong("a metric is set without a page: set PAGE_ID too"),
            (None, true) => {
                return wrong(
                    "there is nowhere to hand over to: set KEEPER_URL, or PAGE_ID and METRIC_ID, or try with --dry-run",
                );
            }
        };
        let token = STATUSPAGE_TOKEN.require()?;
        let name = token.name(STATUSPAGE_TOKEN.name);
        keeper_token::at_start(&token, &name, &settings.statuspage_url, "STATUSPAGE_URL")?;
        let http = client_for([&settings.statuspage_url], Deadlines::default())
            .map_err(|error| WrongSetting(error.to_string()))?;
        Ok(Self { client: Client::new(http, &settings.statuspage_url, token), id, feeds })
    }

    async fn ask(&self, until: Instant) -> Vec<Asked> {
        let mut asked = Vec::new();
        for Feed { id, .. } in &self.feeds {
            let metric = retry::until(until, || self.client.metric(&self.id, id)).await;
            let failed = |error: &ApiError| not_published(error).to_string();
            let what = format!("the metric {id} of the page {}", self.id);
            asked.push(Asked::of(&what, metric.as_ref().map(|_| "is there, and the token is taken"), failed));
        }
        asked
    }

    async fn add(&self, readings: &[Reading], until: Instant) -> Result<HandedOver, ApiError> {
        // What was skipped, or spoilt by a bandwidth test, is left out on purpose.
        let failed = readings.iter().any(|reading| matches!(reading.outcome, Outcome::Failure(_)));
        let mut handed_over = if failed { HandedOver::Nothing } else { HandedOver::All };
        let mut trouble = None;
        for (metric, point) in points(readings, &self.feeds) {
            match retry::until(until, || self.client.add_point(&self.id, metric, point)).await {
                Ok(()) => handed_over = HandedOver::All,
                // A wrong metric must not cost the others their points.
                Err(error) => drop(trouble.get_or_insert(error)),
            }
        }
        trouble.map_or(Ok(handed_over), Err)
    }
}

/// What the metrics show of the readings.
fn points<'a>(readings: &'a [Reading], feeds: &'a [Feed]) -> impl Iterator<Item = (&'a MetricId, Point)> {
    feeds.iter().flat_map(move |feed| {
        let shown = readings.iter().filter(|reading| reading.metric == feed.metric);
        shown.filter_map(|reading| {
            Some((&feed.id, Point { timestamp: reading.at.as_second(), value: reading.shown(feed.field)? }))
        })
    })
}

fn not_published(error: &ApiError) -> NotHandedOver {
    let named = if matches!(error, ApiError::Permanent(Permanent { status: 404, .. })) {
        "PAGE_ID, METRIC_ID and STATUSPAGE_URL, which ends in /v1"
    } else {
        "STATUSPAGE_URL"
    };
    not_handed_over(error, named, STATUSPAGE_TOKEN)
}

/// An error in a sentence, with what to look at.
pub fn not_handed_over(error: &ApiError, address: &str, token: SecretSetting) -> NotHandedOver {
    let told = match error {
        ApiError::Passing(Passing { source: Some(_), .. }) => {
            format!("{}: look at {address}, and whether it is up", error.in_words())
        }
        ApiError::Passing(passing) => format!("{passing}: look at {address}"),
        ApiError::Pausing(pausing) => format!("{pausing}: look at {}", token.name),
        ApiError::Stranger(stranger) => format!("{stranger}: look at {address}"),
        // What the service itself refuses it says why; anything else may not be the service.
        ApiError::Permanent(permanent) if !matches!(permanent.status, 400 | 422) => {
            format!("{permanent}: look at {address}")
        }
        ApiError::Permanent(permanent) => permanent.to_string(),
    };
    NotHandedOver { told }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_metric_gets_its_field_of_its_own_readings_and_nothing_of_a_failure() {
        let at = Timestamp::from_second(1_000).unwrap();
        let mut good = Reading::new("ping".parse().unwrap(), at, Outcome::Value(7.0));
        good.loss = Some(20.0);
        let other = Reading::new("ping:9.9.9.9".parse().unwrap(), at, Outcome::Value(9.0));
        let mut failed = Reading::new("ping".parse().unwrap(), at, Outcome::Failure("lost".into()));
        failed.loss = Some(100.0);
        let feed = |field, id: &str| Feed { metric: "ping".parse().unwrap(), field, id: id.parse().unwrap() };
        let feeds = [feed(Field::Value, "aaaaaaaaaaaa"), feed(Field::Loss, "bbbbbbbbbbbb")];
        let got = |readings: &[Reading]| {
            points(readings, &feeds).map(|(id, point)| (id.as_str().to_owned(), point.value)).collect::<Vec<_>>()
        };
        assert_eq!(got(&[good, other]), [("aaaaaaaaaaaa".to_owned(), 7.0), ("bbbbbbbbbbbb".to_owned(), 20.0)]);
        assert_eq!(got(&[failed]), [("bbbbbbbbbbbb".to_owned(), 100.0)]);
    }
}
