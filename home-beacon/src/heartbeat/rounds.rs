//! Heartbeats again and again, never two at once, and what is said of them: each thing once, until it is another.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::{heartbeat::Hosts, message::HeartbeatFault};
use tokio::time::{Instant, sleep_until};

use super::{
    failure::Failure,
    sender::{Sender, Sending, Taken},
};

/// The longest that one heartbeat may take, with its tries.
const LONGEST: Duration = Duration::from_secs(45);

/// How far from their interval heartbeats are sent by chance, so that homes that began together do not stay together.
const JITTER: f64 = 0.05;

/// How heartbeats have gone since the process began. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Rounds(Arc<Mutex<Report>>);

/// How heartbeats have gone.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many were taken.
    pub taken: u64,
    /// How many were not, in the order of [`HeartbeatFault::ALL`].
    pub failed: [u64; HeartbeatFault::ALL.len()],
    /// When one was taken last, in seconds since 1970.
    pub last: Option<u64>,
    /// Since when none was taken, and why the last one was not.
    pub failing: Option<(Instant, Failure)>,
    /// Whether two hosts send with this key.
    pub is_shared: bool,
}

/// What there is to say after a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
enum News {
    /// The first one was taken, or one after others that were not.
    Taken { again: bool },
    /// It was not taken, for a reason that the one before it had not.
    NotTaken(Failure),
}

impl Rounds {
    /// How they have gone.
    pub fn report(&self) -> Report {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts how one went, and logs what is new.
    pub fn note(&self, went: &Result<Taken, Failure>) {
        let mut report = self.lock();
        let was_shared = report.is_shared;
        match report.note(went, Instant::now()) {
            Some(News::Taken { again: false }) => tracing::info!("heartbeats are taken"),
            Some(News::Taken { again: true }) => tracing::info!("heartbeats are taken again"),
            Some(News::NotTaken(failure)) => {
                let more = failure.fault.entry().link();
                tracing::warn!(
                    more,
                    "the heartbeat was not taken: {failure}; this is not said again until it is something else"
                );
            }
            None => (),
        }
        if report.is_shared && !was_shared {
            let fault = HeartbeatFault::NotLater;
            tracing::warn!(
                more = fault.entry().link(),
                "another host sends heartbeats with this BEACON_KEY, too: as long as one of them runs, this home counts as up"
            );
        } else if was_shared && !report.is_shared {
            tracing::info!("no other host sends heartbeats with this BEACON_KEY any more");
        }
    }
}

impl Report {
    fn note(&mut self, went: &Result<Taken, Failure>, now: Instant) -> Option<News> {
        match went {
            Ok(taken) => {
                let again = self.failing.take().is_some();
                let is_first = self.taken == 0;
                self.taken += 1;
                self.last = Some(taken.at);
                self.is_shared = taken.hosts == Hosts::Several;
                (again || is_first).then_some(News::Taken { again: again && !is_first })
            }
            Err(failure) => {
                if let Some(at) = HeartbeatFault::ALL.iter().position(|fault| *fault == failure.fault) {
                    self.failed[at] += 1;
                }
                let before = self.failing.take();
                let is_new = before.as_ref().is_none_or(|(_, before)| before.fault != failure.fault);
                self.failing = Some((before.map_or(now, |(since, _)| since), failure.clone()));
                is_new.then(|| News::NotTaken(failure.clone()))
            }
        }
    }
}

/// Sends for as long as it is polled.
pub async fn keep<S: Sending>(sender: &mut Sender<S>, rounds: &Rounds) -> Infallible {
    loop {
        let (start, every) = (Instant::now(), sender.every());
        let went = sender.send(start + longest(every)).await;
        rounds.note(&went);
        sleep_until(start + pause(every, fastrand::f64())).await;
    }
}

/// How long one heartbeat may take: a part of its interval, so that the next one finds nothing under way.
pub(super) fn longest(every: Duration) -> Duration {
    (every * 3 / 4).min(LONGEST)
}

/// From one to the next. `random` is drawn from 0 to 1.
fn pause(every: Duration, random: f64) -> Duration {
    every.mul_f64(1.0 - JITTER + 2.0 * JITTER * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn taken(hosts: Hosts) -> Taken {
        Taken { sequence: 1, at: 7, hosts }
    }

    #[test]
    fn each_thing_is_said_once_until_it_is_another() {
        let mut report = Report::default();
        let now = Instant::now();
        let failed = |fault: HeartbeatFault| Err(Failure::from(fault));
        let mut said = |went: &Result<Taken, Failure>| match report.note(went, now) {
            Some(News::Taken { again }) => Some(if again { "again" } else { "taken" }),
            Some(News::NotTaken(failure)) => Some(failure.fault.label()),
            None => None,
        };
        for (went, expected) in [
            (failed(HeartbeatFault::Unreachable), Some("unreachable")),
            (failed(HeartbeatFault::Unreachable), None),
            (failed(HeartbeatFault::Refused), Some("refused")),
            (failed(HeartbeatFault::Refused), None),
            (Ok(taken(Hosts::One)), Some("taken")),
            (Ok(taken(Hosts::One)), None),
            (failed(HeartbeatFault::Refused), Some("refused")),
            (Ok(taken(Hosts::Several)), Some("again")),
            (Ok(taken(Hosts::Several)), None),
        ] {
            assert_eq!(said(&went), expected, "{went:?}");
        }
        assert!(report.is_shared && report.failing.is_none() && report.taken == 4 && report.last == Some(7));
        assert_eq!(report.failed.iter().sum::<u64>(), 5);
    }

    #[test]
    fn one_is_over_before_the_next_is_due() {
        for seconds in [15, 60, 600] {
            let every = Duration::from_secs(seconds);
            assert!(longest(every) < pause(every, 0.0), "{seconds}");
            assert!(pause(every, 1.0) <= every * 106 / 100 && pause(every, 0.0) < pause(every, 1.0));
        }
    }
}
