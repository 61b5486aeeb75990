//! The report's parts as they are written.

use std::{collections::BTreeMap, time::Duration};

use serde::{Serialize, Serializer};
use shared::{
    id::{ComponentId, IncidentId, PageId},
    statuspage::{ComponentStatus, IncidentStatus},
};

use crate::{
    head::NotHttp,
    identity::{Identity, WhichKey},
    observation::{Attempt, Exchange, Failure, Family, NameTrouble, Origin, Resolution, Statement},
    plan::Call,
};

#[derive(Serialize)]
pub(super) struct AttemptLine {
    started_ms: f64,
    resolve_ms: Option<f64>,
    resolution: &'static str,
    exchanges: Vec<ExchangeLine>,
    witnesses: Vec<WitnessLine>,
}

#[derive(Serialize)]
struct WitnessLine {
    witness: String,
    address: Option<String>,
    reached_ms: Option<f64>,
    failure: Option<&'static str>,
    detail: Option<String>,
}

/// A call that changes a page.
#[derive(Serialize)]
pub(super) struct CallLine<'a> {
    page_id: &'a PageId,
    call: &'static str,
    incident_id: Option<&'a IncidentId>,
    status: Option<IncidentStatus>,
    components: BTreeMap<ComponentId, ComponentStatus>,
    body: Option<&'a str>,
}

impl<'a> CallLine<'a> {
    pub(super) fn new(page: &'a PageId, call: &'a Call) -> Self {
        let (name, incident, change) = match call {
            Call::Set { .. } => ("set", None, None),
            Call::Open { change, .. } => ("open_incident", None, Some(change)),
            Call::Change { incident, change } => ("change_incident", Some(incident), Some(change)),
            Call::Delete { incident } => ("delete_incident", Some(incident), None),
        };
        Self {
            page_id: page,
            call: name,
            incident_id: incident,
            status: change.map(|change| change.status),
            components: call.sets(),
            body: change.map(|change| change.body.as_str()),
        }
    }
}

#[derive(Serialize)]
struct ExchangeLine {
    address: String,
    origin: &'static str,
    connect_ms: Option<f64>,
    tls_ms: Option<f64>,
    answer_ms: Option<f64>,
    proof_ms: Option<f64>,
    http_status: Option<u16>,
    identity: Option<&'static str>,
    host_up_s: Option<u64>,
    beacon_up_s: Option<u64>,
    http_location: Option<String>,
    http_server: Option<String>,
    http_via: Option<String>,
    http_cache: Vec<String>,
    certificate: Option<String>,
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
            witnesses: attempt.testimony.iter().flat_map(|it| &it.0).map(WitnessLine::from).collect(),
        }
    }
}

impl From<&Exchange> for ExchangeLine {
    fn from(exchange: &Exchange) -> Self {
        let (failure, detail) = exchange.outcome.as_ref().err().map_or((None, None), told);
        let answer = exchange.outcome.as_ref().ok();
        let running = answer.and_then(|answer| match answer.identity {
            Identity::Proven { running, .. } => Some(running),
            _ => None,
        });
        let marks = answer.map(|answer| answer.marks.clone()).unwrap_or_default();
        Self {
            address: exchange.address.to_string(),
            origin: match exchange.origin {
                Origin::Target => "target",
                Origin::LastProven => "last_proven",
            },
            connect_ms: exchange.phases.connect.map(ms),
            tls_ms: exchange.phases.tls.map(ms),
            answer_ms: exchange.phases.answer.map(ms),
            proof_ms: exchange.phases.proof.map(ms),
            http_status: answer.map(|answer| answer.status),
            identity: answer.map(|answer| answer.identity.label()),
            host_up_s: running.map(|running| running.up),
            beacon_up_s: running.map(|running| running.age),
            http_location: marks.location,
            http_server: marks.server,
            http_via: marks.via,
            http_cache: marks.cache,
            certificate: exchange.certificate.clone(),
            failure,
            detail,
        }
    }
}

impl From<&Statement> for WitnessLine {
    fn from(statement: &Statement) -> Self {
        let (failure, detail) = statement.outcome.as_ref().err().map_or((None, None), told);
        Self {
            witness: statement.witness.clone(),
            address: statement.address.map(|address| address.to_string()),
            reached_ms: statement.outcome.as_ref().ok().copied().map(ms),
            failure,
            detail,
        }
    }
}

/// A failure's label, and its detail where it has one.
fn told(failure: &Failure) -> (Option<&'static str>, Option<String>) {
    match failure {
        Failure::Refused => (Some("refused"), None),
        Failure::Reset => (Some("reset"), None),
        Failure::NotHttp(NotHttp::Tls) => (Some("not_http"), Some("it speaks TLS".into())),
        Failure::NotHttp(NotHttp::Unknown) => (Some("not_http"), None),
        Failure::Tls(detail) => (Some("tls"), Some(detail.clone())),
        Failure::TimedOut => (Some("timeout"), None),
        Failure::Unreachable => (Some("unreachable"), None),
        Failure::Local(detail) => (Some("local"), Some(detail.clone())),
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

pub(super) fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(ms(*duration))
}
