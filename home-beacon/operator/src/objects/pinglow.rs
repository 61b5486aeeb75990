//! Pinglow's objects. Its definitions (`helm-charts/pinglow/crds`, 0.10.1) and its guide write some names in two ways; both are taken.

use schemars::JsonSchema;
use serde::Deserialize;

/// A check that runs a script, or that is told its results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CheckSpec {
    /// Whether its results come from outside instead of from a script.
    pub passive: bool,
    /// The name of the `Script` that it runs.
    pub script_ref: Option<String>,
    /// From one run to the next, in seconds.
    pub interval: Option<u64>,
    /// Names of Secrets, all keys of which the script gets as variables.
    pub secret_refs: Vec<String>,
    /// Names of the `TelegramChannel`s that are written to.
    pub telegram_channel_refs: Vec<String>,
    /// Whether nobody is written to.
    pub mute_notifications: Option<bool>,
    /// Until when nobody is written to (RFC 3339).
    pub mute_notifications_until: Option<String>,
}

/// A program in the object itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScriptSpec {
    /// What it is written in.
    pub language: Language,
    /// Its text.
    pub content: String,
    /// What pip installs before it runs, as in a requirements file.
    #[serde(default)]
    pub python_requirements: Vec<String>,
    /// The same, as Pinglow's definition spells it.
    #[serde(default, rename = "python_requirements")]
    pub python_requirements_too: Vec<String>,
}

impl ScriptSpec {
    /// What pip installs, whichever way it is spelt.
    pub fn requirements(&self) -> Vec<String> {
        [self.python_requirements.as_slice(), &self.python_requirements_too].concat()
    }
}

/// What a script is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
pub enum Language {
    /// Python 3.
    Python,
    /// bash.
    Bash,
}

/// A chat.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TelegramChannelSpec {
    /// The number or the name of the chat.
    pub chat_id: String,
    /// The Secret whose key `botToken` holds the bot's token.
    pub bot_token_ref: String,
}
