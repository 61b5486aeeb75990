//! A download or an upload: some streams at once, sampled until the speed has settled, or until time or data are used up.

mod allowance;
mod download;
mod progress;
mod scaler;
mod speed;
mod stream;
mod upload;

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};

use self::{
    allowance::Allowance,
    scaler::StreamScaler,
    speed::{Sample, Speed},
    stream::{Ended, TransferState},
};
pub(crate) use self::{progress::Progress, stream::Direction};
use super::{error::MeasureError, sources::Servers};

/// With less than this for each, there are fewer streams, in bytes.
pub(crate) const MIN_PER_STREAM: u64 = 1_000_000;

/// A curve would show the speed of less as 0, in bytes.
const MIN_MEASURED: u64 = 64 << 10;

/// What a transfer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes: u64,
    pub(crate) streams: usize,
    pub(crate) until: Instant,
}

/// What a transfer came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Moved {
    pub(crate) mbit_s: f64,
    /// All payload of the transfer.
    pub(crate) bytes: u64,
    /// From its first byte to its last.
    pub(crate) seconds: f64,
    /// What it was measured over: ramp-up excluded.
    pub(crate) measured_seconds: f64,
    pub(crate) streams: usize,
    /// Whether the speed had settled.
    pub(crate) stable: bool,
}

/// Moves data until the speed is known.
///
/// # Errors
/// When nothing could be measured.
pub(crate) async fn transfer(
    servers: &Servers<'_>,
    direction: Direction,
    bounds: Bounds,
    progress: &Progress,
) -> Result<Moved, MeasureError> {
    let most = usize::try_from(bounds.bytes / MIN_PER_STREAM).unwrap_or(usize::MAX);
    let streams = bounds.streams.min(most).max(1);
    let shared = TransferState {
        servers,
        direction,
        allowance: Allowance::new(bounds.bytes, streams),
        moved: Cell::new(0),
        began: Cell::new(None),
        taken: Notify::new(),
        uploads: Cell::new(0),
        failures: Cell::new(0),
        endless: Cell::new(false),
        error: RefCell::default(),
        streams,
        until: bounds.until,
    };
    let Watch { samples, streams, joined, .. } = watch(&shared, bounds.until, progress).await?;
    if direction == Direction::Up && shared.uploads.get() == 0 {
        return Err(MeasureError::Other("no upload was taken to its end in time, so its speed is not known".into()));
    }
    let Some(Speed { mbit_s, time, stable }) = speed::speed(&samples, joined) else {
        return Err(MeasureError::Other("too little was transferred to measure a speed".into()));
    };
    let last = samples.last().copied().unwrap_or(Sample { at: Duration::ZERO, bytes: 0 });
    if last.bytes < MIN_MEASURED {
        let what =
            format!("only {} bytes came in {:.0} s, too few to measure a speed", last.bytes, last.at.as_secs_f64());
        return Err(MeasureError::Other(what));
    }
    Ok(Moved {
        mbit_s,
        bytes: last.bytes,
        seconds: last.at.as_secs_f64(),
        measured_seconds: time.as_secs_f64(),
        streams,
        stable,
    })
}

/// Runs the streams and watches how much they move; all of them end with this.
async fn watch(shared: &TransferState<'_>, until: Instant, progress: &Progress) -> Result<Watch, MeasureError> {
    let mut scaler = StreamScaler::new(shared.streams, shared.direction);
    let mut running: FuturesUnordered<_> = std::iter::once(shared.stream(0)).collect();
    let mut watch = Watch::new();
    let mut ticks = interval(speed::EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wanted = tokio::select! {
            _ = ticks.tick() => {
                let quiet = watch.sample(shared);
                let (over, silent) = (Instant::now() >= until, quiet >= shared.silence() || watch.samples.is_empty());
                if quiet >= shared.stall_timeout() || (over && silent) {
                    let silent = MeasureError::Silent { host: shared.servers.host(), after: quiet };
                    // A server that is asked again and again is silent because of what was wrong the last time.
                    return Err(shared.error.take().unwrap_or(silent));
                }
                if over || (!silent && watch.is_stable()) {
                    return Ok(watch);
                }
                progress.show(shared.direction, &watch.samples, until);
                scaler.wanted(&watch.samples, quiet)
            }
            () = shared.taken.notified() => scaler.wanted_after_upload(shared.elapsed()),
            Some(ended) = running.next() => match ended {
                Ended::Dry => {
                    watch.sample(shared);
                    return Ok(watch);
                }
                Ended::Failed(error) if running.is_empty() => return Err(error),
                Ended::Failed(_) => watch.streams,
            },
        };
        if wanted > watch.streams {
            running.extend((watch.streams..wanted).map(|index| shared.stream(index)));
            (watch.streams, watch.joined) = (wanted, shared.elapsed());
        }
    }
}

/// What is seen of a transfer.
struct Watch {
    samples: Vec<Sample>,
    /// When the latest bytes came.
    latest: Instant,
    streams: usize,
    /// When the last of them joined, since the first byte.
    joined: Duration,
}

impl Watch {
    fn new() -> Self {
        Self { samples: Vec::new(), latest: Instant::now(), streams: 1, joined: Duration::ZERO }
    }

    /// Takes a sample; for how long nothing has come.
    fn sample(&mut self, shared: &TransferState<'_>) -> Duration {
        let (now, bytes) = (Instant::now(), shared.moved.get());
        if let Some(began) = shared.began.get() {
            if self.samples.is_empty() {
                self.samples.push(Sample { at: Duration::ZERO, bytes: 0 });
            }
            if self.samples.last().is_some_and(|last| last.bytes < bytes) {
                self.latest = now;
            }
            self.samples.push(Sample { at: now - began, bytes });
        }
        now - self.latest
    }

    fn is_stable(&self) -> bool {
        speed::speed(&self.samples, self.joined).is_some_and(|speed| speed.stable)
    }
}
