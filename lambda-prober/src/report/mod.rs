//! What a run tells: one JSON line with stable names, which people's queries and alarms may rely on.
//!
//! | field | what it is |
//! |---|---|
//! | `event` | always `run` |
//! | `at` | when the run began, RFC 3339 |
//! | `duration_ms` | how long it took |
//! | `published` | `false` when a page could not be read, a needed change could not be written, or a key could not be read |
//! | `targets[]` | one for each home: |
//! | `.name`, `.url`, `.page_id`, `.component_id` | which home, and where it is published |
//! | `.verdict` | `up`, `down` or `unknown` |
//! | `.cause` | `null` when up; `impostor`, `unproven`, `refused`, `reset`, `tls`, `unreachable`, `name`; `key`, `name_service`, `blind` |
//! | `.status_before` | the component's status as read; `null` when it was not read or is none we know |
//! | `.status` | what the page should say; `null` when that is unknown |
//! | `.outcome` | `agrees`, `changed`, `already_changed`, `would_change` (dry run), `maintenance`, `unknown`, `left_to_next_run`, `failed` |
//! | `.error` | why it failed, or `null` |
//! | `.state` | what is remembered of the home: `down_since`, `up_since`, `cause`, `last_proven_address`; `null` where that was not needed, and without state |
//! | `.state_error` | why it could not be read or written, or `null` |
//! | `.attempts[]` | `started_ms`, `resolve_ms`, `resolution` (`literal`, `resolved`, `only_ipv4` and `only_ipv6` where the other family could not be asked for, `no_such_name`, `timeout`, `error`, `empty`) and |
//! | `.attempts[].exchanges[]` | `address`, `connect_ms`, `tls_ms`, `answer_ms`, `proof_ms`, `http_status`, `identity` (`not_asked`, `proven`, `proven_with_old_key`, `foreign`, `absent`, `unchecked`), `host_up_s` and `beacon_up_s` of a proof, `failure` (`refused`, `reset`, `not_http`, `tls`, `timeout`, `unreachable`, `local`), `detail` |
//!
//! Durations are milliseconds with fractions; those of phases that were not entered are `null`.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use shared::statuspage::ComponentStatus;

use crate::{
    identity::{Identity, WhichKey},
    observation::{Attempt, Exchange, Failure, Family, NameTrouble, Resolution},
    state::{Kept, Record},
    target::Target,
    verdict::Verdict,
};

/// The report of one run.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename = "run")]
pub struct Report {
    pub at: Timestamp,
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    pub published: bool,
    pub targets: Vec<TargetReport>,
}

/// What came of one target.
#[derive(Clone, Debug)]
pub struct TargetReport {
    pub target: Target,
    pub attempts: Vec<Attempt>,
    pub verdict: Verdict,
    pub before: Option<ComponentStatus>,
    pub outcome: Outcome,
    /// `None` where no state is kept.
    pub state: Option<Kept>,
}

/// How a target's run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Agrees,
    Changed,
    AlreadyChanged,
    WouldChange,
    Maintenance,
    Unknown,
    LeftToNextRun,
    Failed(String),
}

impl Report {
    /// What could not be published, in a sentence; `None` when everything could.
    pub fn failure(&self) -> Option<String> {
        let failed = self.targets.iter().filter_map(|report| match &report.outcome {
            Outcome::Failed(error) => Some(format!("{}: {error}", report.target.home.name)),
            _ => None,
        });
        let failed: Vec<String> = failed.collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }
}

impl Outcome {
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Changed => "changed",
            Self::AlreadyChanged => "already_changed",
            Self::WouldChange => "would_change",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
            Self::LeftToNextRun => "left_to_next_run",
            Self::Failed(_) => "failed",
        }
    }
}

impl Serialize for TargetReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            name: &'a str,
            url: &'a str,
            page_id: &'a str,
            component_id: &'a str,
            verdict: &'a str,
            cause: Option<&'a str>,
            status_before: Option<ComponentStatus>,
            status: Option<ComponentStatus>,
            outcome: &'a str,
            error: Option<&'a str>,
            state: Option<&'a Record>,
            state_error: Option<&'a str>,
            attempts: Vec<AttemptLine>,
        }
        Line {
            name: &self.target.home.name,
            url: self.target.home.url.as_str(),
            page_id: self.target.page.as_str(),
            component_id: self.target.component.as_str(),
            verdict: self.verdict.label(),
            cause: self.verdict.cause(),
            status_before: self.before,
            status: self.verdict.status(),
            outcome: self.outcome.label(),
            error: if let Outcome::Failed(error) = &self.outcome { Some(error) } else { None },
            state: self.state.as_ref().and_then(|kept| kept.as_ref().ok()),
            state_error: self.state.as_ref().and_then(|kept| kept.as_ref().err()).map(String::as_str),
            attempts: self.attempts.iter().map(AttemptLine::from).collect(),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct AttemptLine {
    started_ms: f64,
    resolve_ms: Option<f64>,
    resolution: &'static str,
    exchanges: Vec<ExchangeLine>,
}

#[derive(Serialize)]
struct ExchangeLine {
    address: String,
    connect_ms: Option<f64>,
    tls_ms: Option<f64>,
    answer_ms: Option<f64>,
    proof_ms: Option<f64>,
    http_status: Option<u16>,
    identity: Option<&'static str>,
    host_up_s: Option<u64>,
    beacon_up_s: Option<u64>,
    failure: Option<&'static str>,
    detail: Option<String>,
}

impl From<&Attempt> for AttemptLine {
    fn from(attempt: &Attempt) -> Self {
        let (took, resolution) = match attempt.resolution {
            Resolution::Literal => (None, "literal"),
            Resolution::Resolved { took, trouble: None } => (Some(took), "resolved"),
            Resolution::Resolved { took, trouble: Some((Family::V4, _)) } => (Some(took), "only_ipv6"),
            Resolution::Resolved { took, trouble: Some((Family::V6, _)) } => (Some(took), "only_ipv4"),
            Resolution::NoSuchName { took } => (Some(took), "no_such_name"),
            Resolution::Trouble { took, trouble: NameTrouble::Timeout } => (Some(took), "timeout"),
            Resolution::Trouble { took, trouble: NameTrouble::Error } => (Some(took), "error"),
            Resolution::Trouble { took, trouble: NameTrouble::Empty } => (Some(took), "empty"),
        };
        Self {
            started_ms: ms(attempt.started),
            resolve_ms: took.map(ms),
            resolution,
            exchanges: attempt.exchanges.iter().map(ExchangeLine::from).collect(),
        }
    }
}

impl From<&Exchange> for ExchangeLine {
    fn from(exchange: &Exchange) -> Self {
        let (failure, detail) = match &exchange.outcome {
            Ok(_) => (None, None),
            Err(Failure::Refused) => (Some("refused"), None),
            Err(Failure::Reset) => (Some("reset"), None),
            Err(Failure::NotHttp) => (Some("not_http"), None),
            Err(Failure::Tls(detail)) => (Some("tls"), Some(detail.clone())),
            Err(Failure::TimedOut) => (Some("timeout"), None),
            Err(Failure::Unreachable) => (Some("unreachable"), None),
            Err(Failure::Local(detail)) => (Some("local"), Some(detail.clone())),
        };
        let answer = exchange.outcome.as_ref().ok();
        let running = answer.and_then(|answer| match answer.identity {
            Identity::Proven { running, .. } => Some(running),
            _ => None,
        });
        Self {
            address: exchange.address.to_string(),
            connect_ms: exchange.phases.connect.map(ms),
            tls_ms: exchange.phases.tls.map(ms),
            answer_ms: exchange.phases.answer.map(ms),
            proof_ms: exchange.phases.proof.map(ms),
            http_status: answer.map(|answer| answer.status),
            identity: answer.map(|answer| answer.identity.label()),
            host_up_s: running.map(|running| running.up),
            beacon_up_s: running.map(|running| running.age),
            failure,
            detail,
        }
    }
}

impl Identity {
    const fn label(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Proven { with: WhichKey::Current, .. } => "proven",
            Self::Proven { with: WhichKey::Old, .. } => "proven_with_old_key",
            Self::Foreign => "foreign",
            Self::Absent => "absent",
            Self::Unchecked => "unchecked",
        }
    }
}

/// Milliseconds to the microsecond.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(ms(*duration))
}
