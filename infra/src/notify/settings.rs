//! The settings of `porchlight notify`.

use clap::{Args, Parser, Subcommand};

/// Try the channels over which notices are sent.
#[derive(Clone, Debug, Parser)]
pub struct NotifySettings {
    #[command(subcommand)]
    pub command: NotifyCommand,
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
