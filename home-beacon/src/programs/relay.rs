//! `keeper relay`: shows the state of the relay of a keeper that is running, and lets it retry what upstream refused.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
};

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use shared::{
    api::{Api, ApiError, ApiSettings, Permanent},
    http::{Deadlines, client_for},
};
use url::Url;

use crate::keeper::{KEEPER_TOKEN, NO_RELAY, RelayCommand};

/// What a person checks where the keeper does not answer.
const SETTINGS: ApiSettings<'_> = ApiSettings { address: "KEEPER_ADDR", token: KEEPER_TOKEN.name, ids: None };

const PATH: &str = "/porchlight/v1/relay";

#[derive(Deserialize)]
struct RelayAnswer {
    relay: Relay,
    rejected_points: Vec<Rejected>,
}

#[derive(Deserialize)]
struct Relay {
    condition: String,
    reason: Option<String>,
    skipped: Vec<Skipped>,
    mirrored_at: Option<Timestamp>,
    waiting: u64,
    oldest: Option<i64>,
    too_old: u64,
    rejected: u64,
}

#[derive(Deserialize)]
struct Skipped {
    id: String,
    reason: String,
}

#[derive(Deserialize)]
struct Rejected {
    metric: String,
    timestamp: i64,
    value: f64,
    reason: String,
}

/// Prints the state of the relay; a failure while it is paused, because a person must mend that.
///
/// # Errors
/// When the keeper does not answer, or does not relay.
pub(super) async fn relay(keeper: SocketAddr, command: Option<RelayCommand>) -> anyhow::Result<ExitCode> {
    let address = Url::parse(&format!("http://{}", reachable(keeper)))?;
    let api = Api::new(client_for([&address], Deadlines::default())?, &address, KEEPER_TOKEN.require()?);
    let failed = |error| match &error {
        ApiError::Permanent(Permanent { status: 404, message, .. }) if message.contains(NO_RELAY) => {
            anyhow::anyhow!(
                "the keeper at {address} runs without a relay: set UPSTREAM_URL and UPSTREAM_TOKEN where it is started"
            )
        }
        error => anyhow::anyhow!(error.advice(&SETTINGS)),
    };
    let mut out = io::stdout();
    if let Some(RelayCommand::Retry) = command {
        #[derive(Deserialize)]
        struct Retried {
            requeued: u64,
        }
        let path = format!("{PATH}/retry");
        let Retried { requeued } = api.call(Method::POST, &path, None).await.map_err(failed)?;
        match requeued {
            0 => writeln!(out, "Upstream has refused no point.")?,
            _ => writeln!(out, "{} queued again.", points(requeued))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let RelayAnswer { relay, rejected_points } = api.call(Method::GET, PATH, None).await.map_err(failed)?;
    print(&mut out, &relay, &rejected_points)?;
    Ok(if relay.condition == "paused" { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(out: &mut impl Write, relay: &Relay, aside: &[Rejected]) -> io::Result<()> {
    let Relay { condition, reason, skipped, mirrored_at, waiting, oldest, too_old, rejected } = relay;
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    writeln!(out, "condition: {condition}{reason}")?;
    for Skipped { id, reason } in skipped {
        writeln!(out, "not taken: {id}: {reason}")?;
    }
    match mirrored_at {
        Some(at) => writeln!(out, "page upstream copied: {at:.0}")?,
        None => writeln!(out, "page upstream copied: not since the keeper began")?,
    }
    let oldest = oldest.map(|slot| format!(", the oldest from {}", time(slot))).unwrap_or_default();
    writeln!(out, "waiting: {}{oldest}", points(*waiting))?;
    let old = if *too_old > 0 { format!(", {too_old} of them too old for upstream") } else { String::new() };
    writeln!(out, "rejected: {}{old}", points(*rejected))?;
    for Rejected { metric, timestamp, value, reason } in aside {
        writeln!(out, "  {} {metric} {value}: {reason}", time(*timestamp))?;
    }
    if rejected > too_old {
        writeln!(out, "`keeper relay retry` queues again what was refused.")?;
    }
    Ok(())
}

fn points(count: u64) -> String {
    if count == 1 { "1 point".into() } else { format!("{count} points") }
}

fn time(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| second.to_string(), |at| at.to_string())
}

/// Where a keeper on all addresses can be reached from its own machine.
fn reachable(mut keeper: SocketAddr) -> SocketAddr {
    match keeper.ip() {
        IpAddr::V4(address) if address.is_unspecified() => keeper.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(address) if address.is_unspecified() => keeper.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => (),
    }
    keeper
}
