//! The settings of `porchlight notify` and `porchlight mute`.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use shared::settings::duration;

use crate::tokens::AskedSettings;

/// Show what people are written to about: what goes on, what waits, what was not taken.
#[derive(Clone, Debug, Parser)]
pub struct NotifySettings {
    #[command(flatten)]
    pub asked: AskedSettings,
    #[command(subcommand)]
    pub command: Option<NotifyCommand>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum NotifyCommand {
    /// Send one notice to each channel, and say what came of it
    Test(TestSettings),
}

#[derive(Clone, Copy, Debug, Args)]
pub struct TestSettings {
    /// Print what would be sent, without what is secret of it, and send nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Have nobody written to about something for a while, or list what that holds for.
#[derive(Clone, Debug, Parser)]
pub struct MuteSettings {
    #[command(flatten)]
    pub asked: AskedSettings,
    /// A component of the page by its name or id; what notices are about, like `job/ping`, or the part before a slash; or `all`
    #[arg(value_name = "WHAT", requires = "how_long")]
    pub what: Option<String>,
    #[command(flatten)]
    pub how_long: HowLong,
}

/// Until when.
#[derive(Clone, Debug, Args)]
#[group(id = "how_long", multiple = false, requires = "what")]
pub struct HowLong {
    /// For so long from now
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub lasts: Option<Duration>,
    /// Until that time, like 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
    /// End it now
    #[arg(long)]
    pub end: bool,
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a time as 2026-12-24T18:00:00Z, with a Z or an offset like +01:00".into())
}
