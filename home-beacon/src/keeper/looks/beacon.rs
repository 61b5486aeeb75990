//! What the beacon of this home has received: the signed requests that reached it, asked for once a minute at its private
//! listener. A name of several addresses stands for several beacons, and each is asked.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::SignedDuration;
use shared::{
    chain::root_cause,
    http::{CallError, Client, Deadlines, SetupError, client_for},
    id::{ComponentId, PageId},
    look::{BEACON_LOOKS_PATH, BeaconLook, BeaconLooks, MAX_LOOKS},
    names::{Names, Search},
};
use tokio::time::Instant;
use url::{Host, Url};

use super::{Looks, Now};
use crate::keeper::{
    KeeperClock, KeeperConfig, KeeperError,
    db::{Db, query},
    status::Component,
};

/// How often the beacons are asked.
pub(in crate::keeper) const INTERVAL: Duration = Duration::from_mins(1);

/// How long all of one question may take, the name's resolution included.
const DEADLINE: Duration = Duration::from_secs(3);

/// The most that is read of an answer: twice what all the looks that a beacon keeps take.
const MAX_ANSWER: usize = 64 << 10;

/// How many addresses of a name are asked.
const MAX_BEACONS: usize = 16;

/// Among how many of the first components the home is looked for.
const MAX_COMPONENTS: u32 = 1000;

/// That the keeper is at home, beside a beacon, and the component that the beacon stands for, where the seed says so.
#[derive(Clone, Debug)]
pub(in crate::keeper) struct AtHome {
    component: Option<ComponentId>,
    /// Whether it asks a beacon there.
    pub(in crate::keeper) asks_beacon: bool,
}

/// Since when the beacon at home does not answer the keeper, and why. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct BeaconState(Arc<Mutex<Option<(Duration, String)>>>);

impl BeaconState {
    /// It has answered, or not.
    fn note(&self, now: Duration, failure: Option<String>) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *failing = failure.map(|why| (failing.take().map_or(now, |(since, _)| since), why));
    }

    /// For how long it has not answered by that uptime of the host, and why.
    pub(in crate::keeper) fn failing(&self, now: Duration) -> Option<(SignedDuration, String)> {
        let failing = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        failing.map(|(since, why)| (SignedDuration::try_from(now.saturating_sub(since)).unwrap_or_default(), why))
    }
}

/// Asks the beacons of this home.
#[derive(Debug)]
pub struct BeaconPoller {
    client: Client,
    names: Names,
    url: Url,
    page: PageId,
    /// The component that the beacon stands for, where the seed says so.
    component: Option<ComponentId>,
    state: BeaconState,
    has_failed: bool,
}

/// Why a beacon reported nothing.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("its name cannot be resolved: {0}")]
    Name(std::io::Error),
    #[error("{}", root_cause(.0))]
    Call(#[from] CallError),
    #[error("it answered {0}: a beacon with BEACON_KEY reports its looks at its PRIVATE_ADDR")]
    Status(u16),
    #[error("the answer is not a beacon's: {0}")]
    Answer(String),
}

impl AtHome {
    /// `None` where nothing says that it is at one.
    pub(in crate::keeper) fn of(config: &KeeperConfig) -> Option<Self> {
        if config.beacon.is_none() && config.heartbeat.is_none() && !config.at_home {
            return None;
        }
        if let Some(heartbeat) = &config.heartbeat {
            return Some(Self { component: Some(heartbeat.home.clone()), asks_beacon: config.beacon.is_some() });
        }
        let mut components = config.seed.iter().flat_map(|seed| &seed.components);
        let component = components.find(|component| component.beacon).map(|component| component.id.clone());
        Some(Self { component, asks_beacon: config.beacon.is_some() })
    }

    /// The component of that page that is this home.
    pub(in crate::keeper) async fn component(
        &self,
        db: &Db,
        page: &PageId,
    ) -> Result<Option<ComponentId>, KeeperError> {
        match &self.component {
            Some(component) => Ok(Some(component.clone())),
            None => first_not_relayed(db, page).await,
        }
    }
}

impl BeaconPoller {
    /// Asks at that address for looks at a component of that page; without a component at the first that is not relayed.
    ///
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub fn new(url: Url, page: PageId, component: Option<ComponentId>) -> Result<Self, SetupError> {
        let deadlines = Deadlines { connect: DEADLINE, read: DEADLINE, total: DEADLINE };
        let client = client_for([&url], deadlines)?;
        Ok(Self {
            client,
            names: Names::of_this_machine(),
            url,
            page,
            component,
            state: BeaconState::default(),
            has_failed: false,
        })
    }

    /// Since when it does not answer.
    pub fn state(&self) -> BeaconState {
        self.state.clone()
    }

    /// Asks once; what is to be noted of it: that it does not answer, and why, each time; and once that it does again.
    pub(in crate::keeper) async fn turn(
        &mut self,
        db: &Db,
        clock: &KeeperClock,
        looks: &Looks,
    ) -> Option<Option<String>> {
        let had_failed = self.has_failed;
        self.poll(db, clock, looks).await;
        let failing = self.state.failing(clock.host().uptime.now()).map(|(_, why)| why);
        (had_failed || self.has_failed).then_some(failing)
    }

    /// Asks each beacon once, and takes what is new. While the clock cannot be trusted it waits where it is.
    pub async fn poll(&mut self, db: &Db, clock: &KeeperClock, looks: &Looks) {
        let (mut reported, mut failure) = (Vec::new(), None);
        match self.addresses().await {
            Ok(addresses) => {
                for address in addresses {
                    match self.ask(address).await {
                        Ok(more) => reported.extend(more.looks.into_iter().take(MAX_LOOKS)),
                        Err(error) => failure = Some(error),
                    }
                }
            }
            Err(error) => failure = Some(error),
        }
        self.take(db, clock, looks, reported).await;
        match &failure {
            Some(error) if !self.has_failed => {
                tracing::warn!(%error, "the beacon's looks cannot be read; this is not said again until they can be");
            }
            None if self.has_failed => tracing::info!("the beacon's looks can be read again"),
            _ => (),
        }
        self.has_failed = failure.is_some();
        self.state.note(clock.host().uptime.now(), failure.map(|error| error.to_string()));
    }

    async fn addresses(&self) -> Result<Vec<IpAddr>, PollError> {
        match self.url.host() {
            Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
            Some(Host::Domain(name)) => {
                let found = self.names.resolve(name, None, Search::of(name), Instant::now() + DEADLINE).await;
                let mut found = found.map_err(PollError::Name)?;
                found.truncate(MAX_BEACONS);
                Ok(found)
            }
            None => Ok(Vec::new()),
        }
    }

    async fn ask(&self, address: IpAddr) -> Result<BeaconLooks, PollError> {
        let mut url = self.url.clone();
        // An address can always be the host of an address of http.
        let _ = url.set_ip_host(address);
        url.set_path(BEACON_LOOKS_PATH);
        let mut answer = self.client.get(&url).send().await?;
        if !answer.status().is_success() {
            return Err(PollError::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| CallError::Body(error.without_url()))? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(PollError::Answer(format!("it has more than {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        serde_json::from_slice(&body).map_err(|error| PollError::Answer(error.to_string()))
    }

    async fn take(&self, db: &Db, clock: &KeeperClock, looks: &Looks, reported: Vec<BeaconLook>) {
        let Some(now) = clock.now_for_looks() else { return };
        let component = match &self.component {
            Some(component) => Ok(Some(component.clone())),
            None => first_not_relayed(db, &self.page).await,
        };
        // What the disk does not take now, it takes with the next reading.
        if let Ok(Some(component)) = component {
            let _ = looks.take_signed(db, now, &component, reported).await;
        }
    }
}

impl Looks {
    /// Takes what a beacon reports of the component: what is known already adds nothing.
    ///
    /// # Errors
    /// When a verdict has turned and the disk cannot be written; it is written with the next transaction then.
    pub(in crate::keeper) async fn take_signed(
        &self,
        db: &Db,
        now: Now,
        component: &ComponentId,
        mut reported: Vec<BeaconLook>,
    ) -> Result<(), KeeperError> {
        // Those of several beacons in the order in which they came.
        reported.sort_by_key(|look| look.at);
        let mut has_turned = false;
        {
            let mut places = self.lock();
            for look in reported {
                has_turned |= places.add_signed(component, &look, now);
            }
        }
        if has_turned { self.flush(db, Some(now)).await } else { Ok(()) }
    }
}

/// The first component whose status is neither sent upstream nor set by checks.
pub(in crate::keeper) async fn first_not_relayed(db: &Db, page: &PageId) -> Result<Option<ComponentId>, KeeperError> {
    let list = query("SELECT * FROM components WHERE page_id = ? AND NOT relayed ORDER BY position, id LIMIT ?");
    let list: Vec<Component> = list.bind(page.as_str()).bind(MAX_COMPONENTS).all(&mut db.read().await?).await?;
    Ok(list.into_iter().find(|component| !component.checked).map(|component| component.id))
}
