//! What a keeper is made of, once its settings are read.

use shared::secret::SecretSource;
use url::Url;

use super::{
    Joins, http::front::Front, measured::line_quality::Promised, notices::NoticeConfig, relay::Upstream, seed::Seed,
};
use crate::heartbeat::settings::HeartbeatConfig;

/// What a keeper is made of.
#[derive(Clone, Debug)]
pub struct KeeperConfig {
    /// `sqlite:` and a path.
    pub database_url: String,
    /// Page, components and metrics; without one a page is made.
    pub seed: Option<Seed>,
    /// What clients must send.
    pub token: SecretSource,
    /// What clients of Pinglow must send, where there are any.
    pub pinglow_key: Option<SecretSource>,
    /// The codes by which homes join, where this is an outside machine's keeper.
    pub joins: Option<Joins>,
    /// Calls of `/v1` in any 60 seconds; 0 sets no limit.
    pub rate_limit: usize,
    /// Whether points outside the last 28 days are refused, rather than left out.
    pub strict_points: bool,
    /// The page upstream, where there is one.
    pub upstream: Option<Upstream>,
    /// Whom the keeper writes to.
    pub notices: Option<NoticeConfig>,
    /// What the contract promises of the line.
    pub promised: Promised,
    /// The beacon's private listener, which reports its looks; a name of several addresses stands for several beacons.
    pub beacon: Option<Url>,
    /// How this home's heartbeats are sent, where it sends any.
    pub heartbeat: Option<HeartbeatConfig>,
    /// Whether it is at a home though it asks no beacon.
    pub at_home: bool,
    /// How the page presents itself to the world.
    pub front: Front,
    /// What the page says above all else, in a sentence.
    pub notice: Option<String>,
    /// How somebody outside comes to look, with commands between backticks: the page says so of a component that nobody outside
    /// has looked at yet.
    pub without_looks: Option<String>,
}
