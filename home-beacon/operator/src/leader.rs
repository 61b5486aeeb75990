//! Which of several operators runs the checks: the one that holds a Lease (coordination.k8s.io/v1), as Kubernetes' controllers do.
//!
//! Whoever holds it renews it; whoever waits takes it once it has not been seen to change for as long as it lasts, by its own clock.
//! Of two that write at once the API server takes one (`resourceVersion`). The holder makes no Job once it could not renew for
//! [`RENEWED_WITHIN`], which is before another one may take it, and ends: what it began, the next one waits for.

use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::time::{Instant, sleep, timeout};

/// How long a Lease lasts, within what time it is to be renewed, and how often that is tried: the defaults of Kubernetes' own.
const LASTS: Duration = Duration::from_secs(15);
const RENEWED_WITHIN: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(2);

/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);

/// Whether Jobs may be made. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Leadership(Arc<Mutex<Held>>);

#[derive(Clone, Copy, Debug)]
enum Held {
    /// There is no other one.
    Always,
    /// Another one leads, or nobody does.
    Not,
    Until(Instant),
}

impl Leadership {
    /// Of an operator that is the only one.
    pub(crate) fn alone() -> Self {
        Self(Arc::new(Mutex::new(Held::Always)))
    }

    /// Whether it leads at this moment.
    pub(crate) fn holds(&self) -> bool {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Held::Always => true,
            Held::Not => false,
            Held::Until(until) => Instant::now() < until,
        }
    }

    fn set(&self, held: Held) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

/// One that leads, or is to.
#[derive(Debug)]
pub(crate) struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
    seen: Seen,
    leadership: Leadership,
}

/// The Lease as it was last seen, and since when it has been so: clocks of other machines count for nothing.
#[derive(Debug, Default)]
struct Seen(Option<(LeaseSpec, Instant)>);

impl Seen {
    /// Whether who is called that may hold it now.
    fn is_free_for(&mut self, identity: &str, spec: &LeaseSpec, now: Instant) -> bool {
        let since = match &self.0 {
            Some((seen, since)) if seen == spec => *since,
            _ => {
                self.0 = Some((spec.clone(), now));
                now
            }
        };
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let lasts = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let lasts = lasts.map_or(LASTS, Duration::from_secs);
        holder.is_empty() || holder == identity || now.duration_since(since) >= lasts
    }
}

/// The Lease as it is to be while that one holds it.
fn held_by(identity: &str, before: &LeaseSpec, now: Timestamp) -> LeaseSpec {
    let is_mine = before.holder_identity.as_deref() == Some(identity);
    let transitions = before.lease_transitions.unwrap_or(0);
    let acquired = before.acquire_time.clone().filter(|_| is_mine);
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: Some(15),
        acquire_time: acquired.or(Some(MicroTime(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(if is_mine { transitions } else { transitions.saturating_add(1) }),
        ..LeaseSpec::default()
    }
}

impl Candidate {
    /// For the Lease of that name, which is made where there is none.
    pub(crate) fn new(client: Client, namespace: &str, name: &str) -> Self {
        let host = env::var("HOSTNAME").unwrap_or_else(|_| "operator".into());
        Self {
            leases: Api::namespaced(client, namespace),
            name: name.to_owned(),
            // A container that is started anew in its pod is another one.
            identity: format!("{host}_{:016x}", fastrand::u64(..)),
            seen: Seen::default(),
            leadership: Leadership(Arc::new(Mutex::new(Held::Not))),
        }
    }

    /// What it leads by.
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Waits until it leads.
    pub(crate) async fn acquire(&mut self) {
        let mut said = None;
        loop {
            let now = match self.hold().await {
                Ok(true) => return,
                Ok(false) => "another operator leads: waiting until it does not".to_owned(),
                Err(why) => format!("the Lease cannot be had, and is tried again: {why}"),
            };
            if said.as_ref() != Some(&now) {
                tracing::info!(lease = self.name, "{now}");
                said = Some(now);
            }
            sleep(RETRY).await;
        }
    }

    /// Renews it until it is lost.
    pub(crate) async fn keep(&mut self) {
        let mut failing = None;
        while self.leadership.holds() {
            sleep(RETRY).await;
            match self.hold().await {
                Ok(true) => failing = None,
                Ok(false) => break,
                Err(why) if failing.as_ref() != Some(&why) => {
                    tracing::warn!(lease = self.name, "the Lease is not renewed, which is tried again: {why}");
                    failing = Some(why);
                }
                Err(_) => (),
            }
        }
        self.leadership.set(Held::Not);
    }

    /// Gives it up, so that the next one need not wait.
    pub(crate) async fn release(self) {
        self.leadership.set(Held::Not);
        let giving_up = async {
            let Ok(mut lease) = self.leases.get(&self.name).await else { return };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(&self.identity) {
                spec.holder_identity = Some(String::new());
                // Who has taken it meanwhile keeps it.
                let _ = self.leases.replace(&self.name, &PostParams::default(), &lease).await;
            }
        };
        let _ = timeout(CALL, giving_up).await;
    }

    /// Takes or renews it, where it may; whether it holds it now.
    async fn hold(&mut self) -> Result<bool, String> {
        // It counts from before it was asked for.
        let asked = Instant::now();
        let is_held = match timeout(CALL, self.ask()).await {
            Ok(answer) => answer.map_err(|error| error.to_string())?,
            Err(_) => return Err(format!("no answer within {} s", CALL.as_secs())),
        };
        if is_held {
            self.leadership.set(Held::Until(asked + RENEWED_WITHIN));
        }
        Ok(is_held)
    }

    async fn ask(&mut self) -> Result<bool, kube::Error> {
        let before = self.leases.get_opt(&self.name).await?;
        let spec = before.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        if before.is_some() && !self.seen.is_free_for(&self.identity, &spec, Instant::now()) {
            return Ok(false);
        }
        let spec = Some(held_by(&self.identity, &spec, Timestamp::now()));
        let params = PostParams::default();
        let written = if let Some(before) = before {
            self.leases.replace(&self.name, &params, &Lease { spec, ..before }).await
        } else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            self.leases.create(&params, &Lease { metadata, spec }).await
        };
        // Where another one was faster, or this one itself by a call whose answer was lost, the next look says: nothing is renewed by it.
        written.map(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_796_000_000 + second).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_free_once_it_has_not_changed_for_as_long_as_it_lasts_whatever_time_it_names() {
        let (start, mut seen) = (Instant::now(), Seen::default());
        let later = |seconds| start + Duration::from_secs(seconds);
        // Its holder's clock is a day behind.
        let first = held_by("a", &LeaseSpec::default(), at(-86_400));
        assert!(!seen.is_free_for("b", &first, start));
        assert!(seen.is_free_for("a", &first, start));
        assert!(!seen.is_free_for("b", &first, later(14)));
        let renewed = held_by("a", &first, at(-86_390));
        assert!(!seen.is_free_for("b", &renewed, later(15)));
        assert!(!seen.is_free_for("b", &renewed, later(29)));
        assert!(seen.is_free_for("b", &renewed, later(30)));
        let given_up = LeaseSpec { holder_identity: Some(String::new()), ..renewed };
        assert!(seen.is_free_for("b", &given_up, later(30)));
    }

    #[test]
    fn a_lease_that_changes_hands_counts_that_and_one_that_is_renewed_does_not() {
        let first = held_by("a", &LeaseSpec::default(), at(0));
        let renewed = held_by("a", &first, at(2));
        assert_eq!((renewed.acquire_time.as_ref(), renewed.lease_transitions), (first.acquire_time.as_ref(), Some(1)));
        let taken = held_by("b", &renewed, at(30));
        assert_eq!((taken.acquire_time, taken.lease_transitions), (Some(MicroTime(at(30))), Some(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_led_that_was_not_renewed_in_time() {
        let leadership = Leadership(Arc::new(Mutex::new(Held::Until(Instant::now() + RENEWED_WITHIN))));
        assert!(leadership.holds() && Leadership::alone().holds());
        sleep(RENEWED_WITHIN).await;
        assert!(!leadership.holds());
    }
}
