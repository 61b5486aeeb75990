//! The report of one run, and what became of each target.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use shared::{
    id::{ComponentId, PageId},
    statuspage::{ComponentStatus, Warning},
};

use super::json::{AttemptJson, CallJson, DifferingJson, HeartbeatJson, milliseconds};
use crate::{
    judge::{advice::advice, observation::Attempt, verdict::Verdict},
    kept::state::{RecordResult, StateRecord},
    mode::Mode,
    plan::Call,
    run::LastHeartbeat,
    target::Target,
};

/// The report of one run.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename = "run")]
pub struct Report {
    /// When the run began.
    pub at: Timestamp,
    /// How long it took.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// Whether no target failed.
    pub published: bool,
    /// The mode, sent as whether it was a dry run.
    #[serde(rename = "dry_run", serialize_with = "is_dry")]
    pub mode: Mode,
    /// The calls that changed the pages, or would in a dry run.
    #[serde(serialize_with = "calls_json")]
    pub calls: Vec<(PageId, Call)>,
    /// What became of each target, in the order of the settings.
    pub targets: Vec<TargetReport>,
}

/// What became of one target.
#[derive(Clone, Debug)]
pub struct TargetReport {
    /// The target.
    pub target: Target,
    /// What was seen.
    pub attempts: Vec<Attempt>,
    /// Its newest heartbeat, where it sends any.
    pub last_heartbeat: Option<LastHeartbeat>,
    /// What that means.
    pub verdict: Verdict,
    /// The component's status as read; `None` when it was not read or is not known.
    pub before: Option<ComponentStatus>,
    /// The status that the page should have; `None` when that is unknown.
    pub status: Option<ComponentStatus>,
    /// Whether the page has it.
    pub outcome: PublishOutcome,
    /// What a keeper says of the component besides.
    pub warning: Option<String>,
    /// The home's record; `None` where no state is kept, or none was needed.
    pub state: Option<RecordResult>,
}

/// What became of a target's component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOutcome {
    /// It said what it should.
    Agrees,
    /// It was changed.
    Changed,
    /// Another client changed it during the run.
    AlreadyChanged,
    /// It would be changed, were this not a dry run.
    WouldChange,
    /// It is under maintenance, which is not overwritten.
    Maintenance,
    /// Nothing is known of the home, so the component stays.
    Unknown,
    /// Another client changed it to something else during the run.
    LeftToNextRun,
    /// It does not say what it should; the text says why, for people.
    Failed(String),
}

impl Report {
    /// What could not be published, in a sentence; `None` when everything could.
    pub fn failure(&self) -> Option<String> {
        let failed = self.targets.iter().filter_map(|report| match &report.outcome {
            PublishOutcome::Failed(error) => Some(format!("{}: {error}", report.target.home.name)),
            _ => None,
        });
        let failed: Vec<String> = failed.collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }
}

impl TargetReport {
    /// Whether the home is up, at each of its addresses, and the page has said so before: there is nothing to explain.
    pub(crate) fn is_well(&self) -> bool {
        let is_up = self.verdict == Verdict::Up && self.outcome == PublishOutcome::Agrees;
        is_up && self.target.home.differing(&self.attempts, self.verdict).next().is_none()
    }
}

impl PublishOutcome {
    const fn label(&self) -> &'static str {
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

    /// The same, with regard to a keeper's warning: a component that is not shown to readers is a failure.
    pub(crate) fn where_shown(self, warning: Option<&Warning>) -> Self {
        match (self, warning) {
            (failed @ Self::Failed(_), _) => failed,
            (_, Some(warning)) if !warning.is_shown => {
                Self::Failed(format!("what is written is not shown to readers: {}", warning.text))
            }
            (outcome, _) => outcome,
        }
    }
}

impl Serialize for TargetReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct TargetJson<'a> {
            name: &'a str,
            url: &'a str,
            page_id: &'a str,
            component_id: &'a str,
            depends_on: Option<&'a str>,
            verdict: &'a str,
            cause: Option<&'a str>,
            differs: Vec<DifferingJson<'a>>,
            advice: Option<String>,
            status_before: Option<ComponentStatus>,
            status: Option<ComponentStatus>,
            outcome: &'a str,
            error: Option<&'a str>,
            warning: Option<&'a str>,
            state: Option<&'a StateRecord>,
            state_error: Option<&'a str>,
            heartbeat: Option<HeartbeatJson>,
            attempts: Vec<AttemptJson<'a>>,
        }
        TargetJson {
            name: &self.target.home.name,
            url: self.target.home.url().as_str(),
            page_id: self.target.page.as_str(),
            component_id: self.target.component.as_str(),
            depends_on: self.target.depends_on.as_ref().map(ComponentId::as_str),
            verdict: self.verdict.label(),
            cause: self.verdict.cause(),
            differs: self.target.home.differing(&self.attempts, self.verdict).map(DifferingJson::from).collect(),
            advice: advice(&self.attempts),
            status_before: self.before,
            status: self.status,
            outcome: self.outcome.label(),
            error: if let PublishOutcome::Failed(error) = &self.outcome { Some(error) } else { None },
            warning: self.warning.as_deref(),
            state: self.state.as_ref().and_then(|record| record.as_ref().ok()),
            state_error: self.state.as_ref().and_then(|record| record.as_ref().err()).map(String::as_str),
            heartbeat: self.last_heartbeat.as_ref().map(HeartbeatJson::from),
            attempts: self.attempts.iter().map(|attempt| AttemptJson::of(attempt, &self.target.home)).collect(),
        }
        .serialize(serializer)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_dry<S: Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(*mode == Mode::DryRun)
}

fn calls_json<S: Serializer>(calls: &[(PageId, Call)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(calls.iter().map(|(page, call)| CallJson::new(page, call)))
}
