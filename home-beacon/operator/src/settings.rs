//! The settings of the operator.

use std::net::SocketAddr;

use clap::Parser;
use home_beacon::job::settings::KEEPER_TOKEN;
use shared::{
    keeper_token::keeper_address,
    secret::SecretSetting,
    settings::{Settings, WrongSetting, listen_address, log_level},
};
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use crate::{
    job::{Limits, Surroundings},
    objects::porchlight::Egress,
    resolve::{Rules, script::Images},
    runs::Bounds,
};

/// Runs checks that are Kubernetes objects, each script in a Job of its own.
#[derive(Clone, Debug, Parser)]
#[command(name = "operator", version)]
pub struct OperatorSettings {
    /// The namespaces whose objects are watched, with commas
    #[arg(
        long,
        env = "OPERATOR_NAMESPACES",
        value_name = "NAMES",
        value_delimiter = ',',
        required_unless_present = "crds"
    )]
    pub namespaces: Vec<String>,
    /// The keeper that results go to
    #[arg(long, env = "KEEPER_URL", value_parser = keeper_address, required_unless_present = "crds")]
    pub keeper_url: Option<Url>,
    /// The image with check-runner, which each Job begins with: that of this program
    #[arg(long, env = "RUNNER_IMAGE", required_unless_present = "crds", default_value = "")]
    pub runner_image: String,
    /// The image of scripts in bash that name none
    #[arg(long, env = "BASH_IMAGE", default_value_t = Images::default().bash)]
    pub bash_image: String,
    /// The image of scripts in Python that name none
    #[arg(long, env = "PYTHON_IMAGE", default_value_t = Images::default().python)]
    pub python_image: String,
    /// The most memory of a script
    #[arg(long, env = "SCRIPT_MEMORY", default_value = "128Mi")]
    pub script_memory: String,
    /// The most of a processor that a script gets
    #[arg(long, env = "SCRIPT_CPU", default_value = "500m")]
    pub script_cpu: String,
    /// The volume claim, of that name in each namespace, on which packages of Python are kept from run to run; without it each run
    /// installs them
    #[arg(long, env = "PACKAGES_CLAIM", value_name = "NAME")]
    pub packages_claim: Option<String>,
    /// What scripts of Pinglow's checks may reach: none, dns, internet or cluster
    #[arg(long, env = "PINGLOW_EGRESS", value_parser = egress, default_value = "internet")]
    pub pinglow_egress: Egress,
    /// Whether Pinglow's checks get Secrets that have no label porchlight.dev/for-checks, as they did
    #[arg(long, env = "PINGLOW_SECRETS", action = clap::ArgAction::Set, default_value_t = false)]
    pub pinglow_secrets: bool,
    /// The Secret, in the namespace of this program, that `TelegramChannel` objects are written into for the keeper; without it they are
    /// not written to
    #[arg(long, env = "CHANNELS_SECRET", value_name = "NAME")]
    pub channels_secret: Option<String>,
    /// The Bot API server of Telegram channels, where it is one of your own
    #[arg(long, env = "TELEGRAM_SERVER", value_name = "URL", value_parser = shared::settings::base_address)]
    pub telegram_server: Option<Url>,
    /// How many checks run at once, without those that are Jobs
    #[arg(long, env = "CHECKS_CONCURRENCY", value_parser = clap::value_parser!(u16).range(1..=5000), default_value_t = 200)]
    pub checks_concurrency: u16,
    /// How many Jobs there are at once: the others wait for their turn
    #[arg(long, env = "JOBS_CONCURRENCY", value_parser = clap::value_parser!(u16).range(1..=5000), default_value_t = 50)]
    pub jobs_concurrency: u16,
    /// The Lease that says which of several operators runs the checks, as NAMESPACE/NAME; without it there is one
    #[arg(long, env = "OPERATOR_LEASE", value_name = "NAMESPACE/NAME", value_parser = lease)]
    pub operator_lease: Option<LeasePlace>,
    /// Address of the listener for /metrics, /healthz and /readyz
    #[arg(long, env = "OPERATOR_ADDR", value_parser = listen_address, default_value = "127.0.0.1:9096")]
    pub operator_addr: SocketAddr,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_parser = log_level, default_value = "info")]
    pub log_level: LevelFilter,
    /// Print the definitions of all objects (CRDs), and exit
    #[arg(long)]
    pub crds: bool,
}

/// Where a Lease is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasePlace {
    /// The namespace.
    pub namespace: String,
    /// The name in it.
    pub name: String,
}

fn lease(text: &str) -> Result<LeasePlace, String> {
    match text.split_once('/') {
        Some((namespace, name)) if is_name(namespace) && is_name(name) => {
            Ok(LeasePlace { namespace: namespace.into(), name: name.into() })
        }
        _ => Err("write a namespace and a name in it, like porchlight/operator".into()),
    }
}

/// Whether it can be the name of a namespace.
fn is_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(is_letter)
}

fn egress(text: &str) -> Result<Egress, String> {
    let known = Egress::ALL.into_iter().find(|egress| egress.label() == text);
    known.ok_or_else(|| "write none, dns, internet or cluster".to_owned())
}

impl Settings for OperatorSettings {
    const SECRETS: &'static [SecretSetting] = &[KEEPER_TOKEN];
}

impl OperatorSettings {
    /// What an administrator has decided.
    pub fn rules(&self) -> Rules {
        Rules {
            images: Images { bash: self.bash_image.clone(), python: self.python_image.clone() },
            pinglow_egress: self.pinglow_egress,
            pinglow_secrets: self.pinglow_secrets,
        }
    }

    /// What is the same for every Job.
    pub fn surroundings(&self) -> Surroundings {
        let limits = Limits { memory: self.script_memory.clone(), cpu: self.script_cpu.clone() };
        Surroundings { runner_image: self.runner_image.clone(), packages_claim: self.packages_claim.clone(), limits }
    }

    /// How much there is at once.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { probes: self.checks_concurrency.into(), jobs: self.jobs_concurrency.into() }
    }

    /// # Errors
    /// When a namespace has no name.
    pub fn validate(&self) -> Result<(), WrongSetting> {
        match self.namespaces.iter().find(|name| !is_name(name)) {
            None => Ok(()),
            Some(name) => Err(WrongSetting(format!(
                "OPERATOR_NAMESPACES has {name:?}, which is no name of a namespace: write names with commas, like checks,monitoring"
            ))),
        }
    }
}
