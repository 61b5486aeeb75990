//! What a run reads of heartbeats, and the heartbeat that it sends itself by the homes' way.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use shared::{
    heartbeat::{Heartbeat, Outcome, View},
    http::{Client, Method},
    id::ComponentId,
    proof::Running,
    secret::Secret,
    settings::web_address,
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    canary,
    judge::{Way, open_for},
    table::{Item, Table, TableError, TableName},
};
use crate::{
    kept::secrets::{Place, RunSecrets, Secrets},
    mode::Mode,
    settings::HEARTBEAT_URL,
    target::{Home, ParameterName, Target},
};

/// How long a heartbeat of the prober's own may take: the other function may have to start first.
const CANARY_TIMEOUT: Duration = Duration::from_secs(6);

/// How long an address in Parameter Store is used until it is read again.
const URL_LIFETIME: Duration = Duration::from_mins(15);

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1024;

/// Where heartbeats are kept, and where they go.
#[derive(Debug)]
pub struct Watch {
    table: TableName,
    url: Place,
    /// What Parameter Store last said of it.
    last_url: Mutex<Option<(Secret, Instant)>>,
}

/// What a run knows by heartbeats.
#[derive(Debug)]
pub(crate) struct Hearing {
    /// Unix time at which it was read, in seconds.
    pub(crate) now: i64,
    /// The newest of each home, or why they cannot be read.
    pub(crate) items: Result<HashMap<ComponentId, Item>, TableError>,
    /// The way that they take.
    pub(crate) way: Way,
}

impl Watch {
    pub(crate) const fn new(table: TableName, url: Place) -> Self {
        Self { table, url, last_url: Mutex::new(None) }
    }

    /// Reads the heartbeats of these targets' homes, and sends one of its own unless nothing may be written.
    pub(crate) async fn observe(
        &self,
        targets: &[&Target],
        secrets: &RunSecrets<'_>,
        store: &Secrets,
        http: &Client,
        mode: Mode,
        until: Instant,
    ) -> Hearing {
        let homes = targets.iter().map(|target| target.component.clone());
        let read = Table { name: &self.table, http }.read(&homes.chain(canary()).collect::<Vec<_>>(), until).await;
        let now = Timestamp::now().as_second();
        let own = read.as_ref().ok().zip(canary()).and_then(|(items, canary)| items.get(&canary));
        let open = open_for(own.map(|own| (own.received, own.heartbeat.running.age)), now);
        let homes = targets.iter().map(|target| &target.home);
        let way = match (&read, mode) {
            (Err(error), _) => Way::Shut(error.to_string()),
            (Ok(_), Mode::DryRun) => Way::Open(open),
            (Ok(_), Mode::Publish) => match self.send(homes, secrets, store, http, open, until).await {
                Ok(()) => Way::Open(open),
                Err(why) => Way::Shut(why),
            },
        };
        if let Way::Shut(why) = &way {
            tracing::warn!(why, "the way of heartbeats does not work, so silence says nothing of a home");
        }
        Hearing { now, items: read, way }
    }

    /// Reads those of some homes once more, after they were probed.
    pub(crate) async fn again(&self, hearing: &mut Hearing, homes: &[ComponentId], http: &Client, until: Instant) {
        match (&mut hearing.items, Table { name: &self.table, http }.read(homes, until).await) {
            (Ok(known), Ok(newer)) => {
                hearing.now = Timestamp::now().as_second();
                known.extend(newer);
            }
            (_, Err(error)) => tracing::warn!(%error, "heartbeats could not be read once more"),
            (Err(_), Ok(_)) => {}
        }
    }

    /// Sends the prober's own heartbeat, signed with the key of one of the homes; the text says why that failed.
    async fn send(
        &self,
        homes: impl Iterator<Item = &Home>,
        secrets: &RunSecrets<'_>,
        store: &Secrets,
        http: &Client,
        open: Duration,
        until: Instant,
    ) -> Result<(), String> {
        let until = until.min(Instant::now() + CANARY_TIMEOUT);
        let url =
            timeout_at(until, self.url(store, until)).await.map_err(|_| "its address could not be read in time")??;
        let mut key = Err("no home sends heartbeats".to_owned());
        for home in homes {
            key = secrets.keys(home).await.map(|keys| keys.current);
            if key.is_ok() {
                break;
            }
        }
        let key = key?;
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        let heartbeat = Heartbeat {
            home: canary().ok_or("it has no name")?,
            at: now,
            sequence: now.max(1),
            boot: "0".parse().map_err(|_| "it has no boot")?,
            running: Running { up: 0, age: open.as_secs() },
            view: View::UNKNOWN,
            last: None,
        };
        let signed = heartbeat.sign(&key);
        let call = http.call(Method::POST, url).confidential().within(until.saturating_duration_since(Instant::now()));
        let answer = call.body("text/plain", signed.as_str().into()).send().await;
        let mut answer = answer.map_err(|error| format!("the heartbeat URL: {error}"))?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|_| "the heartbeat URL: the answer broke off")? {
            body.extend_from_slice(&piece);
            if body.len() > MAX_ANSWER {
                break;
            }
        }
        match signed.answer(&key, &body).map(|answer| answer.outcome) {
            // Another run was there in the same second.
            Ok(Outcome::Stored | Outcome::NotLater) => Ok(()),
            Ok(Outcome::Stale) => Err("the clocks of the two functions are more than ten minutes apart".into()),
            Err(_) => Err(format!("the heartbeat URL answers {status}, and not as the function behind it does")),
        }
    }

    async fn url(&self, store: &Secrets, until: Instant) -> Result<Url, String> {
        let secret = match &self.url {
            Place::Local(source) => source.current().map_err(|error| error.to_string())?,
            Place::Parameter(name) => self.read_url(name, store, until).await?,
        };
        web_address(secret.expose().trim()).map_err(|error| format!("{}: {error}", HEARTBEAT_URL.name))
    }

    async fn read_url(&self, name: &ParameterName, store: &Secrets, until: Instant) -> Result<Secret, String> {
        let last = || self.last_url.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((secret, _)) = last().clone().filter(|(_, read)| read.elapsed() < URL_LIFETIME) {
            return Ok(secret);
        }
        let read = store.store().get(&[name], until).await.remove(name);
        let read = read.ok_or("its address could not be read")?.map_err(|error| error.to_string())?;
        let secret = read.ok_or_else(|| format!("the parameter {name} does not exist"))?;
        *last() = Some((secret.clone(), Instant::now()));
        Ok(secret)
    }
}
