//! One measurement: latency of the idle line, download with the latency under it, upload; and where a source
//! fails, the next one.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::message::JobFault;
use tokio::time::Instant;

use super::{
    BandwidthSettings, Choice,
    budget::amount,
    connection::{Dialer, Meter, host},
    error::MeasureError,
    latency::{Latency, median},
    sources::{Fast, Servers, Source},
    transfer::{Bounds, Direction, MIN_PER_STREAM, Moved, Progress, transfer},
};

/// What is kept for the latency under load, in bytes.
const FOR_LATENCY: u64 = 16 << 10;

/// A transfer with less time than this is not begun.
const MIN_TIME: Duration = Duration::from_secs(1);

/// What a measurement came to. Whatever has no value has a reason.
#[derive(Debug)]
pub(super) struct Measured {
    /// The source's name, and the server's host where one was found.
    pub(super) method: String,
    pub(super) target: Option<String>,
    down: Result<Moved, String>,
    /// What to do where nothing was measured.
    fault: Option<JobFault>,
    up: Option<Result<Moved, String>>,
    /// In ms.
    idle: Result<f64, String>,
    loaded: Result<f64, String>,
    isp: Option<String>,
    location: Option<String>,
    /// Sources that failed before this one, and why.
    failed_sources: Vec<(String, String)>,
    /// Bytes that passed the sockets, and that were allowed to.
    used: u64,
    allowance: u64,
}

impl Measured {
    fn failed(source: &Source, why: &str, fault: JobFault) -> Self {
        Self {
            method: source.method(),
            target: None,
            down: Err(why.to_owned()),
            fault: Some(fault),
            up: None,
            idle: Err(why.to_owned()),
            loaded: Err(why.to_owned()),
            isp: None,
            location: None,
            failed_sources: Vec::new(),
            used: 0,
            allowance: 0,
        }
    }

    /// Each reading's metric and its value or reason.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'static str, Result<f64, &String>)> {
        let speed = |moved: &'_ Moved| moved.mbit_s;
        let up = self.up.as_ref().map(|up| ("upload", up.as_ref().map(speed)));
        std::iter::once(("bandwidth", self.down.as_ref().map(speed)))
            .chain(up)
            .chain([("latency_idle", self.idle.as_ref().copied()), ("latency_loaded", self.loaded.as_ref().copied())])
    }

    /// The result as lines of text.
    pub(super) fn said(&self) -> Vec<String> {
        let from = self.target.as_deref().unwrap_or(&self.method);
        let way = |name: &str, moved: &Result<Moved, String>| match moved {
            Err(why) => format!("{name}: not measured: {why}"),
            Ok(moved) => format!(
                "{name}: {:.2} Mbit/s ({}, {from}; {} over {} in {:.1} s{})",
                moved.mbit_s,
                self.method,
                amount(moved.bytes),
                if moved.streams == 1 { "1 stream".into() } else { format!("{} streams", moved.streams) },
                moved.seconds,
                if moved.stable { "" } else { ", not settled" },
            ),
        };
        let fell =
            self.failed_sources.iter().map(|(source, why)| format!("{source} was left for another source: {why}"));
        let mut said: Vec<String> = fell.chain([way("download", &self.down)]).collect();
        said.extend(self.up.as_ref().map(|up| way("upload", up)));
        if self.down.is_ok() {
            let latency =
                |time: &Result<f64, String>| time.as_ref().map_or_else(Clone::clone, |ms| format!("{ms:.1} ms"));
            said.push(format!("latency: idle {}, under load {}", latency(&self.idle), latency(&self.loaded)));
        }
        said.extend(self.fault.map(JobFault::more));
        said.push(format!("data: {} used, of {} that this run may use", amount(self.used), amount(self.allowance)));
        said
    }

    /// The result as JSON: `details` of the run's report.
    pub(super) fn details(&self) -> Value {
        let failed = self.failed_sources.iter().map(|(source, why)| json!({"source": source, "trouble": why}));
        json!({
            "source": self.method,
            "server": self.target,
            "down": self.down.as_ref().ok(),
            "up": self.up.as_ref().and_then(|up| up.as_ref().ok()),
            "isp": self.isp,
            "location": self.location,
            "bytes_used": self.used,
            "bytes_allowed": self.allowance,
            "troubles": failed.collect::<Vec<_>>(),
        })
    }
}

/// Measures with at most so many bytes, until `end`.
pub(super) async fn measure(
    settings: &BandwidthSettings,
    allowance: u64,
    meter: &Arc<Meter>,
    end: Instant,
) -> Measured {
    let fast = || Source::Fast(Fast::new(&settings.fast_url));
    let cloudflare = || Source::Cloudflare(settings.cloudflare_url.clone());
    let sources = match &settings.source {
        Choice::Auto => vec![fast(), cloudflare()],
        Choice::Fast => vec![fast()],
        Choice::Cloudflare => vec![cloudflare()],
        Choice::File(url) => vec![Source::File(url.clone())],
    };
    let attempt = Attempt { settings, allowance, meter, end };
    let mut failed_sources = Vec::new();
    let mut measured = None;
    for source in &sources {
        let this = attempt.measure(source).await;
        if let Some(before) = measured.replace(this) {
            failed_sources.extend(before.down.err().map(|why| (before.method, why)));
        }
        if measured.as_ref().is_some_and(|measured| measured.down.is_ok()) {
            break;
        }
    }
    // There is at least one source.
    let mut measured =
        measured.unwrap_or_else(|| Measured::failed(&sources[0], "there is no source", JobFault::NotMeasured));
    if let Err(why) = &mut measured.down {
        // No source is left: why each of them failed is reported.
        *why = failed_sources.iter().map(|(_, why)| why.as_str()).chain([why.as_str()]).collect::<Vec<_>>().join("; ");
        failed_sources.clear();
    }
    Measured { failed_sources, used: meter.total(), allowance, ..measured }
}

struct Attempt<'a> {
    settings: &'a BandwidthSettings,
    allowance: u64,
    meter: &'a Arc<Meter>,
    end: Instant,
}

impl Attempt<'_> {
    async fn measure(&self, source: &Source) -> Measured {
        let dialer = Dialer::new(Arc::clone(self.meter), self.allowance);
        match source.find(&dialer, self.end).await {
            Ok(servers) => self.measure_against(&servers).await,
            Err(error) => {
                let mut failed = Measured::failed(source, &error.to_string(), error.fault());
                failed.up = self.settings.upload.then(|| Err(error.to_string()));
                failed
            }
        }
    }

    async fn measure_against(&self, servers: &Servers<'_>) -> Measured {
        let mut latency = Latency::new(servers, self.end);
        let progress = Progress::new(!self.settings.run.json && self.settings.run.every.is_none());
        let idle = latency.idle().await;
        let mut times = Vec::new();
        // Where an upload follows, a quarter is kept for it.
        let share = if self.settings.upload { self.allowance - self.allowance / 4 } else { self.allowance };
        let down = tokio::select! {
            down = self.transfer(servers, Direction::Down, share, &progress) => down,
            never = latency.under_load(&mut times) => match never {},
        };
        let up = match &down {
            _ if !self.settings.upload => None,
            Ok(_) => Some(self.transfer(servers, Direction::Up, self.allowance, &progress).await),
            Err(error) => Some(Err(error.clone())),
        };
        let text = |error: MeasureError| error.to_string();
        let fault = down.as_ref().err().map(MeasureError::fault);
        let loaded = median(&mut times).ok_or_else(|| match &down {
            Ok(_) => "the download was over before it could be taken".to_owned(),
            Err(error) => error.to_string(),
        });
        Measured {
            method: servers.source.method(),
            target: servers.found.urls.first().map(host),
            down: down.map_err(text),
            fault,
            up: up.map(|up| up.map_err(text)),
            idle: idle.map_err(text),
            loaded,
            isp: servers.found.isp.clone(),
            location: servers.found.location.clone().or(latency.location),
            failed_sources: Vec::new(),
            used: 0,
            allowance: 0,
        }
    }

    /// A transfer within `share` of the run's bytes, those included that have passed already.
    async fn transfer(
        &self,
        servers: &Servers<'_>,
        direction: Direction,
        share: u64,
        progress: &Progress,
    ) -> Result<Moved, MeasureError> {
        let bytes = share.saturating_sub(self.meter.total() + FOR_LATENCY);
        // A run of the least allowance still has its one piece.
        if bytes < MIN_PER_STREAM / 2 {
            return Err(MeasureError::spent());
        }
        let until = self.end.min(Instant::now() + self.settings.max_seconds);
        if until < Instant::now() + MIN_TIME {
            return Err(MeasureError::Other("no time is left of this run's DEADLINE".into()));
        }
        let bounds = Bounds { bytes, streams: self.settings.streams.into(), until };
        let moved = transfer(servers, direction, bounds, progress).await;
        progress.clear();
        moved
    }
}
