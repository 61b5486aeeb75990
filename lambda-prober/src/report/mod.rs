//! What a run tells: one JSON line with stable names, which people's queries and alarms may rely on.
//!
//! | field | what it is |
//! |---|---|
//! | `event` | always `run` |
//! | `at` | when the run began, RFC 3339 |
//! | `duration_ms` | how long it took |
//! | `published` | `false` when a page could not be read, a needed change could not be written, nobody is shown the page, or a key could not be read |
//! | `dry_run` | whether nothing was to be written |
//! | `calls[]` | the calls that changed a page, or would in a dry run: `page_id`, `call` (`set`, `open_incident`, `change_incident`, `delete_incident`), `incident_id`, `status` of the incident, `components` (what they were set to, by id), `body` |
//! | `targets[]` | one for each home: |
//! | `.name`, `.url`, `.page_id`, `.component_id` | which home, and where it is published |
//! | `.verdict` | `up`, `degraded`, `down` or `unknown` |
//! | `.cause` | `null` when up; `slow`, `certificate`, `only_name_service`; `impostor`, `unproven`, `refused`, `reset`, `tls`, `unreachable`, `name`; `key`, `name_service`, `no_route`, `blind` |
//! | `.advice` | what to do about what answers in the home's stead, not in HTTP, or with a certificate that is not valid, with what it said of itself, or `null` |
//! | `.status_before` | the component's status as read; `null` when it was not read or is none we know |
//! | `.status` | what the page should say; `null` when that is unknown |
//! | `.outcome` | `agrees`, `changed`, `already_changed`, `would_change` (dry run), `maintenance`, `unknown`, `left_to_next_run`, `failed` |
//! | `.error` | why it failed, or `null` |
//! | `.warning` | what a keeper says of it besides: that nobody is shown the page or component (then the run has failed), or that no seed names it any more; else `null` |
//! | `.state` | what is remembered of the home: `down_since`, `up_since`, `seen_down`, `outage_key`, `cause`, `last_proven_address`, `booted`, `started`; `null` where that was not needed, and without state |
//! | `.state_error` | why it could not be read or written, or `null` |
//! | `.attempts[]` | `started_ms`, `resolve_ms`, `resolution` (`literal`, `resolved`, `only_ipv4` and `only_ipv6` where the other family could not be asked for, `no_such_name`, `timeout`, `error`, `empty`) and |
//! | `.attempts[].exchanges[]` | `address`, `origin` (`target`, or `last_proven` where the name failed), `connect_ms`, `tls_ms`, `answer_ms`, `proof_ms`, `http_status`, `identity` (`not_asked`, `proven`, `proven_with_old_key`, `foreign`, `absent`, `unchecked`), `host_up_s` and `beacon_up_s` of a proof, `http_location`, `http_server`, `http_via` and `http_cache` (headers of caches) of an answer, `certificate` (why it is not valid), `failure` (`refused`, `reset`, `not_http`, `tls`, `timeout`, `unreachable`, `local`), `detail` |
//! | `.attempts[].witnesses[]` | who was asked when the home did not answer: `witness`, `address`, `reached_ms`, `failure`, `detail` |
//!
//! Durations are milliseconds with fractions; those of phases that were not entered are `null`.

mod lines;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use shared::{
    id::PageId,
    statuspage::{ComponentStatus, Warning},
};

use self::lines::{AttemptLine, CallLine, milliseconds};
use crate::{
    advice::advice,
    mode::Mode,
    observation::Attempt,
    plan::Call,
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
    #[serde(rename = "dry_run", serialize_with = "is_dry")]
    pub mode: Mode,
    /// What changed the pages, or would in a dry run.
    #[serde(serialize_with = "call_lines")]
    pub calls: Vec<(PageId, Call)>,
    pub targets: Vec<TargetReport>,
}

/// What came of one target.
#[derive(Clone, Debug)]
pub struct TargetReport {
    pub target: Target,
    pub attempts: Vec<Attempt>,
    pub verdict: Verdict,
    pub before: Option<ComponentStatus>,
    /// What the page should say.
    pub status: Option<ComponentStatus>,
    pub outcome: Outcome,
    /// What the page's server says of it, besides.
    pub warning: Option<String>,
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

impl TargetReport {
    /// Whether the home is up and the page has said so before: there is nothing to explain.
    pub fn is_well(&self) -> bool {
        self.verdict == Verdict::Up && self.outcome == Outcome::Agrees
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

    /// The same, where it is known whether anybody is shown it: a page may say what it should where nobody reads it.
    pub(crate) fn where_shown(self, warning: Option<&Warning>) -> Self {
        match (self, warning) {
            (failed @ Self::Failed(_), _) => failed,
            (_, Some(warning)) if !warning.is_shown => {
                Self::Failed(format!("nobody is shown what is written: {}", warning.text))
            }
            (outcome, _) => outcome,
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
            advice: Option<String>,
            status_before: Option<ComponentStatus>,
            status: Option<ComponentStatus>,
            outcome: &'a str,
            error: Option<&'a str>,
            warning: Option<&'a str>,
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
            advice: advice(&self.attempts),
            status_before: self.before,
            status: self.status,
            outcome: self.outcome.label(),
            error: if let Outcome::Failed(error) = &self.outcome { Some(error) } else { None },
            warning: self.warning.as_deref(),
            state: self.state.as_ref().and_then(|kept| kept.as_ref().ok()),
            state_error: self.state.as_ref().and_then(|kept| kept.as_ref().err()).map(String::as_str),
            attempts: self.attempts.iter().map(AttemptLine::from).collect(),
        }
        .serialize(serializer)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_dry<S: Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(*mode == Mode::DryRun)
}

fn call_lines<S: Serializer>(calls: &[(PageId, Call)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(calls.iter().map(|(page, call)| CallLine::new(page, call)))
}
