//! Homes that send heartbeats, in a run: read while the others are probed, and taken into the verdicts.

use jiff::Timestamp;
use shared::{id::ComponentId, online::OnlineCheck};
use tokio::time::Instant;

use super::prober::{Clients, Prober, RunError};
use crate::{
    heartbeat::{
        Hearing, Item,
        judge::{age, beside_probe, by_age},
    },
    judge::verdict::{UnknownCause, Verdict},
    kept::secrets::RunSecrets,
    mode::Mode,
    publish::page::Pages,
    target::{Target, Targets, Ways},
};

/// What a run heard of one home.
#[derive(Clone, Debug)]
pub struct LastHeartbeat {
    /// Its newest heartbeat.
    pub(crate) item: Item,
    /// Unix time of the run's reading, in seconds.
    pub(crate) now: i64,
}

impl LastHeartbeat {
    /// When it was taken.
    pub(crate) fn received(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.item.received).ok()
    }

    /// What is wrong with who sends them, for people.
    pub(crate) fn warning(&self) -> Option<String> {
        let since = self.item.several.map(|several| age(several, self.now))?;
        (since.as_secs() <= 3600).then(|| {
            "two hosts send heartbeats with this home's key, so either hides the other's silence: stop one, or give it a key \
             of its own"
                .to_owned()
        })
    }
}

impl Prober {
    /// Reads heartbeats, where a target's home sends any.
    ///
    /// # Errors
    /// When nothing says where they are kept.
    pub(super) fn check_heartbeats(&self, targets: &Targets) -> Result<(), RunError> {
        match targets.iter().find(|target| target.home.ways.sends_heartbeats()) {
            Some(target) if self.heartbeats.is_none() => Err(RunError::Targets(format!(
                "{} sends heartbeats: set HEARTBEAT_TABLE, and HEARTBEAT_URL or HEARTBEAT_URL_PARAMETER",
                target.home.name
            ))),
            _ => Ok(()),
        }
    }

    /// What has come of heartbeats; `None` where no home sends any.
    pub(super) async fn read_heartbeats(
        &self,
        targets: &Targets,
        secrets: &RunSecrets<'_>,
        clients: &Clients,
        until: Instant,
    ) -> Option<Hearing> {
        let senders: Vec<&Target> = targets.iter().filter(|target| target.home.ways.sends_heartbeats()).collect();
        let watch = self.heartbeats.as_ref().filter(|_| !senders.is_empty())?;
        Some(watch.observe(&senders, secrets, &self.secrets, &clients.http, self.mode, until).await)
    }

    /// The result for a home that nobody can reach, without a heartbeat of our own: nothing is written.
    pub(super) async fn check_heartbeat_home(
        &self,
        target: &Target,
        secrets: &RunSecrets<'_>,
        until: Instant,
    ) -> OnlineCheck {
        let name = &target.home.name;
        let (Some(watch), Ok(clients)) = (&self.heartbeats, self.clients()) else {
            return OnlineCheck::wrong(format!(
                "the home {name} sends heartbeats: set HEARTBEAT_TABLE and HEARTBEAT_URL"
            ));
        };
        let last_heartbeat = watch.observe(&[target], secrets, &self.secrets, &clients.http, Mode::DryRun, until).await;
        match last_heartbeat
            .items
            .map(|items| items.get(&target.component).map(|item| age(item.received, last_heartbeat.now)))
        {
            Ok(Some(age)) => OnlineCheck::found(format!("the home {name} was last heard {} s ago", age.as_secs())),
            Ok(None) => OnlineCheck::unknown(format!("the home {name} has never sent a heartbeat")),
            Err(error) => OnlineCheck::wrong(format!("the home {name}: {error}")),
        }
    }

    /// The verdicts with what was heard. Of homes that were probed in vain it is read once more: one that speaks meanwhile has lost
    /// its way in only.
    pub(super) async fn take_heartbeats_in(
        &self,
        targets: &Targets,
        verdicts: &mut [Verdict],
        hearing: &mut Option<Hearing>,
        pages: &Result<Pages, String>,
        (at, clients, until): (Timestamp, &Clients, Instant),
    ) {
        let (Some(hearing), Some(watch)) = (hearing, &self.heartbeats) else { return };
        let unreached = targets
            .iter()
            .zip(&*verdicts)
            .filter(|(target, verdict)| target.home.ways == Ways::Both && matches!(verdict, Verdict::Down(_)));
        let unreached: Vec<ComponentId> = unreached.map(|(target, _)| target.component.clone()).collect();
        if !unreached.is_empty() {
            watch.again(hearing, &unreached, &clients.http, until).await;
        }
        for (target, verdict) in targets.iter().zip(verdicts) {
            let received = hearing.items.as_ref().map(|items| items.get(&target.component).map(|item| item.received));
            *verdict = match (target.home.ways, received) {
                (Ways::Heartbeat, Ok(received)) => by_age(received, hearing.now, &hearing.way),
                (Ways::Heartbeat, Err(_)) => Verdict::Unknown(UnknownCause::Heartbeats),
                (Ways::Both, Ok(received)) => {
                    beside_probe(*verdict, received, self.failing_since(target, pages, at), hearing.now)
                }
                (Ways::Probe, _) | (Ways::Both, Err(_)) => *verdict,
            };
        }
    }

    /// Since when a home that is down now has been so, as its page shows it.
    fn failing_since(&self, target: &Target, pages: &Result<Pages, String>, at: Timestamp) -> i64 {
        let component = pages.as_ref().ok().and_then(|pages| pages.component(&target.page, &target.component).ok());
        let is_down = |status| self.rules.statuses.mean_down(status);
        let since = component.filter(|component| component.status.is_some_and(is_down));
        let since = since.and_then(|component| component.updated_at.parse::<Timestamp>().ok());
        since.filter(|since| *since <= at).unwrap_or(at).as_second()
    }
}
