//! The parts of the report as JSON.

use std::{collections::BTreeMap, time::Duration};

use serde::{Serialize, Serializer};
use shared::{
    heartbeat::Heartbeat,
    id::{ComponentId, IncidentId, PageId},
    names::Family,
    statuspage::{ComponentStatus, IncidentStatus},
};

use url::Url;

use crate::{
    heartbeat::judge::age,
    judge::{
        addresses::Differing,
        identity::{Identity, WhichKey},
        observation::{Attempt, Exchange, Failure, NameServiceError, NotHttp, Origin, Resolution, WitnessResult},
    },
    plan::Call,
    run::LastHeartbeat,
    target::Home,
};

#[derive(Serialize)]
pub(super) struct AttemptJson<'a> {
    url: Option<&'a str>,
    started_ms: f64,
    resolve_ms: Option<f64>,
    resolution: &'static str,
    exchanges: Vec<ExchangeJson>,
    witnesses: Vec<WitnessJson>,
}

#[derive(Serialize)]
struct WitnessJson {
    witness: String,
    address: Option<String>,
    reached_ms: Option<f64>,
    failure: Option<&'static str>,
    detail: Option<String>,
}

/// A call that changes a page.
#[derive(Serialize)]
pub(super) struct CallJson<'a> {
    page_id: &'a PageId,
    call: &'static str,
    incident_id: Option<&'a IncidentId>,
    status: Option<IncidentStatus>,
    components: BTreeMap<ComponentId, ComponentStatus>,
    body: Option<&'a str>,
}

impl<'a> CallJson<'a> {
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
struct ExchangeJson {
    address: String,
    origin: &'static str,
    connect_ms: Option<f64>,
    tls_ms: Option<f64>,
    answer_ms: Option<f64>,
    body_ms: Option<f64>,
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
    unmet: Option<&'static str>,
    unmet_text: Option<String>,
    failure: Option<&'static str>,
    detail: Option<String>,
}

/// A web address that does not lead to its home.
#[derive(Serialize)]
pub(super) struct DifferingJson<'a> {
    url: &'a str,
    cause: Option<&'static str>,
    text: &'static str,
}

impl<'a> From<(&'a Url, Differing)> for DifferingJson<'a> {
    fn from((url, differing): (&'a Url, Differing)) -> Self {
        Self { url: url.as_str(), cause: differing.verdict.cause(), text: differing.words() }
    }
}

impl<'a> AttemptJson<'a> {
    pub(super) fn of(attempt: &Attempt, home: &'a Home) -> Self {
        let (took, resolution) = match attempt.resolution {
            Resolution::Literal => (None, "literal"),
            Resolution::Resolved { took, failed: None } => (Some(took), "resolved"),
            Resolution::Resolved { took, failed: Some((Family::V4, _)) } => (Some(took), "only_ipv6"),
            Resolution::Resolved { took, failed: Some((Family::V6, _)) } => (Some(took), "only_ipv4"),
            Resolution::NoSuchName { took } => (Some(took), "no_such_name"),
            Resolution::Failed { took, error: NameServiceError::Timeout } => (Some(took), "timeout"),
            Resolution::Failed { took, error: NameServiceError::Error } => (Some(took), "error"),
            Resolution::Failed { took, error: NameServiceError::Empty } => (Some(took), "empty"),
        };
        Self {
            url: home.addresses.iter().nth(attempt.place).map(Url::as_str),
            started_ms: ms(attempt.started),
            resolve_ms: took.map(ms),
            resolution,
            exchanges: attempt.exchanges.iter().map(ExchangeJson::from).collect(),
            witnesses: attempt.witnesses.iter().flat_map(|evidence| &evidence.0).map(WitnessJson::from).collect(),
        }
    }
}

impl From<&Exchange> for ExchangeJson {
    fn from(exchange: &Exchange) -> Self {
        let (failure, detail) = exchange.outcome.as_ref().err().map_or((None, None), label_of);
        let answer = exchange.outcome.as_ref().ok();
        let running = answer.and_then(|answer| match answer.identity {
            Identity::Proven { running, .. } => Some(running),
            _ => None,
        });
        let unmet = answer.and_then(|answer| answer.unmet.as_ref());
        let headers = answer.map(|answer| answer.headers.clone()).unwrap_or_default();
        Self {
            address: exchange.address.to_string(),
            origin: match exchange.origin {
                Origin::Target => "target",
                Origin::LastProven => "last_proven",
            },
            connect_ms: exchange.phases.connect.map(ms),
            tls_ms: exchange.phases.tls.map(ms),
            answer_ms: exchange.phases.answer.map(ms),
            body_ms: exchange.phases.body.map(ms),
            proof_ms: exchange.phases.proof.map(ms),
            http_status: answer.map(|answer| answer.status),
            identity: answer.map(|answer| answer.identity.label()),
            host_up_s: running.map(|running| running.up),
            beacon_up_s: running.map(|running| running.age),
            http_location: headers.location,
            http_server: headers.server,
            http_via: headers.via,
            http_cache: headers.cache,
            certificate: exchange.certificate.clone(),
            unmet: unmet.map(|unmet| unmet.cause.label()),
            unmet_text: unmet.map(|unmet| unmet.text.clone()),
            failure,
            detail,
        }
    }
}

impl From<&WitnessResult> for WitnessJson {
    fn from(result: &WitnessResult) -> Self {
        let (failure, detail) = result.outcome.as_ref().err().map_or((None, None), label_of);
        Self {
            witness: result.witness.clone(),
            address: result.address.map(|address| address.to_string()),
            reached_ms: result.outcome.as_ref().ok().copied().map(ms),
            failure,
            detail,
        }
    }
}

/// A failure's label, and its detail where it has one.
fn label_of(failure: &Failure) -> (Option<&'static str>, Option<String>) {
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
pub(crate) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

pub(super) fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(ms(*duration))
}

/// A home's newest heartbeat.
#[derive(Serialize)]
pub(super) struct HeartbeatJson {
    age_s: u64,
    sequence: u64,
    host_up_s: u64,
    router: String,
    provider: String,
    world: String,
    names: String,
    last_outage: Option<String>,
}

impl From<&LastHeartbeat> for HeartbeatJson {
    fn from(last_heartbeat: &LastHeartbeat) -> Self {
        let Heartbeat { sequence, running, view, last, .. } = &last_heartbeat.item.heartbeat;
        Self {
            age_s: age(last_heartbeat.item.received, last_heartbeat.now).as_secs(),
            sequence: *sequence,
            host_up_s: running.up,
            router: view.router.to_string(),
            provider: view.provider.to_string(),
            world: view.world.to_string(),
            names: view.names.to_string(),
            last_outage: last.map(|last| last.to_string()),
        }
    }
}
