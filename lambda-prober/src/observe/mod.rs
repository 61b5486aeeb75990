//! Looks at one home: spaced attempts until one brings an answer that counts, each address of the name tried at once.

mod checker;
mod exchange;
mod names;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use rustls::ClientConfig;
use tokio::time::{Instant, sleep_until};
use url::Host;

pub use self::checker::Checker;
use self::names::Names;
use crate::{
    observation::{Attempt, Failure, Resolution},
    pace::Pace,
};

/// The most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Observes a home; ends at the first answer that is enough, after the pace's attempts, or when observing must end.
pub async fn observe(checker: &Checker<'_>, tls: &Arc<ClientConfig>, pace: &Pace, began: Instant) -> Vec<Attempt> {
    let until = began + pace.observing;
    let mut attempts = Vec::with_capacity(pace.attempts);
    let mut due = Instant::now();
    for _ in 0..pace.attempts {
        if due >= until {
            break;
        }
        sleep_until(due).await;
        let attempt = attempt(checker, tls, pace, began, until).await;
        let enough = attempt.enough().is_some();
        attempts.push(attempt);
        if enough {
            break;
        }
        due = (due + pace.spacing + jitter(pace.spacing)).max(Instant::now());
    }
    attempts
}

/// Up to a tenth of the spacing, so that attempts do not beat in time with anything.
fn jitter(spacing: Duration) -> Duration {
    spacing.mul_f64(fastrand::f64() / 10.0)
}

async fn attempt(
    checker: &Checker<'_>,
    tls: &Arc<ClientConfig>,
    pace: &Pace,
    began: Instant,
    until: Instant,
) -> Attempt {
    let (url, start) = (&checker.home.url, Instant::now());
    let mut attempt = Attempt {
        started: start - began,
        resolution: Resolution::Literal,
        addresses: Vec::new(),
        exchanges: Vec::new(),
    };
    attempt.addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) => {
            let found = Names::of_this_machine(pace.resolve).resolve(name, until.min(start + pace.resolve)).await;
            attempt.resolution = found.resolution(start.elapsed());
            found.addresses
        }
        None => Vec::new(),
    };
    attempt.addresses.truncate(MOST_ADDRESSES);
    let port = url.port_or_known_default().unwrap_or(80);
    let mut under_way: FuturesUnordered<_> = attempt
        .addresses
        .iter()
        .map(|address| exchange::exchange(checker, SocketAddr::new(*address, port), tls, pace.phase, until))
        .collect();
    while let Some(exchange) = under_way.next().await {
        let enough = exchange.is_enough();
        attempt.exchanges.push(exchange);
        if enough {
            break;
        }
    }
    attempt
}

/// Sorts an I/O error by its kind.
fn failure_of(error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::NotConnected => Failure::Reset,
        ErrorKind::TimedOut => Failure::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Failure::Unreachable,
        _ => Failure::Local(error.to_string()),
    }
}
