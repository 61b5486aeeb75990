//! What a pod needs to know to run a script.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::objects::{
    pinglow::Language,
    porchlight::{Egress, SecretSpec},
};

/// The longest script, in bytes: it goes into the pod as one variable, and the kernel takes 128 KiB for each.
pub const MAX_SCRIPT: usize = 100 << 10;

/// The images that scripts run in unless they name one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Of bash.
    pub bash: String,
    /// Of Python.
    pub python: String,
}

impl Default for Images {
    fn default() -> Self {
        Self { bash: "docker.io/library/bash:5.3".into(), python: "docker.io/library/python:3.14-slim".into() }
    }
}

impl Images {
    pub(crate) fn of(&self, language: Language) -> &str {
        match language {
            Language::Bash => &self.bash,
            Language::Python => &self.python,
        }
    }
}

/// How a script runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScriptRun {
    /// Its text.
    pub content: String,
    /// What it is written in.
    pub language: Language,
    /// What it gets on its command line.
    pub arguments: Vec<String>,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
    /// Variables that hold one key of a Secret each.
    pub secrets: Vec<SecretSpec>,
    /// Secrets all keys of which become variables.
    pub whole_secrets: Vec<String>,
    /// Their keys, as far as they are known: what a script prints of these is hidden.
    pub whole_secret_keys: Vec<String>,
    /// What pip installs before it runs.
    pub requirements: Vec<String>,
    /// The image.
    pub image: String,
    /// What it may reach.
    pub egress: Egress,
}

impl ScriptRun {
    /// What tells it from another script, or another way to run it.
    pub fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The interpreter, by the name under which each image has it.
    pub const fn interpreter(&self) -> &'static str {
        match self.language {
            Language::Bash => "bash",
            Language::Python => "python3",
        }
    }
}
