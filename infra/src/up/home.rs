//! The home's side: keeper, beacon and jobs in one process.

use std::{net::SocketAddr, process, time::Duration};

use anyhow::{Context, anyhow};
use home_beacon::{
    beacon::{Beacon, PUBLIC_PORT, Prover},
    clock::Host,
    keeper::{
        KeeperConfig, Listeners, StartError, Started,
        http::front::Front,
        measured::line_quality::Promised,
        seed::{Branding, Seed},
        start,
    },
    programs::manager::Manager,
};
use jiff::Timestamp;
use shared::{keeper_token, secret::SecretSource, settings::WrongSetting};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use url::Url;

use super::{
    NOT_LOOKED_AT,
    choices::{Choices, DUCKDNS_FILE},
    folder::Folder,
    inside::Inside,
    jobs::{Jobs, ended_with_an_error, stopped},
    listening::{self, everywhere, loopback},
    running::Running,
    say, seed,
    settings::UpSettings,
};
use crate::keygen::keygen;

const PAGE_PORT: u16 = 8030;

/// For the keeper in the same process.
const PRIVATE_PORT: u16 = 9090;

/// The beacon's own default.
const CONNECTIONS: usize = 512;

/// How long the jobs may take to end: a bandwidth test puts down what it used.
const JOBS_END: Duration = Duration::from_secs(3);

/// Everything of a home, ready to run.
pub(super) struct HomeSide {
    keeper: Started,
    page: TcpListener,
    beacon: Beacon,
    jobs: Jobs,
    inside: Option<Inside>,
    running: Running,
    /// Where the world asks.
    public: SocketAddr,
    said: Vec<String>,
}

impl HomeSide {
    /// Makes what is missing in the folder, opens the database, and listens.
    ///
    /// # Errors
    /// When something of that cannot be, in a sentence.
    pub(super) async fn open(folder: &Folder, choices: &mut Choices, settings: &UpSettings) -> anyhow::Result<Self> {
        let key = folder.secret("BEACON_KEY", "beacon.key", keygen)?;
        let token = folder.secret("KEEPER_TOKEN", "keeper.token", keeper_token::new)?;
        let prover = Prover::new(key.clone(), Host::system())?;
        seed::make(folder)?;
        let (seed, branding) = match folder.read(seed::FILE)? {
            Some(_) => Seed::read(&folder.file(seed::FILE)).map(|(seed, branding)| (Some(seed), branding))?,
            None => Default::default(),
        };
        let duckdns = folder.known_secret("TOKEN", DUCKDNS_FILE)?;

        let page = listening::open(settings.page_addr, choices.page.unwrap_or(loopback(PAGE_PORT)), "page")?;
        let public = everywhere(PUBLIC_PORT);
        let public = listening::open(settings.beacon_addr, choices.beacon.unwrap_or(public), "beacon")?;
        let private = listening::open(None, loopback(PRIVATE_PORT), "beacon's private listener")?;
        // What was moved once stays there: a router forwards to it. What is moved from there comes back.
        choices.page.get_or_insert(page.address);
        choices.beacon.get_or_insert(public.address);

        let keeper_url = local(page.address)?;
        let dns = choices.dns.as_deref().zip(duckdns);
        let jobs = Jobs::new(&keeper_url, &token, !choices.no_bandwidth, dns)?;
        let target = seed.as_ref().and_then(|seed| {
            let component = seed.components.iter().find(|component| component.beacon).or(seed.components.first())?;
            Some((seed.page.id.clone(), component.id.clone(), component.name.clone()))
        });
        let beacon_url = local(public.address)?;
        let inside = target.map(|target| {
            let (api, beacon) = (keeper_url.join("v1")?, beacon_url.clone());
            Inside::new(folder, (api, token.clone()), (beacon, key), target)
        });
        let keeper = keeper(folder, seed, branding, token, local(private.address)?).await?;
        Ok(Self {
            keeper,
            jobs,
            inside: inside.transpose()?,
            running: Running {
                process: process::id(),
                since: Timestamp::now(),
                page: keeper_url,
                beacon: Some(beacon_url),
            },
            public: public.address,
            said: [page.moved, public.moved].into_iter().flatten().collect(),
            page: page.listener,
            beacon: Beacon {
                public: public.listener,
                private: private.listener,
                connections: CONNECTIONS,
                prover: Some(prover),
            },
        })
    }

    /// Says what runs, and where.
    pub(super) fn announce(&self, folder: &Folder) {
        say(format_args!("Porchlight runs, and keeps everything in {}.", folder.path().display()));
        for moved in &self.said {
            say(format_args!("  note    {moved}"));
        }
        say(format_args!("  page    {}  (not looked at from outside yet)", self.running.page));
        say(format_args!(
            "  beacon  port {} of this machine: have the router forward a port to it",
            self.public.port()
        ));
        say(format_args!("  jobs    {}", self.jobs.words()));
        say(format_args!(
            "From here nobody can tell whether the world reaches this home, so the page says neither up nor down."
        ));
        say(format_args!("{NOT_LOOKED_AT}"));
        say(format_args!("Ctrl-C ends it. `porchlight up --install` has it run from now on."));
    }

    /// Runs until `stop`: first the jobs end, and then what they hand over to.
    ///
    /// # Errors
    /// When the settings of a job cannot work, or a database that could be written at last cannot be used.
    pub(super) async fn run(self, folder: &Folder, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { keeper, page, beacon, jobs, inside, running, .. } = self;
        if let Err(error) = running.write(folder) {
            tracing::warn!("other commands cannot be told what runs: {error}");
        }
        let (stop_jobs, jobs_stopped) = watch::channel(());
        let (stop_servers, servers_stopped) = watch::channel(());
        let manager = Manager::of_environment();
        manager.ready();
        let playing = async {
            let mut working = Box::pin(jobs.run(&jobs_stopped));
            let seen_from_inside = async {
                match &inside {
                    Some(inside) => inside.run().await,
                    None => std::future::pending().await,
                }
            };
            let wrong = tokio::select! {
                wrong = ended_with_an_error(&mut working) => return Err(wrong),
                () = Box::pin(seen_from_inside) => None,
                () = manager.passing_on(stop) => None::<WrongSetting>,
            };
            drop(stop_jobs);
            if wrong.is_none() && timeout(JOBS_END, working).await.is_err() {
                tracing::warn!("a job did not end in time and was cut off");
            }
            Ok(())
        };
        let playing = async {
            let played = playing.await;
            drop(stop_servers);
            played
        };
        let served = async {
            tokio::join!(
                Box::pin(keeper.run(Listeners::from(page), stopped(servers_stopped.clone()))),
                beacon.run(stopped(servers_stopped.clone())),
                playing,
            )
        };
        let (kept, (), played) = manager.watching(served).await;
        played?;
        kept.map_err(|error| anyhow!(error).context("the keeper has ended"))
    }
}

async fn keeper(
    folder: &Folder,
    seed: Option<Seed>,
    branding: Branding,
    token: SecretSource,
    beacon: Url,
) -> anyhow::Result<Started> {
    let config = KeeperConfig {
        database_url: folder.database_url(),
        seed,
        token,
        joins: None,
        rate_limit: 0,
        strict_points: false,
        upstream: None,
        promised: Promised::default(),
        beacon: Some(beacon),
        front: Front { branding, ..Front::default() },
        notice: None,
        without_looks: Some(NOT_LOOKED_AT.into()),
    };
    start(config, Host::system()).await.map_err(|error| match error {
        StartError::Setting(wrong) => wrong.into(),
        wrong @ StartError::Database { .. } => WrongSetting(wrong.to_string()).into(),
        other => anyhow!(other),
    })
}

/// How this machine itself finds what listens there.
fn local(address: SocketAddr) -> anyhow::Result<Url> {
    let host = if address.ip().is_unspecified() { loopback(address.port()) } else { address };
    Url::parse(&format!("http://{host}/")).context("an address of this machine is none")
}
