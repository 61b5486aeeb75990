//! Looks at one home: spaced attempts until one brings an answer, each address of the name tried at once.

mod exchange;
mod names;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use rustls::ClientConfig;
use tokio::time::{Instant, sleep_until};
use url::{Host, Url};

use self::names::Names;
use crate::{
    observation::{Attempt, Failure, Resolution},
    pace::Pace,
};

/// The most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;

/// Observes `url`; ends at the first answer, after the pace's attempts, or when observing must end.
pub async fn observe(url: &Url, tls: &Arc<ClientConfig>, pace: &Pace, began: Instant) -> Vec<Attempt> {
    let until = began + pace.observing;
    let mut attempts = Vec::with_capacity(pace.attempts);
    let mut due = began;
    for _ in 0..pace.attempts {
        if due >= until {
            break;
        }
        sleep_until(due).await;
        let attempt = attempt(url, tls, pace, began, until).await;
        let answered = attempt.answer().is_some();
        attempts.push(attempt);
        if answered {
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

async fn attempt(url: &Url, tls: &Arc<ClientConfig>, pace: &Pace, began: Instant, until: Instant) -> Attempt {
    let start = Instant::now();
    let mut attempt = Attempt { started: start - began, resolution: Resolution::Literal, exchanges: Vec::new() };
    let addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) => {
            let found = Names::of_this_machine(pace.resolve).resolve(name, until.min(start + pace.resolve)).await;
            attempt.resolution = found.resolution(start.elapsed());
            found.addresses
        }
        None => Vec::new(),
    };
    let port = url.port_or_known_default().unwrap_or(80);
    let mut under_way: FuturesUnordered<_> = addresses
        .into_iter()
        .take(MOST_ADDRESSES)
        .map(|address| exchange::exchange(url, SocketAddr::new(address, port), tls, pace.phase, until))
        .collect();
    while let Some(exchange) = under_way.next().await {
        let answered = exchange.outcome.is_ok();
        attempt.exchanges.push(exchange);
        if answered {
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
