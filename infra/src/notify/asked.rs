//! `porchlight notify` and `porchlight mute`: what a keeper says of its notices, and what it is told of them.

use std::{
    fmt::Write as _,
    io::{self, Write},
    process::ExitCode,
};

use home_beacon::keeper::NO_NOTICES;
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    api::{ApiError, Permanent},
    http::Method,
    settings::WrongSetting,
};
use url::form_urlencoded;

use super::settings::{HowLong, MuteSettings};
use crate::tokens::{AskedSettings, in_words, keeper};

const NOTICES: &str = "/porchlight/v1/notices";
const MUTES: &str = "/porchlight/v1/mutes";

#[derive(Deserialize)]
struct Overview {
    channels: Vec<Channel>,
    notices: Vec<Notice>,
    mutes: Vec<Mute>,
    #[serde(default)]
    is_quiet: bool,
    lasting: Vec<String>,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(rename = "channel")]
    name: String,
    sent: u64,
    waiting: u64,
    undelivered: u64,
}

#[derive(Deserialize)]
struct Notice {
    title: String,
    at: Timestamp,
    channel: String,
    failure: Option<String>,
}

#[derive(Deserialize)]
struct Mute {
    key: String,
    until: Timestamp,
}

/// Shows how a keeper's notices are; a failure where one was not taken.
///
/// # Errors
/// When the keeper does not answer, or writes to nobody.
pub(super) async fn list(settings: &AskedSettings) -> anyhow::Result<ExitCode> {
    let asked = keeper(settings)?.call(Method::GET, NOTICES, None).await;
    let overview: Overview = asked.map_err(|error| match &error {
        ApiError::Permanent(Permanent { status: 404, message, .. }) if message.contains(NO_NOTICES) => {
            anyhow::anyhow!(
                "{NO_NOTICES}: set NOTIFY_URLS where it is started; `porchlight notify test` tries it first"
            )
        }
        error => in_words(error),
    })?;
    write!(io::stdout(), "{}", text(&overview))?;
    let is_well = overview.channels.iter().all(|channel| channel.undelivered == 0);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Mutes something, ends that, or lists what is muted.
///
/// # Errors
/// When the keeper does not answer, or knows nothing of that name.
pub async fn mute(settings: &MuteSettings) -> anyhow::Result<ExitCode> {
    let (keeper, mut out) = (keeper(&settings.asked)?, io::stdout());
    let Some(what) = &settings.what else {
        let mutes: Vec<Mute> = keeper.call(Method::GET, MUTES, None).await.map_err(|error| in_words(&error))?;
        if mutes.is_empty() {
            writeln!(out, "Nothing is muted.")?;
        }
        write!(out, "{}", muted(&mutes))?;
        return Ok(ExitCode::SUCCESS);
    };
    let HowLong { lasts, until, .. } = settings.how_long;
    let lasts = lasts.map(|lasts| Timestamp::now().checked_add(lasts)).transpose();
    let lasts = lasts.map_err(|_| WrongSetting("--for is longer than time: write it like 2h".into()))?;
    if let Some(until) = lasts.or(until) {
        let mute = keeper.call(Method::PUT, MUTES, Some(&json!({ "key": what, "until": until }))).await;
        let Mute { key, until } = mute.map_err(|error| refused(&error))?;
        writeln!(out, "Nobody is written to about {} until {}.", shown(&key), time(until))?;
        if ["home", "all"].iter().any(|first| key.split('/').next() == Some(first)) {
            writeln!(
                out,
                "That holds for a prober that writes to this keeper's page; for another one, set a maintenance there."
            )?;
        }
    } else {
        let key: String = form_urlencoded::byte_serialize(what.as_bytes()).collect();
        let ended = keeper.call::<Value>(Method::DELETE, &format!("{MUTES}?key={key}"), None).await;
        ended.map_err(|error| refused(&error))?;
        writeln!(out, "People are written to about {} again.", shown(what))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The keeper's own sentence, where what it was asked is wrong.
fn refused(error: &ApiError) -> anyhow::Error {
    match error {
        ApiError::Permanent(Permanent { status: 404 | 422, message, .. }) => anyhow::anyhow!("{}", shown(message)),
        error => in_words(error),
    }
}

fn text(overview: &Overview) -> String {
    let Overview { channels, notices, mutes, is_quiet, lasting } = overview;
    let mut text = String::new();
    // Writing to a string does not fail.
    for Channel { name, sent, waiting, undelivered } in channels {
        let _ = writeln!(text, "{}: {sent} sent, {waiting} waiting, {undelivered} not taken", shown(name));
    }
    if *is_quiet {
        text += "It is quiet hours: what is due now and still lasts at their end is sent then.\n";
    }
    for key in lasting {
        let _ = writeln!(text, "goes on: {}", shown(key));
    }
    for Notice { title, at, channel, failure } in notices {
        let how = match failure {
            Some(why) => format!("not taken by {}: {}", shown(channel), shown(why)),
            None => format!("waits for {}", shown(channel)),
        };
        let _ = writeln!(text, "{}  {}: {how}", time(*at), shown(title));
    }
    text + &muted(mutes)
}

fn muted(mutes: &[Mute]) -> String {
    let line = |Mute { key, until }: &Mute| format!("muted until {}: {}\n", time(*until), shown(key));
    mutes.iter().map(line).collect()
}

/// What services say may hold what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}
