//! The settings of `porchlight setup` and `porchlight teardown`.

use std::{net::IpAddr, path::PathBuf};

use clap::{Parser, ValueEnum};
use home_beacon::dns::{DUCKDNS_TOKEN, SubName};
use shared::{
    id::{ComponentId, PageId},
    secret::SecretSetting,
    settings::{api_address, base_address, machine_address, port},
};
use url::Url;

use home_beacon::job::settings::STATUSPAGE_TOKEN;

use super::answers::TokenFiles;

/// The secrets that it takes; each is asked for where it is not set.
pub(crate) const SECRETS: &[SecretSetting] = &[STATUSPAGE_TOKEN, DUCKDNS_TOKEN];

/// What runs the home side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunsOn {
    /// A cluster, by the chart.
    Kubernetes,
    /// This machine, by units.
    Systemd,
    /// This machine, by containers.
    Compose,
}

impl RunsOn {
    /// Whether that is the machine that the setup is made on.
    pub(super) fn is_this_machine(self) -> bool {
        self != Self::Kubernetes
    }

    /// The port of a machine at home that the beacon answers at, where nobody has said another one: that of its unit, and that of
    /// containers and the chart.
    pub(super) const fn usual_port(self) -> u16 {
        match self {
            Self::Systemd => 8080,
            Self::Kubernetes | Self::Compose => 30008,
        }
    }
}

/// Set up a home and what looks at it from the cloud: asks, checks each answer where it counts, and makes what is missing.
///
/// A second run changes nothing that is right already, and goes on where the one before ended.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct SetupSettings {
    /// A file with answers, one a line, as home = "myhome": what is said here wins over it, and of secrets it names the files alone
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// The folder that gets the files: what was chosen and made, the beacon's key, values.yaml
    #[arg(long, value_name = "FOLDER", default_value = "porchlight-setup")]
    pub folder: PathBuf,
    /// The home's name at DuckDNS, like myhome or myhome.duckdns.org
    #[arg(long, value_name = "NAME")]
    pub home: Option<SubName>,
    /// The port that the router forwards to the beacon, as the world sees it
    #[arg(long, value_name = "PORT", value_parser = port::<u16>)]
    pub port: Option<u16>,
    /// The port of the machine at home that the beacon answers at, to which the router's leads; without it 30008, of units 8080, and
    /// of containers one of the next where others have that one
    #[arg(long, value_name = "PORT", value_parser = port::<u16>)]
    pub beacon_port: Option<u16>,
    /// Of containers: the port of this machine that shows the page; without it 8030, or one of the next where others have that one
    #[arg(long, value_name = "PORT", value_parser = port::<u16>)]
    pub page_port: Option<u16>,
    /// The page at statuspage.io, by its id
    #[arg(long, value_name = "ID")]
    pub page: Option<PageId>,
    /// The component that shows whether the home is up, by its id
    #[arg(long, value_name = "ID", conflicts_with = "component_name")]
    pub component: Option<ComponentId>,
    /// The component by its name; it is made where the page has none of that name
    #[arg(long, value_name = "NAME")]
    pub component_name: Option<String>,
    /// Whether the page is to have the metrics of latency and bandwidth; they are made where it has none of that name
    #[arg(long, value_name = "BOOL")]
    pub metrics: Option<bool>,
    /// Where AWS sends its alarms; none for no mails
    #[arg(long, value_name = "ADDRESS", value_parser = super::choices::mail_address)]
    pub alarm_email: Option<String>,
    /// What runs the home side
    #[arg(long, value_enum)]
    pub runs_on: Option<RunsOn>,
    /// Whether the home side is brought into the cluster of kubectl's context: its secrets, and the chart by helm
    #[arg(long, value_name = "BOOL")]
    pub apply: Option<bool>,
    /// The chart that helm installs
    #[arg(long, value_name = "CHART", default_value = super::helm::CHART)]
    pub chart: String,
    /// The function as a release has it (lambda-prober-arm64.zip), instead of building it in a checkout with cargo lambda
    #[arg(long, value_name = "FILE")]
    pub function: Option<PathBuf>,
    /// Whether the router is to open the port by itself, where it does that for who asks
    #[arg(long, value_name = "BOOL")]
    pub router_port: Option<bool>,
    /// The router, by its address at home, instead of the one that this machine goes out by
    #[arg(long, env = "ROUTER", value_name = "ADDRESS", value_parser = machine_address)]
    pub router: Option<IpAddr>,
    /// Do not ask the router
    #[arg(long)]
    pub no_router: bool,
    /// The folder in which porchlight port keeps what it has opened; without it its own of this user
    #[arg(long, env = "STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Take the key that Parameter Store has for this home, where the folder has another one
    #[arg(long)]
    pub take_stored_key: bool,
    /// Leave AWS out: the home alone
    #[arg(long)]
    pub without_aws: bool,
    /// Ask nothing: what is neither said nor chosen before has its default, or is an error
    #[arg(long, short)]
    pub yes: bool,
    /// Print what would be called, written and changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The API of the status page
    #[arg(long, env = "STATUSPAGE_URL", value_parser = api_address, default_value = shared::statuspage::STATUSPAGE_IO)]
    pub statuspage_url: Url,
    /// DuckDNS's address
    #[arg(long, env = "DUCKDNS_URL", value_parser = base_address, default_value = "https://www.duckdns.org")]
    pub duckdns_url: Url,
    /// From the file of answers
    #[arg(skip)]
    pub tokens: TokenFiles,
}

/// What may have gone with whom it belonged to: then nobody can remove what was made there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Owner {
    /// The router, with the port that it has opened.
    Port,
    /// The cluster, with its Secrets and the chart's release.
    Cluster,
    /// The account at AWS, with stacks, function and parameters.
    Aws,
    /// The page, with its component and metrics.
    Page,
}

/// Remove what `porchlight setup` made, and nothing else.
#[derive(Clone, Debug, Parser)]
pub struct TeardownSettings {
    /// The folder of the setup
    #[arg(long, value_name = "FOLDER", default_value = "porchlight-setup")]
    pub folder: PathBuf,
    /// Remove the function, too, where homes of other setups are looked at by it
    #[arg(long)]
    pub others_too: bool,
    /// The folder in which porchlight port keeps what it has opened; without it its own of this user
    #[arg(long, env = "STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Forget what cannot be removed because the router, the cluster, the account or the page has gone, and say what is left there
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub forget: Vec<Owner>,
    /// Print what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The API of the status page
    #[arg(long, env = "STATUSPAGE_URL", value_parser = api_address, default_value = shared::statuspage::STATUSPAGE_IO)]
    pub statuspage_url: Url,
}
