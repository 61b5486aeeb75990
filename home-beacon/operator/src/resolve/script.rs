//! What a pod needs to know to run a script.

use aws_lc_rs::digest::{SHA256, digest};

use super::Said;
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Whether what it needs can be installed.
    ///
    /// # Errors
    /// When it may not reach where that is.
    pub(super) fn check_requirements(&self) -> Result<(), Said> {
        if self.requirements.is_empty() || !matches!(self.egress, Egress::None | Egress::Dns) {
            return Ok(());
        }
        let message = format!(
            "the script's requirements are installed from a package index, which egress {} keeps it from: write internet, or have it \
             run in an image that has them",
            self.egress.label()
        );
        Err(Said::new("InvalidSpec", message))
    }

    /// What tells it from another script, or another way to run it.
    pub fn fingerprint(&self) -> String {
        // By what it prints as: another version of this program must come to the same.
        hexadecimal(digest(&SHA256, format!("{self:?}").as_bytes()).as_ref(), 8)
    }

    /// What tells these requirements from others, for whoever keeps what was installed for them: 32 hexadecimal digits. The image
    /// counts too: two may bring the same Python, and other libraries.
    pub fn digest_of_requirements(&self) -> String {
        let mut requirements: Vec<_> = self.requirements.iter().map(|it| it.trim()).collect();
        requirements.sort_unstable();
        let text = format!("{}\n{}", self.image, requirements.join("\n"));
        hexadecimal(digest(&SHA256, text.as_bytes()).as_ref(), 16)
    }

    /// The interpreter, by the name under which each image has it.
    pub const fn interpreter(&self) -> &'static str {
        match self.language {
            Language::Bash => "bash",
            Language::Python => "python3",
        }
    }
}

/// The first so many bytes.
fn hexadecimal(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
