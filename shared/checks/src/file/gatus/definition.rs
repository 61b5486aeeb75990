//! What a `config.yaml` of Gatus says, as far as it has a meaning here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::file::words::Words;

/// The keys that have no meaning here, whatever is behind them.
#[derive(Debug, Default)]
pub(super) struct Rest(pub(super) BTreeSet<String>);

impl<'de> Deserialize<'de> for Rest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys).map(Self)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = BTreeSet<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some((key, IgnoredAny)) = map.next_entry()? {
            keys.insert(key);
        }
        Ok(keys)
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
