//! `node-metrics`: what the sensors of one machine say, for Prometheus. It is read at each scrape and never kept, so a value is
//! never stale: what cannot be read is absent. It writes nothing, needs no privilege, and opens no connection.
//!
//! - [`sensors`]: the kernel's files; `exposition`: what they come to as metrics

mod exposition;
pub mod sensors;
mod settings;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, http::HeaderMap, routing::get};
use shared::metrics::Snapshot;
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
    time::timeout,
};

use self::sensors::Sensors;
pub use self::settings::NodeSettings;
use crate::serve::{Limits, Traffic, serve};

/// One scraper, or two, and the kubelet.
const LIMITS: Limits = Limits { connections: 16, head: Duration::from_secs(3), total: Duration::from_secs(10) };

/// How long sensors may take. Firmware answers within milliseconds, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(3);

/// A listener for the sensors of a machine.
#[derive(Debug)]
pub struct Node {
    /// Where `/metrics` and `/healthz` are.
    pub listener: TcpListener,
    /// The kernel's files: `/sys`.
    pub sys: PathBuf,
    /// What the machine is called in the metrics.
    pub name: String,
}

impl Node {
    /// Answers until `shutdown`.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let machine = Arc::new(Machine { sys: self.sys, name: self.name, reading: Arc::new(Semaphore::new(1)) });
        let metrics = move |headers: HeaderMap| {
            let machine = Arc::clone(&machine);
            async move { crate::exposition::answer(&headers, machine.snapshot().await) }
        };
        let routes = Router::new().route("/metrics", get(metrics)).route("/healthz", get(async || "ok\n"));
        serve(self.listener, routes, LIMITS, Arc::<Traffic>::default(), shutdown).await;
    }
}

#[derive(Debug)]
struct Machine {
    sys: PathBuf,
    name: String,
    /// Files are read by one thread at a time: a sensor that hangs holds that one, and no more.
    reading: Arc<Semaphore>,
}

impl Machine {
    /// Without samples where the sensors are not read in time.
    async fn snapshot(&self) -> Snapshot {
        let sensors = match timeout(PATIENCE, self.sensors()).await {
            Ok(Ok(sensors)) => sensors,
            Ok(Err(error)) => {
                tracing::error!(%error, "the sensors cannot be read");
                Sensors::default()
            }
            Err(_) => {
                tracing::warn!("the sensors of {} do not answer within {} s", self.name, PATIENCE.as_secs());
                Sensors::default()
            }
        };
        exposition::snapshot(&self.name, &sensors)
    }

    async fn sensors(&self) -> Result<Sensors, JoinError> {
        // It is never closed; without a permit there would only be more threads.
        let permit = Arc::clone(&self.reading).acquire_owned().await;
        let sys = self.sys.clone();
        spawn_blocking(move || {
            let _permit = permit;
            Sensors::read(&sys)
        })
        .await
    }
}

/// What is found there, in words, for `--check`.
pub fn summary(sys: &Path) -> String {
    let Sensors { temperatures, throttling, wear } = Sensors::read(sys);
    let throttling = if throttling.is_some() { "known" } else { "not known" };
    format!(
        "thermal zones: {}; throttling: {throttling}; disks that tell their wear: {}",
        temperatures.len(),
        wear.len()
    )
}
