//! The beacon: the home's public face. It answers any GET or HEAD with a few bytes, and with a proof where it is challenged
//! and has a key. It offers nothing else: no body is read, no other route exists, no connection goes out.
//!
//! - `prover`: proofs; `looks`: which requests a prober signed, for the keeper

mod looks;
mod prover;
mod settings;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use shared::{
    look::{BEACON_LOOKS_PATH, BeaconLooks},
    metrics::{CONTENT_TYPE, Snapshot},
    proof::{CHALLENGE_HEADER, PROOF_HEADER},
};
use tokio::{net::TcpListener, sync::watch};

use self::looks::LookTotals;
pub use self::{
    prover::Prover,
    settings::{BEACON_KEY, BeaconSettings, PUBLIC_PORT},
};
use crate::serve::{Limits, Traffic, serve};

/// The body of every answer, whatever is asked for.
const ANSWER: &str = "porchlight\n";

/// The private listener serves a scraper and a keeper.
const PRIVATE: Limits = Limits { connections: 16, head: Duration::from_secs(3), total: Duration::from_secs(10) };

/// A beacon on two listeners: the world's, and that of the home.
#[derive(Debug)]
pub struct Beacon {
    /// The world's.
    pub public: TcpListener,
    /// The home's: `/metrics` for the scraper, `/looks` for the keeper.
    pub private: TcpListener,
    /// How many public connections may be open at once.
    pub connections: usize,
    /// Without one it answers, but proves nothing.
    pub prover: Option<Prover>,
}

impl Beacon {
    /// Answers until `shutdown`.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (traffic, prover) = (Arc::new(Traffic::default()), Arc::new(self.prover));
        let limits =
            Limits { connections: self.connections, head: Duration::from_secs(3), total: Duration::from_secs(10) };
        let (stop, stopped) = watch::channel(());
        let until_stopped = |mut stopped: watch::Receiver<()>| async move {
            // Either way, a message or the sender's end, it is time.
            let _ = stopped.changed().await;
        };
        let public = serve(
            self.public,
            answers(Arc::clone(&prover)),
            limits,
            Arc::clone(&traffic),
            until_stopped(stopped.clone()),
        );
        let private =
            serve(self.private, private_routes(traffic, prover), PRIVATE, Arc::default(), until_stopped(stopped));
        let stopping = async {
            shutdown.await;
            drop(stop);
        };
        tokio::join!(public, private, stopping);
    }
}

fn answers(prover: Arc<Option<Prover>>) -> Router {
    Router::new().fallback(move |method: Method, headers: HeaderMap| async move {
        let mut response = if method == Method::GET || method == Method::HEAD {
            let mut response = (StatusCode::OK, ANSWER).into_response();
            if let Some(proof) = prover.as_ref().as_ref().and_then(|prover| prover.answer(&headers)) {
                response.headers_mut().insert(PROOF_HEADER, proof);
            }
            response
        } else {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        };
        uncached(response.headers_mut());
        response
    })
}

/// An answer belongs to one challenge: a cache that keeps it answers the next one wrongly.
fn uncached(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static(CHALLENGE_HEADER));
}

/// The header's value, where a request has exactly one, of plain text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next()?, all.next()) {
        (value, None) => value.to_str().ok(),
        (_, Some(_)) => None,
    }
}

/// `/metrics` and `/looks`.
fn private_routes(traffic: Arc<Traffic>, prover: Arc<Option<Prover>>) -> Router {
    let of_looks = Arc::clone(&prover);
    let text = move || exposition(&traffic, prover.as_ref().as_ref());
    let looks = move || of_looks.as_ref().as_ref().map_or_else(BeaconLooks::default, Prover::looks);
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Router::new()
        .route("/metrics", get(move || async move { (no_store, [(header::CONTENT_TYPE, CONTENT_TYPE)], text()) }))
        .route(BEACON_LOOKS_PATH, get(move || async move { ([(header::CACHE_CONTROL, "no-store")], Json(looks())) }))
}

/// The Prometheus text format.
fn exposition(traffic: &Traffic, prover: Option<&Prover>) -> String {
    let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let LookTotals { counted, rejected, last } = prover.map(Prover::look_totals).unwrap_or_default();
    let mut snapshot = Snapshot::default();
    for (name, help, value) in [
        ("beacon_connections_accepted", "Connections accepted.", now(&traffic.accepted)),
        ("beacon_requests", "Complete requests.", now(&traffic.requests)),
        ("beacon_proofs", "Challenges answered with a proof.", prover.map_or(0, Prover::proofs)),
        ("beacon_looks", "Requests that a prober signed with the home's key, and that count as looks.", counted),
        (
            "beacon_looks_rejected",
            "Requests with a prober's header that does not count: forged, old or known.",
            rejected,
        ),
        ("beacon_connections_evicted", "Idle connections that made room for a newer one.", now(&traffic.evicted)),
        ("beacon_connections_refused", "Connections turned away, all others being answered.", now(&traffic.refused)),
    ] {
        snapshot.counter(name, help, value);
    }
    snapshot.gauge("beacon_connections_open", "Connections open now.", now(&traffic.open));
    if let Some(last) = last {
        snapshot.gauge("beacon_last_look_timestamp_seconds", "When a prober last looked, by its own clock.", last);
    }
    snapshot.into_text()
}
