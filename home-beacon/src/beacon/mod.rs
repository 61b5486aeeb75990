//! The beacon: the home's public face. It answers any GET or HEAD with a few bytes, and with a proof where it is challenged
//! and has a key. It offers nothing else: no body is read, no other route exists, no connection goes out.
//!
//! - `prover`: proofs; `looks`: which requests a prober signed, for the keeper; `callers`: who asks, by class

mod callers;
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
    Extension, Json, Router,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use shared::{
    look::{BEACON_LOOKS_PATH, BeaconLooks},
    metrics::{Number, Snapshot},
    proof::{CHALLENGE_HEADER, PROOF_HEADER},
};
use tokio::{net::TcpListener, sync::watch};

use self::{
    callers::{Caller, Callers},
    looks::LookTotals,
};
pub use self::{
    prover::Prover,
    settings::{BEACON_KEY, BeaconSettings, PUBLIC_PORT},
};
use crate::{
    exposition,
    serve::{Limits, Peer, Traffic, serve},
};

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
        let (traffic, asked) = (Arc::new(Traffic::default()), Arc::new(Asked::of(self.prover)));
        let limits =
            Limits { connections: self.connections, head: Duration::from_secs(3), total: Duration::from_secs(10) };
        let (stop, stopped) = watch::channel(());
        let until_stopped = |mut stopped: watch::Receiver<()>| async move {
            // Either way, a message or the sender's end, it is time.
            let _ = stopped.changed().await;
        };
        let public = serve(
            self.public,
            answers(Arc::clone(&asked)),
            limits,
            Arc::clone(&traffic),
            until_stopped(stopped.clone()),
        );
        let private =
            serve(self.private, private_routes(traffic, asked), PRIVATE, Arc::default(), until_stopped(stopped));
        let stopping = async {
            shutdown.await;
            drop(stop);
        };
        tokio::join!(public, private, stopping);
    }
}

/// What a request is held against, and counted in.
#[derive(Debug)]
struct Asked {
    prover: Option<Prover>,
    callers: Callers,
}

impl Asked {
    fn of(prover: Option<Prover>) -> Self {
        Self { prover, callers: Callers::default() }
    }

    /// The proof that a request is answered with, and who sent it.
    fn by(&self, headers: &HeaderMap) -> (Option<HeaderValue>, Caller) {
        let (proof, is_look) = self.prover.as_ref().map_or((None, false), |prover| prover.answer(headers));
        let caller = match (is_look, prover::challenge(headers)) {
            (true, _) => Caller::Signed,
            (false, Some(_)) => Caller::Prober,
            (false, None) => Caller::Other,
        };
        (proof, caller)
    }
}

fn answers(asked: Arc<Asked>) -> Router {
    Router::new().fallback(
        move |method: Method, Extension(Peer(peer)): Extension<Peer>, headers: HeaderMap| async move {
            let (mut response, caller) = if method == Method::GET || method == Method::HEAD {
                let (proof, caller) = asked.by(&headers);
                let mut response = (StatusCode::OK, ANSWER).into_response();
                response.headers_mut().extend(proof.map(|proof| (HeaderName::from_static(PROOF_HEADER), proof)));
                (response, caller)
            } else {
                let mut response = Response::default();
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
                (response, Caller::Other)
            };
            asked.callers.count(caller, peer.ip());
            uncached(response.headers_mut());
            response
        },
    )
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
fn private_routes(traffic: Arc<Traffic>, asked: Arc<Asked>) -> Router {
    let of_looks = Arc::clone(&asked);
    let metrics = move |headers: HeaderMap| async move { exposition::answer(&headers, snapshot(&traffic, &asked)) };
    let looks = move || of_looks.prover.as_ref().map_or_else(BeaconLooks::default, Prover::looks);
    Router::new()
        .route("/metrics", get(metrics))
        .route(BEACON_LOOKS_PATH, get(move || async move { ([(header::CACHE_CONTROL, "no-store")], Json(looks())) }))
}

/// What a scraper reads.
fn snapshot(traffic: &Traffic, Asked { prover, callers }: &Asked) -> Snapshot {
    let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let prover = prover.as_ref();
    let LookTotals { counted, rejected, last } = prover.map(Prover::look_totals).unwrap_or_default();
    let mut snapshot = Snapshot::default();
    let help = "Complete requests, by who sent them: signed with the home's key, asking for a proof, or neither; and by the \
                kind of network that they came from.";
    let totals = callers.totals().map(|(labels, total)| (labels.map(ToOwned::to_owned), Number::from(total)));
    snapshot.counters("beacon_requests", help, ["caller", "network"], totals);
    for (name, help, value) in [
        ("beacon_connections_accepted", "Connections accepted.", now(&traffic.accepted)),
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
    snapshot
}
