//! The beacon: the home's public face. It answers any GET or HEAD with a few bytes and offers nothing else: no body is
//! read, no other route exists, no connection goes out.

mod settings;

use std::{
    fmt::Write,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::watch};

pub use self::settings::BeaconSettings;
use crate::serve::{Limits, Traffic, serve};

/// What everybody is told, whatever they ask for.
const ANSWER: &str = "porchlight\n";

/// The private listener serves one scraper.
const PRIVATE: Limits = Limits { connections: 16, head: Duration::from_secs(3), total: Duration::from_secs(10) };

/// A beacon on two listeners: the world's and the scraper's.
#[derive(Debug)]
pub struct Beacon {
    pub public: TcpListener,
    pub private: TcpListener,
    /// How many public connections may be open at once.
    pub connections: usize,
}

impl Beacon {
    /// Answers until `shutdown`.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let traffic = Arc::new(Traffic::default());
        let limits =
            Limits { connections: self.connections, head: Duration::from_secs(3), total: Duration::from_secs(10) };
        let (stop, stopped) = watch::channel(());
        let until_stopped = |mut stopped: watch::Receiver<()>| async move {
            // Either way, a message or the sender's end, it is time.
            let _ = stopped.changed().await;
        };
        let public = serve(self.public, answers(), limits, Arc::clone(&traffic), until_stopped(stopped.clone()));
        let private = serve(self.private, metrics(traffic), PRIVATE, Arc::default(), until_stopped(stopped));
        let stopping = async {
            shutdown.await;
            drop(stop);
        };
        tokio::join!(public, private, stopping);
    }
}

fn answers() -> Router {
    Router::new().fallback(|method: Method| async move {
        if method == Method::GET || method == Method::HEAD {
            (StatusCode::OK, ANSWER).into_response()
        } else {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    })
}

fn metrics(traffic: Arc<Traffic>) -> Router {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    Router::new().route("/metrics", get(move || async move { ([(header::CONTENT_TYPE, TEXT)], exposition(&traffic)) }))
}

/// The Prometheus text format.
fn exposition(traffic: &Traffic) -> String {
    let mut text = String::new();
    for (name, kind, help, value) in [
        ("connections_accepted_total", "counter", "Connections accepted.", &traffic.accepted),
        ("requests_total", "counter", "Complete requests.", &traffic.asked),
        ("connections_evicted_total", "counter", "Idle connections that made room for a newer one.", &traffic.evicted),
        (
            "connections_refused_total",
            "counter",
            "Connections turned away, all others being answered.",
            &traffic.refused,
        ),
        ("connections_open", "gauge", "Connections open now.", &traffic.open),
    ] {
        let value = value.load(Ordering::Relaxed);
        let _ = write!(
            text,
            "# HELP porchlight_beacon_{name} {help}\n# TYPE porchlight_beacon_{name} {kind}\nporchlight_beacon_{name} {value}\n"
        );
    }
    text
}
