//! A check as a program registers it, and what must be true of one.

use std::{collections::HashSet, time::Duration};

use checks::check::{CheckName, Dependency, LEAST_INTERVAL, Place};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};
use shared::fingerprint::Fingerprint;

/// The most checks of one call.
const MAX_CHECKS: usize = 12_000;

/// The longest interval and period: a year with a day to spare.
const MAX_EVERY: Duration = Duration::from_hours(367 * 24);
const MAX_PERIOD: Duration = Duration::from_hours(367 * 24);

/// The longest texts, in characters.
const MAX_TITLE: usize = 200;
const MAX_TARGET: usize = 300;

/// What one check may depend on, and how many failures a notice may wait for.
const MAX_DEPENDENCIES: usize = 10_000;
const MAX_AFTER: u32 = 1_000_000;

/// All checks of a source.
#[derive(Clone, Debug)]
pub(in crate::keeper) struct Registration {
    /// The program that they are of.
    pub(in crate::keeper) source: String,
    pub(in crate::keeper) checks: Vec<Definition>,
    /// Whether there are others, which stay as they are.
    pub(in crate::keeper) is_partial: bool,
    /// Those among the others that stay as they are, where the rest goes: they are wrong now, and no less there.
    pub(in crate::keeper) kept: HashSet<CheckName>,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::keeper) struct Definition {
    pub(in crate::keeper) name: CheckName,
    #[serde(default)]
    pub(in crate::keeper) was: Option<CheckName>,
    pub(in crate::keeper) title: String,
    #[serde(default)]
    pub(in crate::keeper) group: Option<String>,
    pub(in crate::keeper) kind: Kind,
    pub(in crate::keeper) target: String,
    pub(in crate::keeper) every_seconds: u32,
    #[serde(deserialize_with = "place")]
    pub(in crate::keeper) component: Place,
    #[serde(default, deserialize_with = "dependencies")]
    pub(in crate::keeper) depends_on: Vec<Dependency>,
    #[serde(default)]
    pub(in crate::keeper) notices: WantedNotices,
    #[serde(default)]
    pub(in crate::keeper) passive: Option<Passive>,
}

/// What kind of check it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::keeper) enum Kind {
    Http,
    Tcp,
    Tls,
    Dns,
    Icmp,
    Grpc,
    Script,
    Passive,
}

/// When people are written to about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::keeper) struct WantedNotices {
    pub(in crate::keeper) wanted: bool,
    /// After how many failed runs, once it counts as down: 0 and 1 are the first.
    pub(in crate::keeper) after_failures: u32,
    /// Also of warnings.
    pub(in crate::keeper) all_changes: bool,
}

/// Of a check that calls us.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::keeper) struct Passive {
    pub(in crate::keeper) period_seconds: u32,
    pub(in crate::keeper) grace_seconds: u32,
    /// Of the secret that its address ends with; `None` where the program cannot read it now: the one that is known stays.
    #[serde(default, deserialize_with = "digest")]
    pub(in crate::keeper) secret_sha256: Option<Fingerprint>,
}

impl Default for WantedNotices {
    fn default() -> Self {
        let checks::check::Notices { wanted, after_failures, all_changes } = checks::check::Notices::default();
        Self { wanted, after_failures, all_changes }
    }
}

impl Kind {
    const ALL: [Self; 8] =
        [Self::Http, Self::Tcp, Self::Tls, Self::Dns, Self::Icmp, Self::Grpc, Self::Script, Self::Passive];

    pub(in crate::keeper) const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Icmp => "icmp",
            Self::Grpc => "grpc",
            Self::Script => "script",
            Self::Passive => "passive",
        }
    }

    pub(super) fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.label() == label)
    }
}

/// As it is written: `own`, `nowhere`, or a component's id.
pub(super) fn place_text(place: &Place) -> String {
    match place {
        Place::Own => "own".into(),
        Place::Nowhere => "nowhere".into(),
        Place::Component(id) => id.to_string(),
    }
}

/// As it is written: `home`, or `check:` and a name.
pub(super) fn dependency_text(dependency: &Dependency) -> String {
    match dependency {
        Dependency::Home => "home".into(),
        Dependency::Check(name) => format!("check:{name}"),
    }
}

pub(super) fn read_dependency(text: &str) -> Option<Dependency> {
    match text {
        "home" => Some(Dependency::Home),
        other => other.strip_prefix("check:")?.parse().ok().map(Dependency::Check),
    }
}

fn place<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "own" => Ok(Place::Own),
        "nowhere" => Ok(Place::Nowhere),
        _ => text.parse().map(Place::Component).map_err(|_| {
            D::Error::custom("component is own, nowhere, or a component's id of 12 lower-case letters and digits")
        }),
    }
}

fn dependencies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Dependency>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let wrong = || D::Error::custom("depends_on names home, or check:<name>");
    texts.iter().map(|text| read_dependency(text).ok_or_else(wrong)).collect()
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Fingerprint>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    // Without the text: it may be the secret itself.
    text.parse().map(Some).map_err(|_| D::Error::custom("secret_sha256 is a SHA-256 in 64 hexadecimal digits"))
}

impl Registration {
    /// # Errors
    /// What is wrong, and where.
    pub(in crate::keeper) fn read(mut body: Map<String, Value>) -> Result<Self, String> {
        let source = match body.remove("source") {
            Some(Value::String(source)) if is_source(&source) => source,
            _ => return Err("source: the program's name, of up to 40 lower-case letters, digits and -".into()),
        };
        let Some(Value::Array(list)) = body.remove("checks") else {
            return Err("checks is missing: the body is {\"source\":\"…\",\"checks\":[…]}".into());
        };
        let is_partial = match body.remove("partial") {
            None => false,
            Some(Value::Bool(is_partial)) => is_partial,
            Some(_) => return Err("partial is true or false".into()),
        };
        let kept: Vec<CheckName> = body.remove("keep").map_or(Ok(Vec::new()), |names| {
            serde_json::from_value(names).map_err(|_| "keep is a list of names of checks".to_owned())
        })?;
        if let Some(other) = body.keys().next() {
            return Err(format!("{}: is no field of a registration", other.escape_debug()));
        }
        if list.len() > MAX_CHECKS || kept.len() > MAX_CHECKS {
            return Err(format!("checks: one call may bring {MAX_CHECKS}"));
        }
        let mut checks: Vec<Definition> = Vec::with_capacity(list.len());
        let (mut names, mut secrets) = (HashSet::new(), HashSet::new());
        for (index, value) in list.into_iter().enumerate() {
            let check: Definition =
                serde_json::from_value(value).map_err(|error| format!("checks[{index}]: {error}"))?;
            let within = |what: &str| format!("checks[{index}] ({}): {what}", check.name);
            check.validate().map_err(|what| within(&what))?;
            if !names.insert(check.name.clone()) {
                return Err(within("another check has this name already"));
            }
            let secret = check.passive.and_then(|passive| passive.secret_sha256);
            if secret.is_some_and(|secret| !secrets.insert(secret.to_string())) {
                return Err(within("another check has this secret already: each needs its own"));
            }
            checks.push(check);
        }
        Ok(Self { source, checks, is_partial, kept: kept.into_iter().collect() })
    }
}

fn is_source(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(known)
}

impl Definition {
    fn validate(&self) -> Result<(), String> {
        let is_text = |text: &str, most: usize| !text.trim().is_empty() && text.chars().count() <= most;
        if !is_text(&self.title, MAX_TITLE) || self.group.as_deref().is_some_and(|group| !is_text(group, MAX_TITLE)) {
            return Err(format!("title and group have 1 to {MAX_TITLE} characters"));
        }
        if self.target.chars().count() > MAX_TARGET {
            return Err(format!("target has up to {MAX_TARGET} characters"));
        }
        if !(LEAST_INTERVAL..=MAX_EVERY).contains(&self.every()) {
            return Err(format!("every_seconds is from 5 to {}", MAX_EVERY.as_secs()));
        }
        if self.depends_on.len() > MAX_DEPENDENCIES {
            return Err(format!("depends_on names up to {MAX_DEPENDENCIES} others"));
        }
        if self.notices.after_failures > MAX_AFTER {
            return Err(format!("notices.after_failures is up to {MAX_AFTER}"));
        }
        match &self.passive {
            None if self.kind == Kind::Passive => {
                Err("passive is missing: period_seconds, grace_seconds, secret_sha256".into())
            }
            Some(_) if self.kind != Kind::Passive => Err("passive belongs to the kind passive alone".into()),
            Some(passive) => passive.validate(),
            None => Ok(()),
        }
    }

    pub(in crate::keeper) fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds.into())
    }
}

impl Passive {
    fn validate(self) -> Result<(), String> {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let is_wrong = seconds(self.period_seconds) < LEAST_INTERVAL
            || seconds(self.period_seconds) > MAX_PERIOD
            || seconds(self.grace_seconds) > MAX_PERIOD;
        if is_wrong {
            return Err("period_seconds is from 5 to 31708800, which are 367 days, and grace_seconds up to that".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
