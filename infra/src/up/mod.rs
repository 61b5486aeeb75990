//! `porchlight up`: a home on one machine, in one process, without any account.
//!
//! - `folder`, `files`, `choices`, `seed`: what is kept, and made where it is missing
//! - `running`: which process runs a folder; `listening`: where
//! - `home`: beacon, keeper and jobs; `jobs`, `inside`: what measures, and a prober that cannot see the line; `router_port`
//! - `join`: a home joins an outside machine; `outside`, `address`, `admit`, `lookout`: what that one does
//! - `install`: as a unit of systemd; [`down`], [`status`]: the other commands

mod address;
mod admit;
mod choices;
mod down;
pub(crate) mod files;
pub(crate) mod folder;
mod heartbeats;
mod home;
mod inside;
mod install;
mod jobs;
mod join;
mod listening;
mod looking;
mod lookout;
mod outside;
pub(crate) mod owner;
mod router_port;
mod running;
mod seed;
mod settings;
mod status;
mod unit;
mod writing;

use std::{
    fmt::Arguments,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::anyhow;
use home_beacon::beacon::PUBLIC_PORT;
use shared::{message::UpFault, settings::WrongSetting, shutdown};
use tokio::time::Instant;
use url::Url;

use self::{choices::Choices, folder::Folder, home::HomeSide, running::Running};
pub use self::{
    down::down,
    looking::LookingSettings,
    settings::{DataSettings, DownSettings, SECRETS, StatusSettings, UpSettings},
    status::status,
};

/// How long a process that has the folder may take until it listens.
const BEGINNING: Duration = Duration::from_secs(10);

/// How a home without a look from outside gets one.
const NOT_LOOKED_AT: &str = "To have this home looked at, run `porchlight up --outside` on a machine elsewhere, and paste the code that \
                             it prints into `porchlight up --join` here.";

/// Runs a home until a signal ends it, or says that it runs already.
///
/// # Errors
/// When a setting is wrong, the folder cannot be used, or this machine lacks what a home needs.
pub async fn up(settings: &UpSettings) -> anyhow::Result<ExitCode> {
    let stop = shutdown::requested();
    tokio::pin!(stop);
    settings.check()?;
    let folder = Folder::named(settings.data.data.as_deref())?;
    folder.prepare()?;
    let Some(lock) = running::take(&folder)? else {
        return if settings.join {
            again(&folder, settings, &mut stop).await
        } else {
            already(&folder, settings).await
        };
    };
    let before = Choices::of(&folder)?;
    let mut choices = chosen(&before, &folder, settings)?;
    choices.keep_secrets(settings, &folder)?;
    if settings.install && !settings.join {
        choices.keep(&before, &folder)?;
        drop(lock);
        return install::install(&folder, &choices).await;
    }
    if choices.is_outside {
        let ended = Box::pin(outside::run(&folder, &before, choices, settings, stop)).await;
        // Also what other code than the folder's has written.
        folder.give_all_to_owner()?;
        ended?;
        say(format_args!("Porchlight has ended."));
        drop(lock);
        return Ok(ExitCode::SUCCESS);
    }
    let home = Box::pin(HomeSide::open(&folder, &mut choices, settings, &mut stop)).await?;
    choices.keep(&before, &folder)?;
    if settings.install {
        // It has joined; what it listens at is free for the unit again.
        drop((home, lock));
        return install::install(&folder, &choices).await;
    }
    home.announce(&folder);
    let ended = Box::pin(home.run(&folder, stop)).await;
    folder.give_all_to_owner()?;
    ended?;
    say(format_args!("Porchlight has ended."));
    drop(lock);
    Ok(ExitCode::SUCCESS)
}

/// What was chosen before, and what this start chooses.
///
/// # Errors
/// When the folder is the other side's, or a choice is none.
fn chosen(before: &Choices, folder: &Folder, settings: &UpSettings) -> Result<Choices, WrongSetting> {
    let mut choices = before.clone();
    if settings.outside {
        outside::check(&choices, folder)?;
        choices.is_outside = true;
    } else if choices.is_outside && settings.join {
        return Err(folder.fault(UpFault::OtherSide, "it is an outside machine's, which homes join"));
    }
    choices.take(settings)?;
    Ok(choices)
}

/// Says that another process runs the folder.
async fn already(folder: &Folder, settings: &UpSettings) -> anyhow::Result<ExitCode> {
    let Some(Running { process, since, page, shown, .. }) = running::begun(folder, Instant::now() + BEGINNING).await
    else {
        let wrong = format!("{}: {}", folder.path().display(), UpFault::Held.words());
        return Err(anyhow!(UpFault::Held.entry().ending(&wrong)));
    };
    say(format_args!(
        "Porchlight runs already from {} (process {process}, since {since:.0}).",
        folder.path().display()
    ));
    let before = Choices::of(folder)?;
    let is_changed = chosen(&before, folder, settings)? != before || settings.install && !install::is_installed(folder);
    say(format_args!("  page    {}", shown.unwrap_or(page)));
    if is_changed {
        say(format_args!("Nothing was changed: end it with `porchlight down`, and start it again with these flags."));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// A home that runs joins: the new key and token are read where they are used; the machine itself is known from the next start on.
async fn again(
    folder: &Folder,
    settings: &UpSettings,
    stop: &mut (impl Future<Output = ()> + Unpin),
) -> anyhow::Result<ExitCode> {
    let before = Choices::of(folder)?;
    let mut choices = chosen(&before, folder, settings)?;
    choices.keep_secrets(settings, folder)?;
    let code = join::code(stop).await?;
    let granted = choices.router_port.and_then(|wanted| router_port::granted(folder, wanted));
    let at = choices.home_at(choices.beacon.map_or(PUBLIC_PORT, |beacon| beacon.port()), granted)?;
    join::unless_stopped(stop, join::join(folder, &mut choices, &code, at)).await?;
    choices.keep(&before, folder)?;
    // Where the home is, is for the outside machine to know.
    if (Choices { home_url: before.home_url.clone(), ..choices.clone() }) == before {
        return Ok(ExitCode::SUCCESS);
    }
    if install::is_installed(folder) {
        return install::install(folder, &choices).await;
    }
    say(format_args!("It takes effect when Porchlight is started again here: `porchlight down`, and `porchlight up`."));
    Ok(ExitCode::SUCCESS)
}

/// Where the keeper is that runs from a folder, for this machine.
pub(crate) fn page_of(folder: &Folder) -> Option<Url> {
    running::of(folder).map(|running| running.page)
}

/// Prints a line. A closed stdout ends nothing.
fn say(line: Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
