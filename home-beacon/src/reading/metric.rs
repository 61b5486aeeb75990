//! The names of what is measured.

use std::{fmt, str::FromStr};

use checks::check::CheckName;
use serde::{Deserialize, Serialize};
use shared::settings::nearness::question;

/// What is measured, like `ping` or `ping:9.9.9.9`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct MetricName(String);

/// A text that names no metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a metric has up to 100 lower-case letters, digits and _ - . :, like ping or ping:9.9.9.9")]
pub struct NoMetric;

/// What our own programs measure; of `ping` and its kin also with a further target behind a colon.
const OURS: [&str; 8] = ["ping", "resolve", "bandwidth", "upload", "latency_idle", "latency_loaded", "dns", OF_CHECKS];

/// What a check's readings are called, with its name behind a colon.
const OF_CHECKS: &str = "check";

/// What a bandwidth test measures.
const RARE: [&str; 4] = ["bandwidth", "upload", "latency_idle", "latency_loaded"];

impl MetricName {
    /// Whether a program of ours measures it.
    pub fn is_ours(&self) -> bool {
        OURS.contains(&self.0.split(':').next().unwrap_or_default())
    }

    /// What was perhaps meant by a name that no program of ours has readings of: `: was ping meant?`, or nothing.
    pub fn question(text: &str) -> String {
        let name = text.split(':').next().unwrap_or_default();
        if OURS.contains(&name) || text.starts_with('@') { String::new() } else { question(name, OURS) }
    }

    /// Whether it is measured only every few hours.
    pub fn is_rare(&self) -> bool {
        RARE.contains(&self.0.as_str())
    }

    /// The metric of a name that a program of ours has made.
    ///
    /// # Panics
    /// When the name is none.
    pub(crate) fn ours(name: &str) -> Self {
        name.parse().unwrap_or_else(|_| unreachable!("{name} names a metric"))
    }

    /// The metric of a check's readings.
    pub fn of_check(name: &CheckName) -> Self {
        Self(format!("{OF_CHECKS}:{name}"))
    }

    /// The check whose readings these are; `None` of everything else, figures of checks included.
    pub fn check(&self) -> Option<CheckName> {
        self.0.strip_prefix(OF_CHECKS)?.strip_prefix(':')?.parse().ok()
    }

    /// Its name, as readings have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MetricName {
    type Err = NoMetric;

    fn from_str(text: &str) -> Result<Self, NoMetric> {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.' | b':');
        let good = !text.is_empty() && text.len() <= 100 && text.bytes().all(known);
        if good { Ok(Self(text.to_owned())) } else { Err(NoMetric) }
    }
}

impl TryFrom<String> for MetricName {
    type Error = NoMetric;

    fn try_from(text: String) -> Result<Self, NoMetric> {
        text.parse()
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
