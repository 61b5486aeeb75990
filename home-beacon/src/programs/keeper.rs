//! Parses settings and wires the keeper.

use std::{ffi::OsString, process::ExitCode};

use super::{manager::Manager, relay::relay};
use crate::{
    clock::Host,
    keeper::{
        KeeperCommand, KeeperConfig, KeeperSettings, Listeners, StartError, TlsListener,
        measured::line_quality::Promised, relay::ask, start,
    },
    serve::listen,
};
use shared::{
    online,
    settings::{Settings, WrongSetting},
};

/// The program from its arguments to its exit code.
///
/// # Panics
/// When this machine lets no runtime begin.
#[tokio::main(flavor = "current_thread")]
pub async fn program(arguments: Vec<OsString>) -> ExitCode {
    let settings = match KeeperSettings::read(arguments) {
        Ok(settings) => settings,
        Err(ending) => return ending.report::<KeeperSettings>(),
    };
    if let Some(KeeperCommand::Relay { command }) = settings.command {
        return match relay(settings.keeper_addr, command).await {
            Ok(ending) => ending,
            Err(error) => {
                if let Some(wrong) = error.downcast_ref::<WrongSetting>() {
                    return KeeperSettings::refuse(wrong);
                }
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        };
    }
    shared::telemetry::init(settings.log_level);
    let config = match config(&settings) {
        Ok(config) => config,
        Err(wrong) => return KeeperSettings::refuse(&wrong),
    };
    if settings.check {
        let code = KeeperSettings::checked(&settings.note(), &settings.warnings(config.seed.as_ref()));
        return if settings.online { online::worse(code, online::report(&ask(&config).await)) } else { code };
    }
    KeeperSettings::log_warnings(&settings.warnings(config.seed.as_ref()));
    match run(&settings, config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(wrong) = error.downcast_ref::<WrongSetting>() {
                return KeeperSettings::refuse(wrong);
            }
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &KeeperSettings, config: KeeperConfig) -> anyhow::Result<()> {
    let shutdown = shared::shutdown::requested();
    let as_setting = |error: StartError| match error {
        StartError::Setting(wrong) => wrong.into(),
        wrong @ StartError::Database { .. } => WrongSetting(wrong.advice()).into(),
        other => anyhow::Error::new(other),
    };
    // Before the database is opened: where it cannot work, nothing has been begun.
    let tls = settings.tls.open(&settings.database_url)?;
    let keeper = start(config, Host::system()).await.map_err(as_setting)?;
    let listeners = Listeners {
        private: listen(settings.keeper_addr)?,
        public: settings.keeper_public_addr.map(listen).transpose()?,
        tls: tls.map(|(address, tls)| listen(address).map(|listener| TlsListener { listener, tls })).transpose()?,
    };
    if let Some(TlsListener { listener, tls }) = &listeners.tls {
        let (address, fingerprint) = (listener.local_addr()?, tls.fingerprint());
        tracing::info!(%address, %fingerprint, "TLS listener: what the public one shows, and /v1 for who has a token");
    }
    if let Some(public) = &listeners.public {
        tracing::info!(address = %public.local_addr()?, "public listener: the page, what others show of it, and /api/v2");
    }
    tracing::info!(address = %listeners.private.local_addr()?, "listening");
    let manager = Manager::of_environment();
    manager.ready();
    manager.watching(Box::pin(keeper.run(listeners, manager.passing_on(shutdown)))).await.map_err(as_setting)?;
    tracing::info!("stopped");
    Ok(())
}

fn config(settings: &KeeperSettings) -> Result<KeeperConfig, WrongSetting> {
    settings.validate()?;
    let (seed, branding) = settings.seed()?;
    let heartbeat = settings.heartbeat(seed.as_ref())?;
    Ok(KeeperConfig {
        database_url: settings.database_url.clone(),
        seed,
        token: KeeperSettings::token()?,
        pinglow_key: KeeperSettings::pinglow_key()?,
        joins: None,
        rate_limit: settings.keeper_rate_limit.into(),
        strict_points: settings.keeper_strict_points,
        upstream: settings.upstream()?,
        notices: settings.notices.config()?,
        promised: Promised { down: settings.promised_down_mbps, up: settings.promised_up_mbps },
        beacon: settings.beacon_private_url.clone(),
        heartbeat,
        at_home: false,
        front: settings.front(branding),
        notice: None,
        without_looks: None,
    })
}
