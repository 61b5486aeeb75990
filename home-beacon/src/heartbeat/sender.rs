//! Sends one heartbeat: signed with the key as it is now, tried again within its time, each try with a sequence of its own.

use std::time::Duration;

use shared::{
    backoff::{Backoff, Jitter},
    heartbeat::{Answer, Boot, Heartbeat, Hosts, Outage, Outcome, View},
    http::{Client, Deadlines, client_of_the_world, tls_for},
    message::HeartbeatFault,
    proof::Running,
    settings::WrongSetting,
};
use tokio::time::{Instant, sleep_until};

use super::{
    call::call,
    failure::Failure,
    sequence::Sequence,
    settings::HeartbeatConfig,
    time::{Clocks, Time},
};
use crate::clock::Host;

/// Of one try.
pub(super) const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), read: Duration::from_secs(8), total: Duration::from_secs(10) };

/// The pauses between tries that brought no answer.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(10), Jitter::Equal);

/// How many tries without an answer there are for one heartbeat.
const MAX_TRIES: u32 = 3;

/// How many answers may correct sequence or time before one is taken.
const MAX_CORRECTIONS: u32 = 3;

/// Who sends: what it remembers, and what it sees.
pub trait Sending: Send {
    /// The first sequence that may not have been used; `None` where none is remembered.
    fn load(&self) -> impl Future<Output = Result<Option<u64>, String>> + Send;

    /// Remembers it.
    fn save(&self, next: u64) -> impl Future<Output = Result<(), String>> + Send;

    /// What it sees now, and the last outage that it knows to be over.
    fn seen(&mut self) -> impl Future<Output = (View, Option<Outage>)> + Send;
}

/// A heartbeat that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its sequence.
    pub sequence: u64,
    /// When, in seconds since 1970, by the clock of who took it.
    pub at: u64,
    /// How many hosts send with this key.
    pub hosts: Hosts,
}

/// Sends the heartbeats of a home.
#[derive(Debug)]
pub struct Sender<S> {
    config: HeartbeatConfig,
    /// Whose they are.
    pub(super) sending: S,
    client: Client,
    host: Host,
    boot: Boot,
    /// The uptime when this process began.
    began: Duration,
    time: Time,
    sequence: Sequence,
}

impl<S: Sending> Sender<S> {
    /// Of a process that begins now. `block`: how many heartbeats are sent before the sequence is remembered again.
    ///
    /// # Errors
    /// When the address cannot be one, or this machine can make no client.
    pub fn new(config: HeartbeatConfig, sending: S, host: Host, block: u64) -> Result<Self, WrongSetting> {
        let tls = tls_for([&config.url()?]).map_err(|error| WrongSetting(error.to_string()))?;
        let client = client_of_the_world(&tls, DEADLINES, None);
        // Without a name of its boot, a host cannot be told from another.
        let boot = host.boot.parse().or_else(|_| "0".parse());
        let boot = boot.map_err(|error| WrongSetting(format!("this host's boot has no name: {error}")))?;
        let began = host.uptime.now();
        Ok(Self { config, sending, client, host, boot, began, time: Time::default(), sequence: Sequence::new(block) })
    }

    /// How often.
    pub fn every(&self) -> Duration {
        self.config.every
    }

    /// Sends one, with its tries, until then.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn send(&mut self, until: Instant) -> Result<Taken, Failure> {
        let (view, last) = self.sending.seen().await;
        let (mut tries, mut corrections) = (0, 0);
        loop {
            let failure = match self.try_once(view, last, until).await {
                Ok((sequence, Answer { outcome: Outcome::Stored, at, hosts, .. })) => {
                    return Ok(Taken { sequence, at, hosts });
                }
                Ok((_, Answer { outcome, .. })) if corrections < MAX_CORRECTIONS => {
                    tracing::debug!(?outcome, "the heartbeat is sent again with what the answer told");
                    corrections += 1;
                    continue;
                }
                Ok((_, Answer { outcome: Outcome::Stale, .. })) => return Err(HeartbeatFault::Clock.into()),
                Ok(_) => return Err(HeartbeatFault::NotLater.into()),
                Err(failure) => failure,
            };
            tries += 1;
            let pause = BACKOFF.pause(tries - 1, fastrand::f64()).max(failure.wait.unwrap_or_default());
            let next = Instant::now() + pause;
            if !failure.is_passing() || tries == MAX_TRIES || next >= until {
                return Err(failure);
            }
            tracing::debug!(%failure, tries, "the heartbeat is tried again");
            sleep_until(next).await;
        }
    }

    /// Sends once; learns from the answer, whatever it says.
    async fn try_once(&mut self, view: View, last: Option<Outage>, until: Instant) -> Result<(u64, Answer), Failure> {
        let (url, key) = (self.config.url()?, self.config.key()?);
        let sequence = self.sequence.take(&self.sending).await;
        let heartbeat = Heartbeat {
            home: self.config.home.clone(),
            at: self.time.at(self.clocks()),
            sequence,
            boot: self.boot.clone(),
            running: self.running(),
            view,
            last,
        };
        let signed = heartbeat.sign(&key);
        let answer = call(&self.client, &url, (&signed, &key), until).await?;
        self.time.answered(answer.at, self.clocks());
        self.sequence.above(answer.newest);
        Ok((sequence, answer))
    }

    fn clocks(&self) -> Clocks {
        let shown = self.host.shown();
        Clocks { wall: u64::try_from(shown.wall.as_second()).unwrap_or_default(), uptime: shown.uptime.as_secs() }
    }

    fn running(&self) -> Running {
        let now = self.host.uptime.now();
        Running { up: now.as_secs(), age: now.saturating_sub(self.began).as_secs() }
    }
}
