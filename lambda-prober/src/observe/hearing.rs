//! Asks the witnesses. All targets of a run that fail at about the same time share one testimony.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use shared::names::{Names, Search};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use super::exchange::connect;
use crate::{
    observation::{Failure, Family, Statement, Testimony},
    pace::Pace,
    witness::{Witness, Witnesses},
};

/// How old a testimony may be.
const FRESH: Duration = Duration::from_secs(1);

/// How long the others are waited for once a witness was reached: for those of the other family.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The witnesses, as one run asks them.
#[derive(Debug)]
pub struct Hearing<'run> {
    witnesses: &'run Witnesses,
    pub(crate) pace: &'run Pace,
    latest: Mutex<Option<(Instant, Testimony)>>,
}

impl<'run> Hearing<'run> {
    pub fn new(witnesses: &'run Witnesses, pace: &'run Pace) -> Self {
        Self { witnesses, pace, latest: Mutex::new(None) }
    }

    /// What the witnesses say now, or said within the last second.
    pub(super) async fn hear(&self, until: Instant) -> Testimony {
        let mut latest = self.latest.lock().await;
        if let Some((heard, testimony)) = &*latest
            && heard.elapsed() < FRESH
        {
            return testimony.clone();
        }
        let testimony = self.ask(until).await;
        *latest = Some((Instant::now(), testimony.clone()));
        testimony
    }

    /// Asks all at once, until both families were reached, all have spoken, or one was reached and the others had their time.
    async fn ask(&self, until: Instant) -> Testimony {
        let mut until = until.min(Instant::now() + self.pace.resolve + self.pace.phase);
        let mut testimony = Testimony::default();
        let mut speaking: FuturesUnordered<_> =
            self.witnesses.as_slice().iter().map(|witness| self.statements(witness, until)).collect();
        while let Ok(Some(statements)) = timeout_at(until, speaking.next()).await {
            testimony.0.extend(statements);
            if testimony.reached(Family::V4) && testimony.reached(Family::V6) {
                break;
            }
            if testimony.reached_any() {
                until = until.min(Instant::now() + PATIENCE);
            }
        }
        testimony
    }

    /// Tries one address of each family that the witness has.
    async fn statements(&self, witness: &Witness, until: Instant) -> Vec<Statement> {
        let name = witness.to_string();
        let addresses = match witness.literal() {
            Some(address) => vec![address],
            None => self.resolve(&witness.host.to_string(), until).await,
        };
        if addresses.is_empty() {
            let outcome = Err(Failure::Local("its name could not be resolved".into()));
            return vec![Statement { witness: name, address: None, outcome }];
        }
        let trying = addresses.into_iter().map(async |address| {
            let (address, start) = (SocketAddr::new(address, witness.port), Instant::now());
            let connected = timeout_at(until.min(start + self.pace.phase), connect(address)).await;
            let outcome = connected.unwrap_or(Err(Failure::TimedOut)).map(|_| start.elapsed());
            Statement { witness: name.clone(), address: Some(address), outcome }
        });
        join_all(trying).await
    }

    /// One address of each family that the name has.
    async fn resolve(&self, name: &str, until: Instant) -> Vec<IpAddr> {
        let until = until.min(Instant::now() + self.pace.resolve);
        let found = Names::of_this_machine().resolve(name, None, Search::Never, until).await.unwrap_or_default();
        [Family::V4, Family::V6]
            .iter()
            .filter_map(|family| found.iter().copied().find(|it| Family::of(*it) == *family))
            .collect()
    }
}
