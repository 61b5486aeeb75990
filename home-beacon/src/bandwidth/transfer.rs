//! A download or an upload: some streams at once, sampled until the speed has settled, or until time or data are used up.

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

use super::{
    allowance::Allowance,
    crew::Crew,
    progress::Progress,
    source::Servers,
    speed::{self, Sample, Speed},
    stream::{Direction, Ended, Shared},
    trouble::Trouble,
};

/// With less than this for each, there are fewer streams.
pub(super) const LEAST_EACH: u64 = 1_000_000;

/// A curve would show the speed of less as 0.
const LEAST_TOLD: u64 = 64 << 10;

/// What a transfer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) bytes: u64,
    pub(super) streams: usize,
    pub(super) until: Instant,
}

/// What a transfer came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Moved {
    pub(super) mbit_s: f64,
    /// All payload of the transfer.
    pub(super) bytes: u64,
    /// From its first byte to its last.
    pub(super) seconds: f64,
    /// What it was measured over: ramp-up excluded.
    pub(super) measured_seconds: f64,
    pub(super) streams: usize,
    /// Whether the speed had settled.
    pub(super) stable: bool,
}

/// Moves data until the speed is known.
///
/// # Errors
/// When nothing could be measured.
pub(super) async fn transfer(
    servers: &Servers<'_>,
    direction: Direction,
    bounds: Bounds,
    progress: &Progress,
) -> Result<Moved, Trouble> {
    let most = usize::try_from(bounds.bytes / LEAST_EACH).unwrap_or(usize::MAX);
    let streams = bounds.streams.min(most).max(1);
    let shared = Shared {
        servers,
        direction,
        allowance: Allowance::new(bounds.bytes, streams),
        moved: Cell::new(0),
        began: Cell::new(None),
        taken: Notify::new(),
        uploads: Cell::new(0),
        failures: Cell::new(0),
        endless: Cell::new(false),
        trouble: RefCell::default(),
        streams,
        until: bounds.until,
    };
    let Watch { samples, streams, joined, .. } = watch(&shared, bounds.until, progress).await?;
    if direction == Direction::Up && shared.uploads.get() == 0 {
        return Err(Trouble::Other("no upload was taken to its end in time, so its speed is not known".into()));
    }
    let Some(Speed { mbit_s, time, stable }) = speed::speed(&samples, joined) else {
        return Err(Trouble::Other("too little was transferred to tell a speed".into()));
    };
    let last = samples.last().copied().unwrap_or(Sample { at: Duration::ZERO, bytes: 0 });
    if last.bytes < LEAST_TOLD {
        let what = format!("only {} bytes came in {:.0} s, too few to tell a speed", last.bytes, last.at.as_secs_f64());
        return Err(Trouble::Other(what));
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
async fn watch(shared: &Shared<'_>, until: Instant, progress: &Progress) -> Result<Watch, Trouble> {
    let mut crew = Crew::new(shared.streams, shared.direction);
    let mut running: FuturesUnordered<_> = std::iter::once(shared.stream(0)).collect();
    let mut watch = Watch::new();
    let mut ticks = interval(speed::EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wanted = tokio::select! {
            _ = ticks.tick() => {
                let quiet = watch.look(shared);
                let (over, silent) = (Instant::now() >= until, quiet >= shared.silence() || watch.samples.is_empty());
                if quiet >= shared.patience() || (over && silent) {
                    let silent = Trouble::Silent { host: shared.servers.host(), after: quiet };
                    // Who is asked again and again is silent because of what was wrong the last time.
                    return Err(shared.trouble.take().unwrap_or(silent));
                }
                if over || (!silent && watch.is_stable()) {
                    return Ok(watch);
                }
                progress.show(shared.direction, &watch.samples, until);
                crew.wanted(&watch.samples, quiet)
            }
            () = shared.taken.notified() => crew.wanted_after_upload(shared.elapsed()),
            Some(ended) = running.next() => match ended {
                Ended::Dry => {
                    watch.look(shared);
                    return Ok(watch);
                }
                Ended::Failed(trouble) if running.is_empty() => return Err(trouble),
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
    fn look(&mut self, shared: &Shared<'_>) -> Duration {
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
