//! `porchlight notify`: what people are written to about, and whether the channels take notices before there is anything to say.
//!
//! - `asked`: what the keeper says; `dry_run`: what would be sent

mod asked;
mod dry_run;
mod settings;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use notify::{
    event::{Event, Stage, Subject},
    send::{Delivered, Sender},
    settings::{NOTIFY_URLS, channels},
};
use tokio::time::Instant;

use self::dry_run::printed;
use crate::up::{files::NOTICES_FILE, folder::Folder};

pub use self::{
    asked::mute,
    settings::{MuteSettings, NotifyCommand, NotifySettings, TestSettings},
};

/// How long each channel has.
const BUDGET: Duration = Duration::from_secs(20);

/// How long an alert of a test stands: Alertmanager waits for half a minute before it sends a first one.
const TEST_STANDS: SignedDuration = SignedDuration::from_mins(5);

/// Does what is asked.
///
/// # Errors
/// When a channel is wrong, this machine has no TLS, or the keeper does not answer.
pub async fn notify(settings: &NotifySettings) -> anyhow::Result<ExitCode> {
    let NotifySettings { asked, command } = settings;
    let Some(NotifyCommand::Test(settings)) = command else { return asked::list(asked).await };
    let source = match NOTIFY_URLS.read()? {
        Some(source) => source,
        // Those that `up` has.
        None => Folder::named(asked.data.as_deref())?
            .known_secret(NOTIFY_URLS.name, NOTICES_FILE)?
            .map_or_else(|| NOTIFY_URLS.require(), Ok)?,
    };
    let channels = channels(&source.name(NOTIFY_URLS.name), &source.current()?)?;
    let mut out = io::stdout();
    if settings.dry_run {
        for channel in &channels {
            write!(out, "{}", printed(channel, &test_event(channel.test_stage()), Timestamp::now()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let sender = Sender::new()?;
    let until = Instant::now() + BUDGET;
    // All at once: one that hangs keeps none waiting.
    let events: Vec<_> = channels.iter().map(|channel| test_event(channel.test_stage())).collect();
    let sending = channels.iter().zip(&events).map(|(channel, event)| sender.send(channel, event, until));
    let sent = join_all(sending).await;
    for (channel, sent) in channels.iter().zip(&sent) {
        match sent {
            Ok(Delivered { advice: None }) => writeln!(out, "{channel}: taken")?,
            Ok(Delivered { advice: Some(advice) }) => writeln!(out, "{channel}: taken, but {advice}")?,
            Err(error) => writeln!(out, "{channel}: not taken: {error}")?,
        }
    }
    Ok(if sent.iter().all(Result::is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn test_event(stage: Stage) -> Event {
    let now = Timestamp::now();
    Event {
        key: "test".into(),
        subject: Subject::Home,
        stage,
        since: now,
        at: now,
        title: "Porchlight can reach you here".into(),
        text: "This is a test: nothing is wrong.".into(),
        is_serious: true,
        // What stands until it ends is to be seen, and to go by itself.
        ends: now.checked_add(TEST_STANDS).ok(),
        link: None,
    }
}
