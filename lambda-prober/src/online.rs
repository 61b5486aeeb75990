//! `--check --online`: whether the pages and components that the settings name are there, the token is taken, and each home
//! proves itself with the key. Nothing is written.

use std::{collections::BTreeMap, time::Duration};

use shared::{
    api::ApiError,
    id::{ComponentId, PageId},
    online::Asked,
};
use tokio::time::Instant;

use crate::{
    access::Access,
    advice::advice,
    pace::Pace,
    page::listings,
    run::{Prober, RunError},
    secrets::RunSecrets,
    seen::Looked,
    target::{Target, Targets},
    verdict::{DownCause, UnknownCause, Verdict},
};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(25);

/// Two attempts tell enough for a question.
const ATTEMPTS: usize = 2;

impl Prober {
    /// Asks for everything at once, within `PATIENCE`.
    ///
    /// # Errors
    /// When there is nothing to look at, or this machine can make no client.
    pub async fn ask(&self, targets: Option<&Targets>) -> Result<Vec<Asked>, RunError> {
        let (until, pace) = (Instant::now() + PATIENCE, Pace::of(PATIENCE, ATTEMPTS));
        let listed;
        let targets = if let Some(targets) = targets {
            targets
        } else {
            listed = self.secrets.targets(until).await.map_err(RunError::Targets)?;
            listed.as_ref().ok_or(RunError::NothingToProbe)?
        };
        let secrets = RunSecrets::new(&self.secrets, targets.iter().map(|target| &target.home).collect(), until);
        let http = self.http()?;
        let pages = async {
            match Access::new(http, &self.statuspage, &secrets, &pace).await {
                Ok(access) => pages(&access, targets, until).await,
                Err(error) => vec![Asked::wrong(error)],
            }
        };
        let homes = futures_util::future::join_all(targets.iter().map(|target| self.home(target, &pace)));
        let (mut asked, homes) = tokio::join!(pages, homes);
        asked.extend(homes);
        Ok(asked)
    }

    async fn home(&self, target: &Target, pace: &Pace) -> Asked {
        match self.look(&target.home, pace).await {
            Ok(looked) => of_home(&looked, self.expects_proof(target)),
            Err(error) => Asked::wrong(error.to_string()),
        }
    }
}

/// What came of looking at a home. Wrong is what no waiting mends: an address, a key or a certificate; a home that is silent
/// may be well tomorrow.
fn of_home(looked: &Looked, expects_proof: bool) -> Asked {
    let (name, advice) = (&looked.home.name, advice(&looked.attempts));
    let advised = advice.is_some();
    let said = advice.unwrap_or_else(|| looked.verdict.sentence().to_owned());
    let said = said.trim_end_matches('.');
    match looked.verdict {
        Verdict::Up if expects_proof => {
            Asked::there(format!("the home {name} answers, and proves that it holds the key"))
        }
        Verdict::Up => Asked::there(format!("the home {name} answers; there is no key to prove it by")),
        Verdict::Degraded(_) => Asked::there(format!("the home {name} answers, but is degraded: {said}")),
        Verdict::Down(_) if advised => Asked::wrong(format!("the home {name}: {said}")),
        Verdict::Down(DownCause::Impostor | DownCause::Unproven) | Verdict::Unknown(UnknownCause::Key) => {
            Asked::wrong(format!("the home {name}: {said}; look at CANARY_URL and BEACON_KEY"))
        }
        Verdict::Down(DownCause::Name) => Asked::wrong(format!("the home {name}: {said}; look at CANARY_URL")),
        Verdict::Down(_) => {
            Asked::unasked(format!("the home {name}: {said}; look at CANARY_URL, and whether it is up"))
        }
        Verdict::Unknown(_) => Asked::unasked(format!("the home {name}: {said}")),
    }
}

async fn pages(access: &Access<'_>, targets: &Targets, until: Instant) -> Vec<Asked> {
    let mut wanted: BTreeMap<&PageId, Vec<&ComponentId>> = BTreeMap::new();
    for target in targets {
        wanted.entry(&target.page).or_default().push(&target.component);
    }
    let mut asked = Vec::new();
    for (page, components) in wanted {
        let read = access.call(until, |client| listings(client, page, &components)).await;
        let failed = |error: &ApiError| access.told(error);
        let there = read.as_ref().map(|_| "is there, and the token is taken");
        asked.push(Asked::of(&format!("the page {page}"), there, failed));
        for id in components {
            let Ok(listings) = &read else { break };
            let found = listings.iter().find_map(|listing| listing.component(id));
            asked.push(match found {
                Some(_) => Asked::there(format!("the component {id} is there")),
                None => {
                    Asked::wrong(format!("the page {page} has no component {id}: look at PAGE_ID and COMPONENT_ID"))
                }
            });
        }
    }
    asked
}
