//! `porchlight heartbeat`: of a home without a keeper, which sees nothing of its line.

use std::{process::ExitCode, time::Duration};

use shared::{
    heartbeat::{Outage, View},
    settings::{EXIT_SETTINGS, Settings, WrongSetting},
};
use tokio::time::Instant;

use super::{
    rounds::{Rounds, keep, longest},
    sender::{Sender, Sending},
    settings::{HEARTBEAT_URL, HeartbeatConfig, HeartbeatSettings},
};
use crate::{clock::Host, job::memory::Memory, programs::manager::Manager};

/// The name of what is remembered.
const STATE: &str = "heartbeat";

/// How long remembering may take: another program may be writing it.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long one heartbeat by itself may take.
const ONCE: Duration = Duration::from_secs(60);

/// Sequences that are reserved at once where it stays: the disk is written each 17 hours then.
const BLOCK: u64 = 1024;

/// Remembers in a folder, or nowhere, and sees nothing.
#[derive(Debug)]
struct Alone(Memory);

impl Sending for Alone {
    async fn load(&self) -> Result<Option<u64>, String> {
        let loaded = self.0.load(STATE, Instant::now() + MEMORY_TIMEOUT).await;
        loaded.map(|loaded| loaded.state).map_err(|error| error.to_string())
    }

    async fn save(&self, next: u64) -> Result<(), String> {
        self.0.save(STATE, &next, Instant::now() + MEMORY_TIMEOUT).await.map_err(|error| error.to_string())
    }

    async fn seen(&mut self) -> (View, Option<Outage>) {
        (View::UNKNOWN, None)
    }
}

/// Sends one, or with `--every` until `stop`.
///
/// # Errors
/// When the settings cannot work.
pub async fn command(settings: &HeartbeatSettings, stop: impl Future<Output = ()>) -> Result<ExitCode, WrongSetting> {
    let home = settings.component_id.clone().ok_or("set COMPONENT_ID to the id that its target has");
    let config = HeartbeatConfig::read(home, settings.every.unwrap_or(ONCE))?;
    let Some(config) = config else { return HEARTBEAT_URL.require().map(|_| ExitCode::SUCCESS) };
    if let Some(folder) = settings.state_dir.as_ref().filter(|folder| !folder.is_dir()) {
        let folder = folder.display();
        return Err(WrongSetting(format!("STATE_DIR: {folder} is no folder: make it, or name one that is there")));
    }
    let block = if settings.every.is_some() { BLOCK } else { 1 };
    let sending = Alone(Memory::new(None, settings.state_dir.clone()));
    let mut sender = Sender::new(config, sending, Host::system(), block)?;
    if settings.check {
        let often = settings.every.map_or("once".to_owned(), |every| format!("every {every:?}"));
        return Ok(HeartbeatSettings::checked(&format!("a heartbeat is sent {often}"), &[]));
    }
    HeartbeatSettings::log_warnings(&[]);
    if settings.every.is_some() {
        let (manager, rounds) = (Manager::of_environment(), Rounds::default());
        manager.ready();
        let kept = async {
            tokio::select! {
                never = keep(&mut sender, &rounds) => match never {},
                () = manager.passing_on(stop) => (),
            }
        };
        manager.watching(kept).await;
        return Ok(ExitCode::SUCCESS);
    }
    tokio::select! {
        went = sender.send(Instant::now() + longest(ONCE)) => Ok(match went {
            Ok(taken) => {
                println!("The heartbeat was taken.");
                Rounds::default().note(&Ok(taken));
                ExitCode::SUCCESS
            }
            Err(failure) => {
                let fault = failure.fault;
                eprintln!("{}", fault.entry().ending(&format!("the heartbeat was not taken: {failure}")));
                if fault.is_for_a_person() { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
            }
        }),
        () = stop => Ok(ExitCode::FAILURE),
    }
}
