//! The definition of a check: plain values, whichever file they come from.
//!
//! - `name`: by what it is known
//! - `kinds`: what each kind of check asks for
//! - `expect`: what an answer must be

mod expect;
mod kinds;
pub(crate) mod name;

use std::time::Duration;

use shared::id::ComponentId;

pub use self::{
    expect::{BodyExpectation, CertificateAges, Expect, HeaderExpectation, StatusRange},
    kinds::{
        CONFIDENTIAL_HEADERS, DnsCheck, GrpcCheck, HttpCheck, IcmpCheck, Kind, PassiveCheck, Record, RecordType,
        ScriptCheck, TcpCheck, Text, TlsCheck, TlsVersion,
    },
    name::{CheckName, NoCheckName},
};
use crate::thresholds::Thresholds;

/// The shortest interval between two runs of a check.
pub const LEAST_INTERVAL: Duration = Duration::from_secs(5);

/// A check: what is asked, how often, and what follows from the answers.
#[derive(Clone, Debug)]
pub struct Check {
    /// By what it is known: readings are of `check:<name>`.
    pub name: CheckName,
    /// Its name before, whose history it goes on with.
    pub was: Option<CheckName>,
    /// What people read.
    pub title: String,
    /// The group of the page that its component is in.
    pub group: Option<String>,
    /// What is asked.
    pub kind: Kind,
    /// From one run to the next; at least [`LEAST_INTERVAL`].
    pub every: Duration,
    /// The deadline of a run, retries included; at most `every`.
    pub timeout: Duration,
    /// How often a run that fails tries again before it counts as failed.
    pub retries: u8,
    /// When failures count as down, and successes as up again.
    pub thresholds: Thresholds,
    /// What must be up for its failures to say anything of itself.
    pub depends_on: Vec<Dependency>,
    /// Where its state is shown.
    pub component: Place,
    /// When people are written to about it.
    pub notices: Notices,
}

/// What a check depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// The home's line, as the cloud sees it.
    Home,
    /// Another check.
    Check(CheckName),
}

/// Where the state of a check is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A component that the keeper makes for it.
    Own,
    /// A component that is there already, with that id.
    Component(ComponentId),
    /// Nowhere: it has readings and notices alone.
    Nowhere,
}

/// When people are written to about a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notices {
    /// Whether they are at all.
    pub wanted: bool,
    /// After how many failed runs, once it counts as down: 0 and 1 are the first.
    pub after_failures: u32,
    /// Whether they are of each change of its state, a warning included, and not only of begin and end.
    pub all_changes: bool,
}

impl Default for Notices {
    fn default() -> Self {
        Self { wanted: true, after_failures: 1, all_changes: false }
    }
}
