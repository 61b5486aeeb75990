//! A function that is set otherwise than the file that it was deployed with (pure).

use std::fmt;

use serde_json::Value;
use shared::settings::duration;

/// The prober's settings that change what it does, and not for whom: that is the link function's.
pub const TUNING: [&str; 16] = [
    "ATTEMPTS",
    "BEACON_KEY_OLD_PARAMETER",
    "BEACON_KEY_PARAMETER",
    "DEGRADED_ABOVE",
    "INCIDENT_AFTER",
    "METRIC_ID_RESPONSE",
    "NOTIFY_AFTER",
    "NOTIFY_EVERY",
    "NOTIFY_QUIET",
    "NOTIFY_SUBSCRIBERS",
    "NOTIFY_URLS_PARAMETER",
    "RESOLVE_AFTER",
    "STATE_PARAMETER",
    "STATUSPAGE_TOKEN_PARAMETER",
    "STATUSPAGE_URL",
    "WITNESSES",
];

/// One of them, as it is set here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// Its name.
    pub name: String,
    /// Its value; none of them is a secret.
    pub text: String,
    /// The file.
    pub file: String,
}

/// One that is set otherwise there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift<'a> {
    ours: &'a Ours,
    theirs: Option<&'a str>,
}

impl fmt::Display for Drift<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ours { name, text, file } = self.ours;
        match self.theirs {
            Some(theirs) => write!(f, "its {name} is {theirs}, and in {file} it is {text}"),
            None => write!(f, "its {name} is not set, and in {file} it is {text}"),
        }
    }
}

/// What is set otherwise. What the function has besides was meant: a deployment leaves it.
pub fn drift<'a>(variables: &'a Value, ours: &'a [Ours]) -> Vec<Drift<'a>> {
    let other = |ours: &'a Ours| {
        let theirs = variables[ours.name.as_str()].as_str().filter(|text| !text.is_empty());
        let is_same = theirs.is_some_and(|theirs| is_same(theirs, &ours.text));
        (!is_same).then_some(Drift { ours, theirs })
    };
    ours.iter().filter_map(other).collect()
}

/// Whether two values are the same setting: a minute has sixty seconds, and an address may end in a slash.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let same_time = || duration(one).ok().zip(duration(other).ok()).is_some_and(|(one, other)| one == other);
    let bare = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other) || same_time()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_set_otherwise_is_told_with_both_values() {
        let ours = |name: &str, text: &str| Ours { name: name.into(), text: text.into(), file: "prober.env".into() };
        let all = [ours("INCIDENT_AFTER", "5m"), ours("ATTEMPTS", "5"), ours("STATE_PARAMETER", "/porchlight/state")];
        let variables = json!({"INCIDENT_AFTER": "300s", "ATTEMPTS": "3", "DEGRADED_ABOVE": "4s"});
        let reply: Vec<_> = drift(&variables, &all).iter().map(ToString::to_string).collect();
        assert_eq!(
            reply,
            [
                "its ATTEMPTS is 3, and in prober.env it is 5",
                "its STATE_PARAMETER is not set, and in prober.env it is /porchlight/state",
            ]
        );
    }
}
