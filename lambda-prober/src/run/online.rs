//! `--check --online`: whether the pages and components that the settings name exist, the token is accepted, and each
//! home proves itself with the key. Nothing is written.

use std::{collections::BTreeMap, time::Duration};

use shared::{
    api::ApiError,
    id::{ComponentId, PageId},
    online::OnlineCheck,
};
use tokio::time::Instant;

use super::prober::{Prober, RunError};
use crate::{
    judge::{
        advice::advice,
        verdict::{DownCause, UnknownCause, Verdict},
    },
    kept::secrets::RunSecrets,
    publish::{
        access::{Access, METRIC},
        page::listings,
    },
    report::Probed,
    target::{Target, Targets},
    timing::Timing,
};

/// How long all of it may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(25);

/// Two attempts are enough for a check.
const ATTEMPTS: usize = 2;

impl Prober {
    /// Checks everything at once, within [`CHECK_TIMEOUT`].
    ///
    /// # Errors
    /// When there is nothing to check, or this machine cannot make a TLS client.
    pub(crate) async fn check_online(&self, targets: Option<&Targets>) -> Result<Vec<OnlineCheck>, RunError> {
        let (until, timing) = (Instant::now() + CHECK_TIMEOUT, Timing::of(CHECK_TIMEOUT, ATTEMPTS));
        let listed;
        let targets = if let Some(targets) = targets {
            targets
        } else {
            listed = self.listed_targets(until).await?;
            &listed
        };
        let secrets = RunSecrets::new(&self.secrets, targets.iter().map(|target| &target.home).collect(), until);
        let http = &self.clients()?.http;
        let pages = async {
            match Access::new(http, &self.statuspage, &secrets, &timing).await {
                Ok(access) => pages(&access, targets, until).await,
                Err(error) => vec![OnlineCheck::wrong(error)],
            }
        };
        let homes =
            futures_util::future::join_all(targets.iter().map(|target| self.home(target, &timing, &secrets, until)));
        let (mut results, homes) = tokio::join!(pages, homes);
        results.extend(homes.into_iter().flatten());
        Ok(results)
    }

    async fn home(
        &self,
        target: &Target,
        timing: &Timing,
        secrets: &RunSecrets<'_>,
        until: Instant,
    ) -> Vec<OnlineCheck> {
        if !target.home.ways.is_probed() {
            return vec![self.check_heartbeat_home(target, secrets, until).await];
        }
        match self.probe(&target.home, timing).await {
            Ok(probed) => {
                let home = of_home(&probed, self.expects_proof(target));
                std::iter::once(home).chain(of_other_addresses(&probed)).collect()
            }
            Err(error) => vec![OnlineCheck::wrong(error.to_string())],
        }
    }
}

/// The result for a home. Wrong is what does not pass by itself: an address, a key or a certificate; a home that is
/// silent may answer tomorrow.
fn of_home(probed: &Probed, expects_proof: bool) -> OnlineCheck {
    let (name, advice) = (&probed.home.name, advice(&probed.attempts));
    let advised = advice.is_some();
    let text = advice.unwrap_or_else(|| probed.verdict.sentence().to_owned());
    let text = text.trim_end_matches('.');
    match probed.verdict {
        Verdict::Up if probed.home.expect.is_some() => OnlineCheck::found(format!("{name} answers as expected")),
        Verdict::Up if expects_proof => {
            OnlineCheck::found(format!("the home {name} answers, and proves that it holds the key"))
        }
        Verdict::Up => {
            OnlineCheck::found(format!("the home {name} answers; no key is set, so it need not prove itself"))
        }
        Verdict::Degraded(_) => OnlineCheck::found(format!("the home {name} answers, but is degraded: {text}")),
        Verdict::Down(_) if advised => OnlineCheck::wrong(format!("the home {name}: {text}")),
        Verdict::Down(DownCause::Impostor | DownCause::Unproven) | Verdict::Unknown(UnknownCause::Key) => {
            OnlineCheck::wrong(format!("the home {name}: {text}; check CANARY_URL and BEACON_KEY"))
        }
        Verdict::Down(DownCause::Name) => OnlineCheck::wrong(format!("the home {name}: {text}; check CANARY_URL")),
        Verdict::Down(_) => {
            OnlineCheck::unknown(format!("the home {name}: {text}; check CANARY_URL, and whether it is up"))
        }
        Verdict::Unknown(_) => OnlineCheck::unknown(format!("the home {name}: {text}")),
    }
}

/// The addresses at which the home is not, although it answers at another: it counts as up, so none of them is wrong for certain.
fn of_other_addresses(probed: &Probed) -> impl Iterator<Item = OnlineCheck> {
    let differing = probed.home.differing(&probed.attempts, probed.verdict);
    differing.map(|(url, it)| {
        let home = &probed.home.name;
        OnlineCheck::unknown(format!("the home {home}: {url} does not lead to it: {}; check CANARY_URL", it.words()))
    })
}

async fn pages(access: &Access<'_>, targets: &Targets, until: Instant) -> Vec<OnlineCheck> {
    let mut wanted: BTreeMap<&PageId, Vec<&ComponentId>> = BTreeMap::new();
    for target in targets {
        wanted.entry(&target.page).or_default().push(&target.component);
    }
    let mut results = Vec::new();
    for (page, components) in wanted {
        let read = access.call(until, |client| listings(client, page, &components)).await;
        let failed = |error: &ApiError| access.describe(error);
        let there = read.as_ref().map(|_| "is there, and the token is taken");
        results.push(OnlineCheck::of(&format!("the page {page}"), there, failed));
        for id in components {
            let Ok(listings) = &read else { break };
            let found = listings.iter().find_map(|listing| listing.component(id));
            results.push(match found {
                Some(_) => OnlineCheck::found(format!("the component {id} is there")),
                None => {
                    OnlineCheck::wrong(format!("the page {page} has no component {id}: check PAGE_ID and COMPONENT_ID"))
                }
            });
        }
    }
    for Target { page, response_metric, .. } in targets {
        let Some(metric) = response_metric else { continue };
        let read = access.call(until, |client| async move { client.metric(page, metric).await }).await;
        let there = read.as_ref().map(|_| "is there");
        results.push(OnlineCheck::of(&format!("the metric {metric}"), there, |error| {
            access.describe_about(METRIC, error)
        }));
    }
    results
}
