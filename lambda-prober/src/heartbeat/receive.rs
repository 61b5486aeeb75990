//! The function that takes heartbeats: it verifies, stores and answers, and does nothing else. What is not signed by a home's key
//! costs it a comparison, and writes nothing, not even a line in the log.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use shared::{
    heartbeat::{Answer, Heartbeat, Hosts, MAX_SKEW, Outcome, Received, Refused},
    http::{self, Client, Deadlines},
    id::ComponentId,
    proof::Key,
    settings::{Settings, WrongSetting},
};
use tokio::time::Instant;

use super::{
    canary,
    table::{Item, Table, TableError, TableName},
    url_event::{self, Posted},
};
use crate::{
    function::ServeError,
    kept::secrets::{RunSecrets, Secrets},
    settings::ProberSettings,
    target::Targets,
};

/// How long one heartbeat may take.
const TIMEOUT: Duration = Duration::from_secs(6);

/// How long keys are used until they are read again.
const LIFETIME: Duration = Duration::from_mins(15);

/// How soon they are read again because a signature did not fit: a flood of such must not become one of calls.
const MIN_LIFETIME: Duration = Duration::from_mins(1);

/// Two hosts take turns where that happens twice within this time, in seconds; and it is told for as long.
const TURNS_WITHIN: i64 = 3600;

/// By how much a host's uptime may be beyond the time since the last heartbeat of another boot, in seconds.
const UPTIME_TOLERANCE: u64 = 30;

type Keys = HashMap<ComponentId, Vec<Key>>;

/// Takes heartbeats.
#[derive(Debug)]
struct Receiver {
    table: TableName,
    secrets: Secrets,
    /// `None` where Parameter Store lists them.
    targets: Option<Targets>,
    http: Client,
    keys: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Arc<Keys>,
    /// When they were read, or that was last tried.
    read: Option<Instant>,
}

/// Serves invocations until the platform ends the process.
pub(crate) async fn serve(settings: &ProberSettings) -> Result<(), ServeError> {
    let receiver = &Receiver::new(settings)?;
    ProberSettings::warn_of_visible_secrets();
    ProberSettings::log_warnings(&[]);
    let handler = |event: LambdaEvent<Value>| async move { receiver.handle(&event.payload).await };
    lambda_runtime::run(service_fn(handler)).await.map_err(ServeError::Runtime)
}

impl Receiver {
    fn new(settings: &ProberSettings) -> Result<Self, WrongSetting> {
        let table = settings.table()?.ok_or_else(|| {
            WrongSetting("HEARTBEAT_TABLE is not set: name the table that heartbeats are kept in".into())
        })?;
        let targets = settings.targets()?;
        let listed = targets.as_ref();
        if listed.is_some_and(|targets| !targets.iter().any(|target| target.home.ways.sends_heartbeats())) {
            return Err(WrongSetting(r#"no target sends heartbeats: give one "kind":"heartbeat" in TARGETS"#.into()));
        }
        let secrets = Secrets::new(settings.places_of_a_receiver()?);
        let http = http::tls_config().map_err(|error| WrongSetting(error.to_string()))?;
        let http = http::client(&http, Deadlines::default());
        Ok(Self { table, secrets, targets, http, keys: Mutex::default() })
    }

    async fn handle(&self, event: &Value) -> Result<Value, Error> {
        let posted =
            url_event::read(event).ok_or("the event is not a function URL's: this function takes heartbeats")?;
        Ok(match posted {
            Posted::TooLong => url_event::answer(413, "a heartbeat is at most 2048 bytes\n"),
            Posted::Other => url_event::answer(400, "post a heartbeat\n"),
            Posted::Body(body) => self.take(&body, Timestamp::now().as_second()).await,
        })
    }

    async fn take(&self, body: &[u8], now: i64) -> Value {
        let until = Instant::now() + TIMEOUT;
        let mut keys = self.known(LIFETIME, until).await;
        if matches!(read(body, &keys), Err(Refused::Unsigned)) {
            keys = self.known(MIN_LIFETIME, until).await;
        }
        match read(body, &keys) {
            Ok(received) => self.keep(&received, now, until).await,
            Err(Refused::Unsigned) if keys.is_empty() => url_event::answer(503, "the keys cannot be read\n"),
            Err(Refused::Unsigned) => url_event::answer(401, "the signature is none of a home's\n"),
            Err(Refused::TooLong) => url_event::answer(413, "a heartbeat is at most 2048 bytes\n"),
            Err(Refused::Malformed) => url_event::answer(400, "this is no heartbeat\n"),
        }
    }

    async fn keep(&self, received: &Received<'_>, now: i64, until: Instant) -> Value {
        let heartbeat = &received.heartbeat;
        let at = u64::try_from(now).unwrap_or_default();
        let reply = |status, outcome, newest, hosts| {
            url_event::answer(status, &received.answer(Answer { outcome, newest, at, hosts }))
        };
        if at.abs_diff(heartbeat.at) > MAX_SKEW {
            return reply(401, Outcome::Stale, 0, Hosts::One);
        }
        let table = Table { name: &self.table, http: &self.http };
        match table.store(heartbeat, now, until).await {
            Ok(before) => {
                let hosts = match before {
                    Some(before) if Some(&heartbeat.home) != canary().as_ref() => {
                        hosts(&table, &before, heartbeat, now, until).await
                    }
                    _ => Hosts::One,
                };
                reply(200, Outcome::Stored, heartbeat.sequence, hosts)
            }
            Err(TableError::NotLater(there)) => {
                let newest = there.as_ref().map_or(heartbeat.sequence, |there| there.heartbeat.sequence);
                let hosts = there.map_or(Hosts::One, |there| hosts_of(there.several, now));
                reply(409, Outcome::NotLater, newest, hosts)
            }
            Err(error) => {
                tracing::warn!(%error, "a heartbeat could not be stored");
                url_event::answer(503, "the heartbeat could not be stored\n")
            }
        }
    }

    /// The keys of the homes that send heartbeats, read again where they are older than that.
    async fn known(&self, lifetime: Duration, until: Instant) -> Arc<Keys> {
        {
            let mut known = self.lock();
            if known.read.is_some_and(|read| {
                read.elapsed() < lifetime.min(if known.keys.is_empty() { MIN_LIFETIME } else { lifetime })
            }) {
                return Arc::clone(&known.keys);
            }
            known.read = Some(Instant::now());
        }
        match self.read_keys(until).await {
            Ok(keys) => self.lock().keys = Arc::new(keys),
            Err(error) => tracing::warn!(error, "the keys of homes cannot be read; those from before are used"),
        }
        Arc::clone(&self.lock().keys)
    }

    async fn read_keys(&self, until: Instant) -> Result<Keys, String> {
        let listed;
        let targets = if let Some(targets) = &self.targets {
            targets
        } else {
            listed = self.secrets.targets(until).await?.ok_or("neither TARGETS nor TARGETS_PARAMETER is set")?;
            &listed
        };
        let senders: Vec<_> = targets.iter().filter(|target| target.home.ways.sends_heartbeats()).collect();
        let secrets = RunSecrets::new(&self.secrets, senders.iter().map(|target| &target.home).collect(), until);
        let mut keys = Keys::new();
        for target in senders {
            match secrets.keys_again(&target.home).await {
                Ok(read) => {
                    let both = [read.current].into_iter().chain(read.old).collect();
                    keys.insert(target.component.clone(), both);
                }
                Err(error) => tracing::warn!(home = target.home.name, error, "its heartbeats cannot be taken"),
            }
        }
        for (one, other) in with_one_key(&keys) {
            tracing::warn!(
                "{one} and {other} have one key, so either can send heartbeats for the other: give each home a key of its own"
            );
        }
        // The prober's own are signed with one of them.
        let every = keys.values().filter_map(|keys| keys.first().cloned()).collect();
        keys.extend(canary().filter(|_| !keys.is_empty()).map(|canary| (canary, every)));
        Ok(keys)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The homes that have a key of another one: two parameters may hold the same, which no setting shows.
fn with_one_key(keys: &Keys) -> Vec<(&ComponentId, &ComponentId)> {
    let mut homes: Vec<_> = keys.iter().collect();
    homes.sort_by_key(|(home, _)| home.as_str());
    let pairs = homes.iter().enumerate().flat_map(|(at, one)| homes[at + 1..].iter().map(move |other| (one, other)));
    let same = pairs.filter(|(one, other)| one.1.iter().any(|key| other.1.contains(key)));
    same.map(|(one, other)| (one.0, other.0)).collect()
}

fn read<'k>(body: &[u8], keys: &'k Keys) -> Result<Received<'k>, Refused> {
    Heartbeat::read(body, |home| keys.get(home).map_or(&[], Vec::as_slice))
}

/// How many hosts send for a home, by the heartbeat that was there before; what was noticed is noted.
async fn hosts(table: &Table<'_>, before: &Item, now_sent: &Heartbeat, now: i64, until: Instant) -> Hosts {
    if !is_another_host(before, now_sent, now) {
        return hosts_of(before.several, now);
    }
    let several = before.switched.is_some_and(|switched| now - switched <= TURNS_WITHIN);
    if several {
        tracing::warn!(home = %now_sent.home, "two hosts send heartbeats with one home's key: give each a key of its own, or stop one");
    }
    if let Err(error) = table.note_switch(&now_sent.home, now, several, until).await {
        tracing::warn!(%error, "that another host sends could not be noted");
    }
    if several { Hosts::Several } else { hosts_of(before.several, now) }
}

fn hosts_of(several: Option<i64>, now: i64) -> Hosts {
    if several.is_some_and(|at| now - at <= TURNS_WITHIN) { Hosts::Several } else { Hosts::One }
}

/// Whether that is another host's: of another boot, and up since before the last heartbeat, which no restart of one host is.
fn is_another_host(before: &Item, sent: &Heartbeat, now: i64) -> bool {
    let since = u64::try_from(now.saturating_sub(before.received)).unwrap_or(0);
    before.heartbeat.boot != sent.boot && sent.running.up > since.saturating_add(UPTIME_TOLERANCE)
}

#[cfg(test)]
mod tests {
    use shared::{heartbeat::View, proof::Running};

    use super::*;

    #[test]
    fn homes_with_one_key_are_found_whichever_of_their_keys_it_is() {
        let of = |keys: &[u8]| keys.iter().map(|byte| Key::new([*byte; 32])).collect::<Vec<_>>();
        let id = |id: &str| id.parse::<ComponentId>().unwrap();
        let (a, b, c) = (id("aaaaaaaaaaaa"), id("bbbbbbbbbbbb"), id("cccccccccccc"));
        let mut keys = Keys::from([(a.clone(), of(&[1, 2])), (b.clone(), of(&[3])), (c.clone(), of(&[4, 2]))]);
        assert_eq!(with_one_key(&keys), [(&a, &c)]);
        keys.insert(c, of(&[4]));
        assert!(with_one_key(&keys).is_empty());
    }

    #[test]
    fn a_restart_is_no_other_host_and_a_host_that_was_up_meanwhile_is() {
        let sent = |boot: &str, up| Heartbeat {
            home: "gytm4qzbx9t6".parse().unwrap(),
            at: 0,
            sequence: 1,
            boot: boot.parse().unwrap(),
            running: Running { up, age: 0 },
            view: View::UNKNOWN,
            last: None,
        };
        let before = Item { heartbeat: sent("a", 90_000), received: 1000, switched: None, several: None };
        assert!(!is_another_host(&before, &sent("a", 90_060), 1060), "the same boot");
        assert!(!is_another_host(&before, &sent("b", 40), 1060), "a restart");
        assert!(!is_another_host(&before, &sent("b", 90), 1060), "a clock that runs otherwise");
        assert!(is_another_host(&before, &sent("b", 91), 1060));
        assert_eq!(
            (hosts_of(None, 0), hosts_of(Some(100), 3700), hosts_of(Some(100), 3701)),
            (Hosts::One, Hosts::Several, Hosts::One)
        );
    }
}
