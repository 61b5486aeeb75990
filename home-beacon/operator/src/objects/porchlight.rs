//! Our `Check`: the words of `checks.yml`, but for what is another thing in Kubernetes, a script and where secrets are.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::pinglow::Language;

/// A script, which runs in a pod of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptSpec {
    /// Its text; or `script_ref`.
    pub content: Option<String>,
    /// What it is written in: Python or Bash.
    pub language: Option<Language>,
    /// The name of a `Script` (pinglow.io) of the same namespace.
    pub script_ref: Option<String>,
    /// What it gets on its command line.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Variables of its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What pip installs before it runs.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// The image that it runs in, where it is not the default one of its language.
    pub image: Option<String>,
    /// What it may reach (internet).
    #[serde(default)]
    pub egress: Egress,
}

/// What a script may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Egress {
    /// Nothing.
    None,
    /// Name servers.
    Dns,
    /// Name servers, and public addresses.
    #[default]
    Internet,
    /// Name servers, and private addresses: the cluster, and the network that it is in.
    Cluster,
}

impl Egress {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::None, Self::Dns, Self::Internet, Self::Cluster];

    /// Its word, which is also the value of the pod's label that the chart's policies go by.
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dns => "dns",
            Self::Internet => "internet",
            Self::Cluster => "cluster",
        }
    }
}

/// A secret of the check: the name by which the check refers to it, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSpec {
    /// The name in `{ secret: NAME }`; for a script, the variable that holds it.
    pub name: String,
    /// The Secret, which must have the label `porchlight.dev/for-checks: "true"`.
    pub secret: String,
    /// Its key.
    pub key: String,
}
