//! Where readings go: to a keeper, or without one to statuspage.io itself, which takes numbers only.

use std::{fmt, time::Duration};

use shared::{
    api::{ApiError, ApiSettings},
    http::{Deadlines, client_for},
    id::{MetricId, PageId},
    keeper_token,
    online::OnlineCheck,
    retry,
    settings::WrongSetting,
    statuspage::{Client, Point},
};
use tokio::time::Instant;

use super::{
    keeper::KeeperClient,
    settings::{KEEPER_API, KEEPER_TOKEN, KeeperSettings, RunSettings, STATUSPAGE_TOKEN, StatuspageSettings},
};
use crate::reading::{Field, MetricName, Outcome, Reading};

/// What a person checks where statuspage.io does not answer as it should.
fn statuspage_api() -> ApiSettings<'static> {
    ApiSettings { address: "STATUSPAGE_URL", token: STATUSPAGE_TOKEN.name_in_use(), ids: Some("PAGE_ID, METRIC_ID") }
}

/// How much of a run's time is kept for handing over.
pub(crate) const HANDING_OVER: Duration = Duration::from_secs(10);

/// Where readings go.
#[derive(Clone, Debug)]
pub(crate) enum Destination {
    /// A keeper, which takes every reading.
    Keeper(KeeperClient),
    /// The metrics of a page, which take numbers.
    Statuspage(Page),
    /// A dry run, or a job that works without a keeper.
    Nowhere,
}

/// A page at statuspage.io, and what its metrics show.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    client: Client,
    id: PageId,
    feeds: Vec<Feed>,
}

/// A metric of the page, and the part of the readings that it shows.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    /// Which readings.
    pub(crate) metric: MetricName,
    /// Which of their numbers.
    pub(crate) field: Field,
    /// The metric of the page.
    pub(crate) id: MetricId,
}

/// What became of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandedOver {
    /// Everything that the destination takes.
    All,
    /// A measurement failed, no metric shows that, and there is no keeper to record it.
    Nothing,
}

/// Readings could not be handed over.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotHandedOver(String);

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keeper(_) => "readings go to the keeper",
            Self::Statuspage(_) => "numbers go to the status page",
            Self::Nowhere => "nothing is handed over",
        })
    }
}

impl KeeperSettings {
    /// The keeper that they name; `None` where they name none.
    ///
    /// # Errors
    /// When its token is missing or cannot be one, or no client can be made.
    pub fn client(&self) -> Result<Option<KeeperClient>, WrongSetting> {
        Destination::keeper(self)
    }
}

impl Destination {
    /// The keeper where one is set.
    ///
    /// # Errors
    /// When its token is missing, or this machine can make no client.
    pub(crate) fn keeper(settings: &KeeperSettings) -> Result<Option<KeeperClient>, WrongSetting> {
        let Some(address) = &settings.keeper_url else { return Ok(None) };
        let token = settings.token.clone().map_or_else(|| KEEPER_TOKEN.require(), Ok)?;
        keeper_token::is_not_the_key(&token, &token.name(KEEPER_TOKEN.name))?;
        let http = client_for([address], Deadlines::default()).map_err(|error| WrongSetting(error.to_string()))?;
        Ok(Some(KeeperClient::new(http, address, token)))
    }

    /// The keeper where there is one, else the page; nowhere in a dry run.
    ///
    /// # Errors
    /// When there is nowhere to hand over to, or something of the page is missing.
    pub(crate) fn choose(
        run: &RunSettings,
        keeper: Option<KeeperClient>,
        statuspage: &StatuspageSettings,
        feeds: Vec<Feed>,
    ) -> Result<Self, WrongSetting> {
        match keeper {
            _ if run.dry_run => Ok(Self::Nowhere),
            Some(keeper) => Ok(Self::Keeper(keeper)),
            None => Page::new(statuspage, feeds).map(Self::Statuspage),
        }
    }

    /// Asks whether what readings go to is there, and takes the token.
    pub(crate) async fn ask(&self, state: &str) -> Vec<OnlineCheck> {
        let until = Instant::now() + HANDING_OVER;
        match self {
            Self::Nowhere => Vec::new(),
            Self::Keeper(keeper) => {
                let state = retry::silently(until, || keeper.state(state)).await;
                let failed = |error: &ApiError| error.advice(&KEEPER_API);
                vec![OnlineCheck::of("the keeper", state.as_ref().map(|_| "is there, and takes the token"), failed)]
            }
            Self::Statuspage(page) => page.ask(until).await,
        }
    }

    /// Hands readings over, trying again until `until`.
    ///
    /// # Errors
    /// When the destination did not answer until then, or refused them: trying again is for the next run.
    pub(crate) async fn hand_over(&self, readings: &[Reading], until: Instant) -> Result<HandedOver, NotHandedOver> {
        match self {
            Self::Nowhere => Ok(HandedOver::All),
            Self::Keeper(keeper) => {
                let stored = retry::silently(until, || keeper.store(readings)).await;
                stored.map(|()| HandedOver::All).map_err(|error| NotHandedOver(error.advice(&KEEPER_API)))
            }
            Self::Statuspage(page) => {
                page.add(readings, until).await.map_err(|error| NotHandedOver(error.advice(&statuspage_api())))
            }
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
        let name = token.name(STATUSPAGE_TOKEN.name_in_use());
        keeper_token::at_start(&token, &name, &settings.statuspage_url, "STATUSPAGE_URL")?;
        let http = client_for([&settings.statuspage_url], Deadlines::default())
            .map_err(|error| WrongSetting(error.to_string()))?;
        Ok(Self { client: Client::new(http, &settings.statuspage_url, token), id, feeds })
    }

    async fn ask(&self, until: Instant) -> Vec<OnlineCheck> {
        let mut asked = Vec::new();
        for Feed { id, .. } in &self.feeds {
            let metric = retry::until(until, || self.client.metric(&self.id, id)).await;
            let failed = |error: &ApiError| error.advice(&statuspage_api());
            let what = format!("the metric {id} of the page {}", self.id);
            asked.push(OnlineCheck::of(&what, metric.as_ref().map(|_| "is there, and the token is taken"), failed));
        }
        asked
    }

    async fn add(&self, readings: &[Reading], until: Instant) -> Result<HandedOver, ApiError> {
        // What was skipped, or spoilt by a bandwidth test, is left out on purpose.
        let failed = readings.iter().any(|reading| matches!(reading.outcome, Outcome::Failure(_)));
        let mut handed_over = if failed { HandedOver::Nothing } else { HandedOver::All };
        let mut first_error = None;
        for (metric, point) in points(readings, &self.feeds) {
            match retry::until(until, || self.client.add_point(&self.id, metric, point)).await {
                Ok(()) => handed_over = HandedOver::All,
                // A wrong metric must not cost the others their points.
                Err(error) => drop(first_error.get_or_insert(error)),
            }
        }
        first_error.map_or(Ok(handed_over), Err)
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
