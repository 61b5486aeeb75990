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
        notices::NoticeConfig,
        relay::Upstream,
        seed::{Branding, Seed},
        start,
    },
    programs::manager::Manager,
};
use jiff::Timestamp;
use shared::{keeper_token, secret::SecretSource, settings::WrongSetting};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    time::timeout,
};
use url::Url;

use super::{
    NOT_LOOKED_AT,
    choices::{Choices, DUCKDNS_FILE, Outside},
    folder::Folder,
    heartbeats,
    inside::Inside,
    jobs::{Jobs, ended_with_an_error, stopped},
    join::{self, KEY_FILE, TOKEN_FILE},
    listening::{self, everywhere, keep_place, loopback},
    router_port::{self, RouterPort},
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

/// For how long the last bandwidth is shown again upstream, as the keeper's own default is.
const HOLD: Duration = Duration::from_hours(3);

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
    /// The port that the router is asked to open.
    router_port: Option<u16>,
    /// The outside machine, where one looks at this home.
    outside: Option<Outside>,
    said: Vec<String>,
}

impl HomeSide {
    /// Makes what is missing in the folder, opens the database, and listens.
    ///
    /// # Errors
    /// When something of that cannot be, in a sentence.
    pub(super) async fn open(
        folder: &Folder,
        choices: &mut Choices,
        settings: &UpSettings,
        stop: &mut (impl Future<Output = ()> + Unpin),
    ) -> anyhow::Result<Self> {
        if choices.outside.is_some() && !settings.join && folder.read(KEY_FILE)?.is_none() {
            // Another key would make this home a stranger to the machine that looks at it.
            return Err(gone(folder, "the key of this home is gone").into());
        }
        let key = folder.secret("BEACON_KEY", KEY_FILE, keygen)?;
        let token = folder.secret("KEEPER_TOKEN", "keeper.token", keeper_token::new)?;
        let prover = Prover::new(key.clone(), Host::system())?;
        seed::make(folder)?;
        let (mut seed, branding) = match folder.read(seed::FILE)? {
            Some(_) => Seed::read(&folder.file(seed::FILE)).map(|(seed, branding)| (Some(seed), branding))?,
            None => Default::default(),
        };
        let heartbeat = heartbeats::config(folder, choices, &key)?;
        let code = if settings.join { Some(join::code(stop).await?) } else { None };

        let page = listening::open(settings.page_addr, choices.page.unwrap_or(loopback(PAGE_PORT)), "page")?;
        let public = everywhere(PUBLIC_PORT);
        let public = listening::open(settings.beacon_addr, choices.beacon.unwrap_or(public), "beacon")?;
        let private = listening::open(None, loopback(PRIVATE_PORT), "beacon's private listener")?;
        // What was moved once stays there: a router forwards to it. What is moved from there comes back.
        keep_place(&mut choices.page, page.address);
        keep_place(&mut choices.beacon, public.address);
        if let Some(code) = code {
            let at = router_port::home_at(choices, public.address.port(), folder);
            let at = join::unless_stopped(stop, at).await?;
            join::unless_stopped(stop, join::join(folder, choices, &code, at)).await?;
        }
        let upstream = choices.outside.as_ref().map(|outside| upstream(folder, outside)).transpose()?;
        if upstream.is_some() {
            // What is measured here is shown there, too.
            seed.iter_mut().flat_map(|seed| &mut seed.metrics).for_each(|metric| metric.relay = true);
        }

        let keeper_url = local(page.address)?;
        let dns = choices.dns.as_deref().zip(folder.known_secret("DUCKDNS_TOKEN", DUCKDNS_FILE)?);
        let port = RouterPort::chosen(choices, public.address.port(), folder)?;
        let jobs = Jobs::new(&keeper_url, &token, (!choices.no_bandwidth, port), dns, folder)?;
        // The component has one writer: where a machine outside looks, it is that one.
        let target = seed.as_ref().filter(|_| upstream.is_none()).and_then(|seed| {
            let component = seed.components.iter().find(|component| component.beacon).or(seed.components.first())?;
            Some((seed.page.id.clone(), component.id.clone(), component.name.clone()))
        });
        let beacon_url = local(public.address)?;
        let inside = target.map(|target| {
            let (api, beacon) = (keeper_url.join("v1")?, beacon_url.clone());
            Inside::new(folder, (api, token.clone()), (beacon, key), target)
        });
        let notices = choices.writing.keeper(folder)?;
        let keeper =
            keeper(folder, (seed, branding), token, (upstream, notices, heartbeat), local(private.address)?).await?;
        Ok(Self {
            keeper,
            jobs,
            inside: inside.transpose()?,
            running: Running {
                process: process::id(),
                since: Timestamp::now(),
                page: keeper_url,
                beacon: Some(beacon_url),
                shown: None,
            },
            public: public.address,
            router_port: choices.router_port,
            outside: choices.outside.clone(),
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
        let looked_at = if self.outside.is_some() { "" } else { "  (not looked at from outside yet)" };
        say(format_args!("  page    {}{looked_at}", self.running.page));
        say(format_args!("  beacon  {}", router_port::beacon_words(self.public.port(), self.router_port)));
        say(format_args!("  jobs    {}", self.jobs.words()));
        match &self.outside {
            Some(Outside { page: Some(page), .. }) => {
                say(format_args!("  shown   {page}  (by the machine that looks at this home)"));
            }
            Some(Outside { url, .. }) => {
                say(format_args!("  shown   at {url}, by the machine that looks at this home"));
            }
            None => {
                say(format_args!(
                    "From here nobody can tell whether the world reaches this home, so the page says neither up nor down."
                ));
                say(format_args!("{NOT_LOOKED_AT}"));
            }
        }
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
        let keeper_failed = Notify::new();
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
                // Without its keeper a home is not up, whatever else goes on.
                () = keeper_failed.notified() => None,
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
        let kept = async {
            let kept = Box::pin(keeper.run(Listeners::from(page), stopped(servers_stopped.clone()))).await;
            if kept.is_err() {
                keeper_failed.notify_one();
            }
            kept
        };
        let served = async { tokio::join!(Box::pin(kept), beacon.run(stopped(servers_stopped.clone())), playing,) };
        let (kept, (), played) = manager.watching(served).await;
        played?;
        kept.map_err(|error| anyhow!(error).context("the keeper has ended"))
    }
}

async fn keeper(
    folder: &Folder,
    (seed, branding): (Option<Seed>, Branding),
    token: SecretSource,
    (upstream, notices, heartbeat): (Option<Upstream>, Option<NoticeConfig>, heartbeats::Chosen),
    beacon: Url,
) -> anyhow::Result<Started> {
    let config = KeeperConfig {
        database_url: folder.database_url(),
        seed,
        token,
        pinglow_key: None,
        joins: None,
        rate_limit: 0,
        strict_points: false,
        without_looks: upstream.is_none().then(|| NOT_LOOKED_AT.into()),
        upstream,
        notices,
        promised: Promised::default(),
        beacon: Some(beacon),
        heartbeat,
        at_home: false,
        front: Front { branding, ..Front::default() },
        notice: None,
    };
    start(config, Host::system()).await.map_err(start_error)
}

/// Why a keeper cannot begin: what a person can change is a setting.
pub(super) fn start_error(error: StartError) -> anyhow::Error {
    match error {
        StartError::Setting(wrong) => wrong.into(),
        wrong @ StartError::Database { .. } => WrongSetting(wrong.advice()).into(),
        other => anyhow!(other),
    }
}

/// What only another join mends.
fn gone(folder: &Folder, what: &str) -> WrongSetting {
    WrongSetting(format!("{}: {what}: join again, with --join", folder.path().display()))
}

/// The outside machine, as the relay and the mirror call it.
fn upstream(folder: &Folder, outside: &Outside) -> Result<Upstream, WrongSetting> {
    let wrong = |what: &str| gone(folder, what);
    let token = folder
        .known_secret("UPSTREAM_TOKEN", TOKEN_FILE)?
        .ok_or_else(|| wrong("the token of the outside machine is gone"))?;
    let fingerprint = outside.fingerprint.as_deref().map(str::parse).transpose();
    let fingerprint = fingerprint.map_err(|_| wrong("up.toml holds no fingerprint of it"))?;
    Ok(Upstream { url: outside.url.clone(), token, fingerprint, hold: HOLD, causes: true })
}

/// How this machine itself finds what listens there.
pub(super) fn local(address: SocketAddr) -> anyhow::Result<Url> {
    let host = if address.ip().is_unspecified() { loopback(address.port()) } else { address };
    Url::parse(&format!("http://{host}/")).context("an address of this machine is none")
}
