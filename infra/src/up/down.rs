//! `porchlight down`: ends what `up` runs, and undoes what it made.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use shared::{message::UpFault, settings::WrongSetting};
use tokio::time::Instant;

use super::{
    folder::Folder,
    install, router_port,
    running::{self, LOCK},
    say,
    settings::DownSettings,
};

/// How long a process may take to end: keeper and jobs take some seconds at most.
const ENDING: Duration = Duration::from_secs(15);

/// Ends what runs from the folder, removes its unit, and with `--purge` deletes it.
///
/// # Errors
/// When something does not end, or cannot be removed.
pub async fn down(settings: &DownSettings) -> anyhow::Result<ExitCode> {
    let folder = Folder::named(settings.data.data.as_deref())?;
    let place = folder.path().display();
    // One of another user's may well run; what a newer version made can be ended.
    folder.read(LOCK)?;
    let is_ours = folder.is_ours();
    let removed = install::uninstall(&folder).await?;
    if removed {
        say(format_args!("The unit was stopped and removed."));
    }
    let was_running = end(&folder).await?;
    if was_running {
        say(format_args!("Porchlight has ended."));
    }
    if !settings.purge {
        if !removed && !was_running {
            say(format_args!("Nothing runs from {place}."));
        } else {
            say(format_args!("What it kept is still in {place}: `porchlight up` goes on with it, --purge deletes it."));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !is_ours? {
        if folder.path().exists() {
            return Err(
                WrongSetting(format!("{place} was not made by porchlight up, so nothing in it was deleted")).into()
            );
        }
        say(format_args!("There is nothing to delete in {place}."));
        return Ok(ExitCode::SUCCESS);
    }
    // The folder goes in any case: what could not be closed then is said.
    let is_closed = router_port::close_all(&folder).await?;
    folder.purge().with_context(|| format!("{place} cannot be deleted"))?;
    let stays = if folder.path().exists() { "; the folder stays, for what else is in it" } else { "" };
    say(format_args!("What Porchlight kept in {place} was deleted: key, token and everything measured{stays}."));
    Ok(if is_closed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Ends the process that has the folder; `false` where none has.
async fn end(folder: &Folder) -> anyhow::Result<bool> {
    if !running::is_held(folder) {
        return Ok(false);
    }
    let process = running::settled_holder(folder).await.and_then(Pid::from_raw);
    let process =
        process.with_context(|| format!("{}: which process runs it is not written there", folder.path().display()))?;
    kill_process(process, Signal::TERM)
        .with_context(|| format!("process {} cannot be ended: is it another user's?", process.as_raw_nonzero()))?;
    if !running::ended(folder, Instant::now() + ENDING).await {
        let sentence = format!("process {}: {}", process.as_raw_nonzero(), UpFault::GoesOn.words());
        bail!(UpFault::GoesOn.entry().ending(&sentence));
    }
    Ok(true)
}
