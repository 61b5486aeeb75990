//! What a run probes, and which component of which page shows it.

//!
//! - `reading`: the JSON list of `TARGETS`
//! - `expected`: what the answers of a target must be
//! - `dependencies`: which target depends on which
//! - `parameter_name`: names in Parameter Store
//! - `ways`: whether a home is probed, says itself that it is there, or both

mod dependencies;
mod expected;
mod parameter_name;
mod reading;
mod ways;

use shared::{
    id::{ComponentId, MetricId, PageId},
    settings::WebAddresses,
};
use url::Url;

use crate::judge::{
    addresses::{Differing, differing},
    observation::Attempt,
    verdict::Verdict,
};

pub use self::{
    expected::Expected,
    parameter_name::{ParameterName, WrongName},
    ways::Ways,
};

/// How many targets a run may have: two listings of a page, and well within a function's memory.
const MAX_TARGETS: usize = 200;

/// What is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// For people; the host where none is given.
    pub name: String,
    /// The addresses to probe: a proven answer at any of them is the home's. `heartbeat:` and the component where there is none.
    pub addresses: WebAddresses,
    /// How it is known to be there.
    pub ways: Ways,
    /// Where its keys are; without them the prober's own are used, but of a home of which an answer is expected.
    pub keys: Option<KeyNames>,
    /// What its answers must be; without it any will do.
    pub expect: Option<Expected>,
}

/// A home, and where its state is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The home.
    pub home: Home,
    /// The page.
    pub page: PageId,
    /// The component that shows the home.
    pub component: ComponentId,
    /// The metric of that page that gets the answer time.
    pub response_metric: Option<MetricId>,
    /// The component of another target, whose outage its own failures are put down to.
    pub depends_on: Option<ComponentId>,
}

/// The parameters that hold a home's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNames {
    /// The key of today.
    pub current: ParameterName,
    /// The previous key, while it is being replaced.
    pub old: Option<ParameterName>,
}

/// One or more targets, each with a component of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    list: Vec<Target>,
    /// The place of what each of them depends on.
    dependencies: Vec<Option<usize>>,
}

/// A list of targets that cannot be used; the message says which one and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongTargets(String);

impl Home {
    /// The home at its addresses, named after the first one's host.
    pub fn at(addresses: impl Into<WebAddresses>) -> Self {
        let addresses = addresses.into();
        Self { name: host(addresses.first()), addresses, ways: Ways::Probe, keys: None, expect: None }
    }

    /// The address that people are shown.
    pub const fn url(&self) -> &Url {
        self.addresses.first()
    }

    /// The addresses that do not lead to it, where it answers at another one.
    pub(crate) fn differing(&self, attempts: &[Attempt], verdict: Verdict) -> impl Iterator<Item = (&Url, Differing)> {
        let differing = differing(attempts, verdict).into_iter();
        differing.filter_map(|it| Some((self.addresses.iter().nth(it.place)?, it)))
    }

    /// Whether the key of all homes is its own, where there is one. A service of which an answer is expected is no beacon: only a
    /// key that it names is one that it has.
    pub(crate) const fn shares_the_key(&self) -> bool {
        self.keys.is_none() && self.expect.is_none()
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("home").to_owned()
}

impl Targets {
    /// Checks the number of targets, that each has a component of its own, and what they depend on.
    ///
    /// # Errors
    /// When there is none, there are too many, or two share a component: they would overwrite each other. When one depends on
    /// what is not in the list, or on itself, by whatever way.
    pub fn new(targets: Vec<Target>) -> Result<Self, WrongTargets> {
        if targets.is_empty() || targets.len() > MAX_TARGETS {
            return Err(WrongTargets(format!("a run takes 1 to {MAX_TARGETS} targets, not {}", targets.len())));
        }
        for (index, target) in targets.iter().enumerate() {
            if targets[..index].iter().any(|other| other.component == target.component) {
                return Err(WrongTargets(format!("two targets share the component {}", target.component)));
            }
        }
        ways::check_keys(&targets)?;
        let dependencies = dependencies::places(&targets)?;
        Ok(Self { list: targets, dependencies })
    }

    /// The place in the list of what each target depends on.
    pub fn dependencies(&self) -> &[Option<usize>] {
        &self.dependencies
    }

    /// In the order of the settings.
    pub fn iter(&self) -> std::slice::Iter<'_, Target> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Targets {
    type Item = &'a Target;
    type IntoIter = std::slice::Iter<'a, Target>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
