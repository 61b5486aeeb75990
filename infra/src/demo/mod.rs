//! The demo: a keeper, a beacon, a prober and checks in one process, and a line between them that can be cut.

mod checks;
mod keys;
mod line;
mod measured;
mod notices;
mod script;
mod witnesses;

use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};
use home_beacon::{
    clock::Host,
    keeper::{
        Keeper, KeeperConfig, StartError, http::front::Front, measured::line_quality::Promised, status::components,
    },
    serve::listen,
};
use lambda_prober::{
    kept::{
        secrets::{Places, Secrets},
        state::{State, StatePlace},
    },
    look::vantage::VantageSetting,
    mode::Mode,
    observe::ProbeConfig,
    plan::Rules,
    report::explain::{IncidentLines, OneLine},
    run::Prober,
    target::{Home, Target, Targets},
    timing::Timing,
};
use shared::{
    secret::{Secret, SecretSource},
    settings::WrongSetting,
    shutdown,
};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{MissedTickBehavior, interval},
};
use url::Url;

use self::{
    keys::Keys,
    line::HomeLine,
    notices::Notices,
    script::{Act, Script},
    witnesses::LocalWitnesses,
};
use crate::{keygen::keygen, settings::DemoSettings};

/// The keeper's and the beacon's own defaults; free ports are taken where these are busy.
const PAGE_PORT: u16 = 8030;
const BEACON_PORT: u16 = 8080;

/// A probe every 5 seconds of two attempts, so that a cut shows within two cycles.
const CYCLE: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 2;

/// Seconds instead of the defaults, which are minutes.
const INCIDENT_AFTER: Duration = Duration::from_secs(10);
const RESOLVE_AFTER: Duration = Duration::from_secs(10);

/// Everything stays on this machine and is gone afterwards, so the token need not be secret.
const TOKEN: &str = "demo";

/// The prober looks from this machine, and its page must not be taken for one that somebody outside looked at.
const NOTICE: &str = "This is a demo: the home, its line, the prober and the witnesses are all on one machine, and what the \
                      home measures is played.";

/// Runs until a key, a flag or a signal ends it.
///
/// # Errors
/// When a setting is wrong, or the machine lacks what the demo needs.
pub async fn demo(settings: &DemoSettings) -> anyhow::Result<()> {
    settings.check()?;
    let interrupted = shutdown::requested();
    let data = Data::new(settings.data.as_deref())?;
    let keeper = open_keeper(data.folder()).await?;
    let listener = free_or_any(PAGE_PORT)?;
    let page = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
    let api = page.join("v1")?;
    let (mut notices, mut outgoing) = notices::of_environment(&page)?.unzip();
    let key = SecretSource::Value(Secret::new(keygen()?));
    let mut line = HomeLine::connect(free_or_any(BEACON_PORT)?, key.clone())?;
    let targets = target(&keeper, &line).await?;
    let (recorder, is_connected) = (keeper.recorder().clone(), line.connected());
    let witnesses = LocalWitnesses::open()?;
    let token = SecretSource::Value(Secret::new(TOKEN));
    let (checks, mut narrated) = checks::of(data.folder(), &page, line.address(), &token)?;
    let secrets = Secrets::new(Places::local(token, Some(key), None));
    let state = State::new(StatePlace::File(data.folder().join("state.json")));
    let prober = Prober::new(api.clone(), secrets, Mode::Publish)
        .with_state(Some(state))
        .with_config(ProbeConfig {
            witnesses: witnesses.addresses()?,
            // The line stands in for the one between the home and the world.
            vantage: VantageSetting::Outside,
            ..ProbeConfig::default()
        })
        .with_rules(Rules { incident_after: Some(INCIDENT_AFTER), resolve_after: RESOLVE_AFTER, ..Rules::default() });

    say(format_args!(
        "Porchlight demo: a keeper, a beacon and a prober on this machine, one probe every {} s.",
        CYCLE.as_secs()
    ));
    say(format_args!("  page    {page}"));
    say(format_args!("  API     {api}  (Authorization: OAuth {TOKEN})"));
    say(format_args!("  beacon  http://{}/", line.address()));
    say(format_args!("  checks  {}", checks.words()));
    say(format_args!("  asked when the home is silent: {}", witnesses.words()?));
    say(format_args!("  data    {}", data.words()));
    if let Some(outgoing) = &outgoing {
        say(format_args!("  notices {}", outgoing.words()));
    }
    let keys = Keys::listen();
    match &keys {
        Some(_) => say(format_args!("Keys: c cuts the line, r restores it, q quits.")),
        None => say(format_args!(
            "No terminal: --cut-after, --restore-after and --for stand in for the keys; Ctrl-C quits."
        )),
    }

    let (stop, stopped) = oneshot::channel::<()>();
    let keeping = keeper.run(listener, async {
        // Either way, a message or the sender's end, it is time.
        let _ = stopped.await;
    });
    let (halt, halted) = oneshot::channel::<()>();
    let checking = checks.run(async {
        let _ = halted.await;
    });
    let playing = async {
        let watching = async {
            // So that the first probe finds a page that knows all.
            narrated.first().await;
            tokio::select! {
                () = probe(&prober, &targets, notices.as_mut()) => (),
                () = narrated.changes() => (),
                () = play(&mut line, keys, Script::new(settings)) => (),
            }
        };
        tokio::select! {
            () = watching => (),
            () = async { match &mut outgoing { Some(outgoing) => outgoing.send().await, None => std::future::pending().await } } => (),
            () = witnesses.answer() => (),
            () = measured::measure(&recorder, &is_connected) => (),
            () = interrupted => (),
        }
        line.cut().await;
        drop(halt);
    };
    let all_but_the_keeper = async {
        tokio::join!(checking, playing);
        drop(stop);
    };
    tokio::join!(keeping, all_but_the_keeper);
    say(format_args!("The demo is over."));
    Ok(())
}

/// Probes once a cycle and prints the verdicts; never returns.
async fn probe(prober: &Prober, targets: &Targets, mut notices: Option<&mut Notices>) {
    let timing = Timing::every(CYCLE, ATTEMPTS);
    let mut due = interval(CYCLE);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        due.tick().await;
        match prober.run(Some(targets), &timing).await {
            Ok(report) => {
                for target in &report.targets {
                    say(format_args!("{}", OneLine { at: report.at, target }));
                    if let Some(notices) = &mut notices {
                        notices.note(target, report.at);
                    }
                }
                let incidents = IncidentLines(&report).to_string();
                incidents.lines().for_each(|line| say(format_args!("{line}")));
            }
            Err(error) => say(format_args!("The probe could not begin: {error}.")),
        }
    }
}

/// Carries out what keys and script say until one of them says to quit.
async fn play(line: &mut HomeLine, mut keys: Option<Keys>, mut script: Script) {
    loop {
        let act = tokio::select! {
            Some(act) = script.next() => act,
            act = async { match &mut keys { Some(keys) => keys.next().await, None => std::future::pending().await } } => act,
        };
        match act {
            Act::Cut if line.cut().await => say(format_args!("The line is cut: the beacon's port is closed.")),
            Act::Cut => say(format_args!("The line is cut already.")),
            Act::Restore => match line.restore() {
                Ok(()) => say(format_args!("The line is restored.")),
                Err(error) => say(format_args!("The line is still cut: {error}.")),
            },
            Act::Quit => return,
        }
    }
}

async fn open_keeper(folder: &Path) -> anyhow::Result<Keeper> {
    let config = KeeperConfig {
        database_url: format!("sqlite:{}", folder.join("porchlight.db").display()),
        seed: None,
        token: SecretSource::Value(Secret::new(TOKEN)),
        pinglow_key: None,
        joins: None,
        rate_limit: 0,
        strict_points: false,
        upstream: None,
        notices: None,
        promised: Promised::default(),
        beacon: None,
        heartbeat: None,
        at_home: true,
        front: Front::default(),
        notice: Some(NOTICE.into()),
        without_looks: None,
    };
    Keeper::open(config, Host::system()).await.map_err(|error| match error {
        StartError::Setting(wrong) => WrongSetting(format!("--data: {wrong}")).into(),
        other => anyhow!(other).context("the keeper cannot start"),
    })
}

/// The beacon as the prober's target, with the page's first component.
async fn target(keeper: &Keeper, line: &HomeLine) -> anyhow::Result<Targets> {
    let components = components::list(keeper.db(), keeper.page(), 0, 1).await?;
    let component = components.into_iter().next().context("the demo's page has no component: name another --data")?;
    let url = Url::parse(&format!("http://{}/", line.address()))?;
    let home = Home { name: component.name, ..Home::at(url) };
    let (page, component) = (keeper.page().clone(), component.id);
    let target = Target { home, page, component, response_metric: None, depends_on: None };
    Ok(Targets::new(vec![target])?)
}

/// A loopback listener on the port, or on a free one if it is busy.
fn free_or_any(port: u16) -> io::Result<TcpListener> {
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    listen(loopback(port)).or_else(|_| listen(loopback(0)))
}

/// Prints a line. A closed stdout does not end the demo.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Where the demo's database is.
enum Data {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Data {
    fn new(folder: Option<&Path>) -> anyhow::Result<Self> {
        match folder {
            None => Ok(Self::Temporary(tempfile::tempdir().context("no temporary folder can be made")?)),
            Some(folder) => {
                let wrong = |error: io::Error| WrongSetting(format!("--data {}: {error}", folder.display()));
                std::fs::create_dir_all(folder).map_err(wrong)?;
                Ok(Self::Kept(folder.to_owned()))
            }
        }
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Temporary(_) => "in a temporary folder, removed at the end (--data DIR keeps it)".into(),
            Self::Kept(folder) => folder.display().to_string(),
        }
    }
}
