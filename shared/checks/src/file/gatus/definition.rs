//! What a `config.yaml` of Gatus says, as far as it has a meaning here.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::file::words::Words;

/// Keys that are only counted.
pub(super) type Rest = BTreeMap<String, Present>;

/// That something is there, whatever it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Present(pub(super) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self(true))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Config {
    pub(super) endpoints: Option<Vec<Endpoint>>,
    #[serde(rename = "external-endpoints")]
    pub(super) external: Vec<Named>,
    pub(super) suites: Vec<Named>,
    #[serde(flatten)]
    pub(super) rest: Rest,
}

/// Something with a name, and perhaps a group.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    name: Option<Words>,
}

impl Named {
    pub(super) fn name(&self) -> &str {
        self.name.as_ref().map_or("one without a name", |name| name.0.as_str())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Endpoint {
    pub(super) enabled: Option<bool>,
    pub(super) name: Option<Words>,
    pub(super) group: Option<Words>,
    pub(super) url: Option<Words>,
    pub(super) method: Option<Words>,
    pub(super) body: Option<Words>,
    pub(super) graphql: bool,
    pub(super) headers: BTreeMap<String, Words>,
    pub(super) interval: Option<Words>,
    pub(super) conditions: Vec<Words>,
    pub(super) alerts: Vec<Alert>,
    pub(super) dns: Option<Dns>,
    pub(super) client: Client,
    #[serde(flatten)]
    pub(super) rest: Rest,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Alert {
    pub(super) enabled: Option<bool>,
    pub(super) failure_threshold: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Dns {
    pub(super) query_name: Option<Words>,
    pub(super) query_type: Option<Words>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Client {
    pub(super) insecure: bool,
    pub(super) ignore_redirect: bool,
    pub(super) timeout: Option<Words>,
    #[serde(flatten)]
    pub(super) rest: Rest,
}
