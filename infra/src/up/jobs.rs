//! What measures the line, within this process: the jobs as they are, with their settings from the environment.

use std::{ffi::OsString, future::pending, process::ExitCode};

use home_beacon::{
    bandwidth::{self, BandwidthSettings},
    checks::{self, ChecksSettings},
    dns::{self, DnsSettings},
    ping::{self, PingSettings, Router},
};
use shared::{
    secret::SecretSource,
    settings::{Ending, Settings, WrongSetting},
};
use tokio::sync::watch;
use url::Url;

use super::{
    files::CHECKS_FILE,
    folder::Folder,
    router_port::{self, RouterPort},
};

/// The jobs of a home.
#[derive(Debug)]
pub(super) struct Jobs {
    ping: PingSettings,
    bandwidth: Option<BandwidthSettings>,
    dns: Option<DnsSettings>,
    checks: Option<ChecksSettings>,
    port: Option<RouterPort>,
    folder: Folder,
}

impl Jobs {
    /// The jobs that hand over to the keeper at that address, with bandwidth tests or without, and with the router's port that was chosen.
    ///
    /// # Errors
    /// When what the environment sets for one of them is wrong.
    pub(super) fn new(
        keeper: &Url,
        token: &SecretSource,
        (has_bandwidth, port): (bool, Option<RouterPort>),
        dns: Option<(&str, SecretSource)>,
        folder: &Folder,
    ) -> Result<Self, WrongSetting> {
        let mut ping: PingSettings = read("ping", keeper, &["--every", "60s"])?;
        // This machine is in the home's network. Where what is set leaves no time for it, it is left out.
        ping = ping.with_router(Router::Gateway);
        (ping.run.quiet, ping.keeper.token) = (true, Some(token.clone()));
        // Between two pings, which a test spoils.
        let bandwidth = ["--every", "3h", "--start-delay", "30s"];
        let bandwidth =
            has_bandwidth.then(|| read::<BandwidthSettings>("bandwidth", keeper, &bandwidth)).transpose()?;
        let bandwidth = bandwidth.map(|mut settings| {
            (settings.run.quiet, settings.keeper.token) = (true, Some(token.clone()));
            settings
        });
        let dns = dns.map(|(name, duckdns)| -> Result<DnsSettings, WrongSetting> {
            let mut settings: DnsSettings = read("dns", keeper, &["--every", "5m", "--domain", name])?;
            (settings.run.quiet, settings.keeper.token) = (true, Some(token.clone()));
            settings.token = Some(duckdns);
            Ok(settings)
        });
        let checks = folder.file(CHECKS_FILE);
        let checks = checks.is_file().then(|| -> Result<ChecksSettings, WrongSetting> {
            let mut settings: ChecksSettings = read("checks", keeper, &[])?;
            (settings.checks_file, settings.token) = (Some(checks.clone()), Some(token.clone()));
            settings.is_within = true;
            Ok(settings)
        });
        let folder = folder.clone();
        Ok(Self { ping, bandwidth, dns: dns.transpose()?, checks: checks.transpose()?, port, folder })
    }

    /// What they do, in words.
    pub(super) fn words(&self) -> String {
        let ping = Some("ping every minute");
        let bandwidth = self.bandwidth.as_ref().map(|_| "a bandwidth test every three hours");
        let dns = self.dns.as_ref().map(|_| "DuckDNS every five minutes");
        let checks = self.checks.as_ref().map(|_| "what checks.yml defines");
        let port = self.port.as_ref().map(|_| "the router's port every five minutes");
        [ping, bandwidth, dns, checks, port].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Runs them until `stop`.
    ///
    /// # Errors
    /// When the settings of one cannot work together; the others are ended then.
    pub(super) async fn run(&self, stop: &watch::Receiver<()>) -> Result<(), WrongSetting> {
        let ping = ping::command(&self.ping, stopped(stop.clone()));
        let bandwidth = async {
            match &self.bandwidth {
                Some(settings) => bandwidth::command(settings, stopped(stop.clone())).await,
                None => Ok(ExitCode::SUCCESS),
            }
        };
        let dns = async {
            match &self.dns {
                Some(settings) => dns::command(settings, stopped(stop.clone())).await,
                None => Ok(ExitCode::SUCCESS),
            }
        };
        let checks = async {
            match &self.checks {
                Some(settings) => Box::pin(checks::command(settings, stopped(stop.clone()))).await,
                None => Ok(ExitCode::SUCCESS),
            }
        };
        let port = async {
            if let Some(port) = &self.port {
                port.keep(&self.folder, stopped(stop.clone())).await;
                return Ok(());
            }
            // It may have been chosen before.
            tokio::select! {
                closed = router_port::close_all(&self.folder) => {
                    closed.map_or_else(|error| tracing::warn!("the router's port: {error:#}"), drop);
                }
                () = stopped(stop.clone()) => (),
            }
            Ok(())
        };
        // Each is as large as all that it may be doing.
        tokio::try_join!(Box::pin(ping), Box::pin(bandwidth), Box::pin(dns), Box::pin(checks), Box::pin(port))?;
        Ok(())
    }
}

/// Ends when the sender is gone.
pub(super) async fn stopped(mut stop: watch::Receiver<()>) {
    while stop.changed().await.is_ok() {}
}

/// Never ends where there is nothing to wait for.
pub(super) async fn ended_with_an_error<E>(run: impl Future<Output = Result<(), E>>) -> E {
    match run.await {
        Err(error) => error,
        Ok(()) => pending().await,
    }
}

fn read<S: Settings>(program: &str, keeper: &Url, flags: &[&str]) -> Result<S, WrongSetting> {
    let arguments = [program, "--keeper-url", keeper.as_str()].into_iter().chain(flags.iter().copied());
    S::read(arguments.map(OsString::from)).map_err(|ending| match ending {
        Ending::Wrong(wrong) => WrongSetting(format!("{program}: {wrong}")),
        Ending::Answered(_) => WrongSetting(format!("{program}: the settings are wrong")),
    })
}
