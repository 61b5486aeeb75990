//! Queries the witnesses. All targets of a run that fail at about the same time share one query.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use shared::{
    connection::connect,
    names::{Family, Names, Search},
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::witness::{Witness, Witnesses};
use crate::{
    judge::observation::{Failure, WitnessEvidence, WitnessResult},
    timing::Timing,
};

/// How old evidence may be to be used again.
const MAX_EVIDENCE_AGE: Duration = Duration::from_secs(1);

/// How long the other witnesses have once one was reached: for those of the other family.
const SECOND_WITNESS_GRACE: Duration = Duration::from_millis(1500);

/// The witnesses of one run.
#[derive(Debug)]
pub(crate) struct WitnessCheck<'run> {
    witnesses: &'run Witnesses,
    pub(crate) timing: &'run Timing,
    latest: Mutex<Option<(Instant, WitnessEvidence)>>,
}

impl<'run> WitnessCheck<'run> {
    pub(crate) fn new(witnesses: &'run Witnesses, timing: &'run Timing) -> Self {
        Self { witnesses, timing, latest: Mutex::new(None) }
    }

    /// Which witnesses can be reached now, or could be within the last second.
    pub(super) async fn query(&self, until: Instant) -> WitnessEvidence {
        let mut latest = self.latest.lock().await;
        if let Some((at, evidence)) = &*latest
            && at.elapsed() < MAX_EVIDENCE_AGE
        {
            return evidence.clone();
        }
        let evidence = self.connect_to_all(until).await;
        *latest = Some((Instant::now(), evidence.clone()));
        evidence
    }

    /// Connects to all at once, until both families were reached, all have a result, or one was reached and the others
    /// had their grace period.
    async fn connect_to_all(&self, until: Instant) -> WitnessEvidence {
        let mut until = until.min(Instant::now() + self.timing.resolve + self.timing.phase);
        let mut evidence = WitnessEvidence::default();
        let mut pending: FuturesUnordered<_> =
            self.witnesses.as_slice().iter().map(|witness| self.connect_to(witness, until)).collect();
        while let Ok(Some(results)) = timeout_at(until, pending.next()).await {
            evidence.0.extend(results);
            if evidence.reached(Family::V4) && evidence.reached(Family::V6) {
                break;
            }
            if evidence.reached_any() {
                until = until.min(Instant::now() + SECOND_WITNESS_GRACE);
            }
        }
        evidence
    }

    /// Tries one address of each family that the witness has.
    async fn connect_to(&self, witness: &Witness, until: Instant) -> Vec<WitnessResult> {
        let name = witness.to_string();
        let addresses = match witness.literal() {
            Some(address) => vec![address],
            None => self.resolve(&witness.host.to_string(), until).await,
        };
        if addresses.is_empty() {
            let outcome = Err(Failure::Local("its name could not be resolved".into()));
            return vec![WitnessResult { witness: name, address: None, outcome }];
        }
        let trying = addresses.into_iter().map(async |address| {
            let (address, start) = (SocketAddr::new(address, witness.port), Instant::now());
            let connected = timeout_at(until.min(start + self.timing.phase), connect(address)).await;
            let outcome =
                connected.map_or(Err(Failure::TimedOut), |it| it.map(|_| start.elapsed()).map_err(Into::into));
            WitnessResult { witness: name.clone(), address: Some(address), outcome }
        });
        join_all(trying).await
    }

    /// One address of each family that the name has.
    async fn resolve(&self, name: &str, until: Instant) -> Vec<IpAddr> {
        let until = until.min(Instant::now() + self.timing.resolve);
        let found = Names::of_this_machine().resolve(name, None, Search::Never, until).await.unwrap_or_default();
        [Family::V4, Family::V6]
            .iter()
            .filter_map(|family| found.iter().copied().find(|it| Family::of(*it) == *family))
            .collect()
    }
}
