//! The settings of `porchlight tokens` and `porchlight code`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use shared::keeper_token::keeper_address;
use url::Url;

/// The keeper that is asked.
#[derive(Clone, Debug, Args)]
pub struct AskedSettings {
    /// The folder of `porchlight up`, whose keeper is asked with its token unless `KEEPER_URL` or `KEEPER_TOKEN` is set; without it
    /// this user's own
    #[arg(long, env = "PORCHLIGHT_DATA", value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// The address of the keeper: its private one
    #[arg(long, env = "KEEPER_URL", value_parser = keeper_address, global = true)]
    pub keeper_url: Option<Url>,
}

/// List the tokens that open one page of a keeper, or revoke one.
#[derive(Clone, Debug, Parser)]
pub struct TokensSettings {
    #[command(flatten)]
    pub asked: AskedSettings,
    #[command(subcommand)]
    pub command: Option<TokensCommand>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TokensCommand {
    /// List them: whose they are, and when each was used last
    List,
    /// Revoke one at once: what sends it is refused from now on
    Revoke {
        /// Its id, as the list has it
        id: String,
    },
}

/// Print a new join code of an outside machine, for one home to join within 15 minutes.
#[derive(Clone, Debug, Parser)]
pub struct CodeSettings {
    #[command(flatten)]
    pub asked: AskedSettings,
}
