//! `/metrics` and `/healthz`.

use std::{sync::Arc, time::Duration};

use axum::{Router, http::HeaderMap, routing::get};
use tokio::net::TcpListener;

use super::totals::Totals;
use crate::{
    exposition,
    serve::{Limits, serve},
};

/// It serves a scraper and a kubelet.
const LIMITS: Limits = Limits { connections: 16, head: Duration::from_secs(3), total: Duration::from_secs(10) };

/// Answers until `stop`.
pub(super) async fn run(listener: TcpListener, totals: Arc<Totals>, stop: impl Future<Output = ()>) {
    let metrics = move |headers: HeaderMap| async move { exposition::answer(&headers, totals.exposition()) };
    let routes = Router::new().route("/metrics", get(metrics)).route("/healthz", get(async || "ok\n"));
    serve(listener, routes, LIMITS, Arc::default(), stop).await;
}
