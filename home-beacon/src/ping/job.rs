//! One run: all targets at once, a sample at a time, and the readings that come of them.
//!
//! - `near`: what is on the way to them

mod near;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use checks::icmp::{Echo, Sample, Why, connect, loss, summary};
use futures_util::future::join_all;
use jiff::Timestamp;
use shared::{message::JobFault, settings::WrongSetting};
use tokio::time::{Instant, sleep_until};

use super::{
    Method, PingSettings, Target,
    names::{self, Found},
    settings::SAMPLE_TIMEOUT,
};
use crate::{
    job::{
        context::Context,
        destination::{Destination, HANDING_OVER},
        line_use::{self, LineUse},
        run::{RunReport, run},
    },
    reading::{Mark, MetricName, Outcome, Reading},
};

/// How long the keeper may take to say whether a bandwidth test runs: handing over matters more.
const LINE_USE_TIMEOUT: Duration = Duration::from_secs(4);

struct Ping<'a> {
    settings: &'a PingSettings,
    context: Context,
}

/// Runs as the settings say; with `--every` until `stop`.
///
/// # Errors
/// When they cannot work.
pub async fn command(settings: &PingSettings, stop: impl Future<Output = ()>) -> Result<ExitCode, WrongSetting> {
    let context = Context::prepare(settings)?;
    if let Some(code) = context.check(settings, async { Vec::new() }).await {
        return Ok(code);
    }
    let ping = Ping { settings, context };
    Ok(run(&settings.run, settings.deadline, stop, async |until| ping.once(until).await).await)
}

/// The first target's readings have the plain name, so that a curve goes on when another target takes its place.
fn metric(name: &str, index: usize, target: &Target) -> MetricName {
    // A target's name has no character that a metric's may not have, and is short enough.
    MetricName::ours(&if index > 0 { format!("{name}:{target}") } else { name.to_owned() })
}

impl Ping<'_> {
    async fn once(&self, until: Instant) -> RunReport {
        let mut report = RunReport::new(Timestamp::now(), &self.settings.run);
        let measuring = join_all(
            self.settings.target_host.iter().enumerate().map(|(index, target)| self.measure(index, target, until)),
        );
        let measuring = async { tokio::join!(measuring, self.near(until)) };
        tokio::pin!(measuring);
        // A person who watches learns while it measures, not only after, that the keeper is not there.
        let (measured, near) = tokio::select! {
            biased;
            measured = &mut measuring => measured,
            () = self.call_keeper() => measuring.await,
        };
        for (readings, said) in measured {
            report.readings.extend(readings);
            let is_not_allowed = said.contains(JobFault::NoIcmp.words());
            report.say(said);
            if is_not_allowed {
                report.say(JobFault::NoIcmp.more());
            }
        }
        let is_there = report.readings.iter().any(|reading| matches!(reading.outcome, Outcome::Value(_)));
        for (readings, said) in near.into_iter().chain(self.first_hop(is_there, until).await) {
            report.readings.extend(readings);
            report.say(said);
        }
        if self.tested_since(report.at, until).await {
            report.readings.iter_mut().for_each(|reading| reading.mark = Some(Mark::BandwidthTest));
            report.say("a bandwidth test was under way, so this is marked");
        }
        report.hand_over(&self.context.destination, until).await;
        report
    }

    /// Calls the keeper, whose client logs where it cannot be reached.
    async fn call_keeper(&self) {
        if let Destination::Keeper(keeper) = &self.context.destination {
            let _ = keeper.state(line_use::STATE).await;
        }
    }

    /// Whether a bandwidth test filled the line meanwhile. Where that cannot be learned, it counts as no.
    async fn tested_since(&self, start: Timestamp, until: Instant) -> bool {
        let soon = until.min(Instant::now() + LINE_USE_TIMEOUT);
        let loaded = self.context.memory.load::<LineUse>(line_use::STATE, soon).await;
        let loaded = loaded.inspect_err(|error| tracing::warn!("whether a bandwidth test runs is not known: {error}"));
        let line_use = loaded.ok().and_then(|loaded| loaded.state);
        line_use.is_some_and(|line_use| line_use.tested_between(start, Timestamp::now()))
    }

    /// The readings of one target, and what to say of them.
    async fn measure(&self, index: usize, target: &Target, until: Instant) -> (Vec<Reading>, String) {
        let at = Timestamp::now();
        let reading = |name, outcome| {
            let mut reading = Reading::new(metric(name, index, target), at, outcome);
            reading.target = Some(target.to_string());
            reading
        };
        let resolved_by = until - HANDING_OVER - self.settings.sampling() - self.settings.way_time();
        let found = match names::resolve(target.as_str(), self.settings.ip_version, resolved_by).await {
            Ok(found) => found,
            Err(why) => {
                let said = format!("{target}: {why}");
                return (["ping", "resolve"].map(|name| reading(name, Outcome::Failure(why.clone()))).into(), said);
            }
        };
        let resolve = found.took.map(|took| reading("resolve", Outcome::Value(took.as_secs_f64() * 1e3)));
        let taken = match self.sample(found.address).await {
            Ok(taken) => taken,
            Err(why) => {
                let failed = reading("ping", Outcome::Failure(why.clone()));
                return (std::iter::once(failed).chain(resolve).collect(), format!("{target}: {why}"));
            }
        };
        let (loss, method) = (loss(&taken.samples), taken.method);
        let why = taken.why.map(|why| format!(" ({why})")).unwrap_or_default();
        let (mut ping, said) = match summary(&taken.samples) {
            None => {
                let why = format!("none of {} answers came{why}", taken.samples.len());
                (reading("ping", Outcome::Failure(why.clone())), format!("{target}: {why} ({method})"))
            }
            Some(sum) => {
                let mut ping = reading("ping", Outcome::Value(sum.average));
                (ping.min, ping.max, ping.jitter) = (Some(sum.min), Some(sum.max), sum.jitter);
                (ping, format!("{target}: {sum}, {loss:.0} % lost{why} ({method})"))
            }
        };
        ping.loss = Some(loss);
        ping.method = Some(method);
        (std::iter::once(ping).chain(resolve).collect(), with_address(said, found))
    }

    /// Takes all samples of one address.
    ///
    /// # Errors
    /// When it is our own doing that none could be taken, in words.
    async fn sample(&self, address: IpAddr) -> Result<Taken, String> {
        let echo = match (self.settings.method, Echo::open(address)) {
            (Method::Tcp, _) => None,
            (_, Ok(echo)) => Some(echo),
            (Method::Auto, Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => None,
            (_, Err(error)) => return Err(not_allowed(&error)),
        };
        let method = match &echo {
            Some(echo) => echo.method().to_owned(),
            None => format!("tcp:{}", self.settings.tcp_port),
        };
        let start = Instant::now();
        let samples = (0..self.settings.count).map(|sequence| {
            let echo = echo.as_ref();
            async move {
                sleep_until(start + self.settings.interval * u32::from(sequence)).await;
                match echo {
                    Some(echo) => echo.sample(sequence, SAMPLE_TIMEOUT).await,
                    None => connect::sample(SocketAddr::new(address, self.settings.tcp_port), SAMPLE_TIMEOUT).await,
                }
            }
        });
        let mut taken = Taken { samples: Vec::with_capacity(self.settings.count.into()), method, why: None };
        let mut first_error = None;
        for sample in join_all(samples).await {
            taken.samples.push(match sample {
                Ok(Sample::Answered(time)) => Some(time),
                Ok(Sample::Lost(why)) => {
                    taken.why = taken.why.or(why);
                    None
                }
                // What could not be sent never arrived either.
                Err(error) => {
                    first_error.get_or_insert(error);
                    None
                }
            });
        }
        match first_error {
            Some(error) if taken.why.is_none() && taken.samples.iter().all(Option::is_none) => {
                Err(format!("nothing could be sent to {address} ({error})"))
            }
            _ => Ok(taken),
        }
    }
}

/// The samples of one address.
struct Taken {
    samples: Vec<Option<Duration>>,
    /// How they were taken.
    method: String,
    /// Why the first was lost of which that is known.
    why: Option<Why>,
}

fn with_address(said: String, found: Found) -> String {
    match found.took {
        Some(took) => format!("{said}; {} was found in {:.1} ms", found.address, took.as_secs_f64() * 1e3),
        None => said,
    }
}

fn not_allowed(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::PermissionDenied {
        JobFault::NoIcmp.words().into()
    } else {
        format!("ICMP cannot be sent ({error})")
    }
}
