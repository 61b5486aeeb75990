//! What a program that runs checks says of itself: `/metrics` to a scraper, `/healthz` and `/readyz` to a kubelet.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use shared::metrics::Snapshot;
use tokio::net::TcpListener;

use super::totals::Totals;
use crate::{
    exposition,
    serve::{Limits, serve},
};

/// It serves a scraper and a kubelet.
const LIMITS: Limits = Limits { connections: 16, head: Duration::from_secs(3), total: Duration::from_secs(10) };

/// What a listener tells of.
pub trait Monitored: Send + Sync + 'static {
    /// What a scraper reads.
    fn metrics(&self) -> Snapshot;

    /// Whether it does what it is there for, in a sentence in either case.
    ///
    /// # Errors
    /// When it does not yet, or not any more.
    fn ready(&self) -> Result<String, String> {
        Ok("ok".into())
    }
}

impl Monitored for Totals {
    fn metrics(&self) -> Snapshot {
        self.exposition()
    }
}

/// Answers until `stop`.
pub async fn serve_health(listener: TcpListener, monitored: Arc<impl Monitored>, stop: impl Future<Output = ()>) {
    let asked = Arc::clone(&monitored);
    let metrics = move |headers: HeaderMap| async move { exposition::answer(&headers, asked.metrics()) };
    let ready = move || async move {
        match monitored.ready() {
            Ok(text) => (StatusCode::OK, text + "\n"),
            Err(text) => (StatusCode::SERVICE_UNAVAILABLE, text + "\n"),
        }
    };
    let routes = Router::new().route("/metrics", get(metrics)).route("/healthz", get(async || "ok\n"));
    serve(listener, routes.route("/readyz", get(ready)), LIMITS, Arc::default(), stop).await;
}
