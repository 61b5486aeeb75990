//! The settings of `porchlight doctor`.

use std::path::PathBuf;

use ::notify::settings::NOTIFY_URLS;
use clap::Parser;
use home_beacon::{dns::DUCKDNS_TOKEN, heartbeat::settings::HEARTBEAT_URL, job::settings::KEEPER_TOKEN};
use lambda_prober::settings::{BEACON_KEY, STATUSPAGE_TOKEN};
use shared::secret::SecretSetting;

/// The secrets of the chain, as each program of it has them.
pub const SECRETS: &[SecretSetting] =
    &[STATUSPAGE_TOKEN, BEACON_KEY, KEEPER_TOKEN, DUCKDNS_TOKEN, NOTIFY_URLS, HEARTBEAT_URL];

/// Look at every link between a home and its page, and name the first that is broken. Nothing is changed by that.
///
/// What is set is read from --env files, from the environment, and from the folders of `porchlight setup` and `porchlight up`. The
/// exit code is the number of broken links.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of a command line")]
pub struct DoctorSettings {
    /// A file of settings, NAME=value on each line, as the guides have it; several times for several. Without it prober.env and
    /// porchlight.env of this folder, and those of the units in /etc/porchlight, where they are
    #[arg(long, value_name = "FILE")]
    pub env: Vec<PathBuf>,
    /// The folder of `porchlight up`; without it this user's own
    #[arg(long, env = "PORCHLIGHT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The folder of `porchlight setup`; without it porchlight-setup of this folder, where it is there
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// The function at AWS
    #[arg(long, value_name = "NAME", default_value = "lambda-prober")]
    pub function: String,
    /// The namespace of the chart; without it that of kubectl's context
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Ask nothing of AWS: for a home whose prober is elsewhere
    #[arg(long)]
    pub no_aws: bool,
    /// Have the deployed function look at the home now, by a dry run that tells the page nothing: what it sees is what the world sees.
    /// That takes up to a minute more
    #[arg(long, conflicts_with = "no_aws")]
    pub probe: bool,
    /// Ask nothing of Kubernetes
    #[arg(long)]
    pub no_kubectl: bool,
    /// Ask nothing of the router
    #[arg(long)]
    pub no_router: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write all that was seen to this file too, a .tar.gz without any secret, to be sent to whoever helps
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
}
