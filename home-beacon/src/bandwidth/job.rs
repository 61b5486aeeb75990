//! The job: what a run may use, the measurement, and what becomes of both.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use shared::settings::WrongSetting;
use tokio::time::Instant;

use super::{
    BandwidthSettings, budget,
    connection::Meter,
    measure::{Measured, measure},
};
use crate::{
    job::{
        context::Context,
        destination::HANDING_OVER,
        line_use::{LineUse, STATE},
        memory::{Loaded, MemoryError, Version},
        run::{RunReport, RunStatus, run},
    },
    reading::{MetricName, Outcome, Reading},
};

/// How long the memory may take to be read, and to be changed afterwards.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(5);

struct Bandwidth<'a> {
    settings: &'a BandwidthSettings,
    context: Context,
    /// What is remembered while a run is under way.
    reserved: Mutex<Option<Reserved>>,
}

/// A share of the budget, until the real figures are known.
#[derive(Clone)]
struct Reserved {
    line_use: LineUse,
    version: Version,
    bytes: u64,
    meter: Arc<Meter>,
}

/// What a run may do.
enum Plan {
    Measure(u64),
    /// It is left out; why.
    Skip(String),
    /// It is not known; why.
    Unknown(String),
}

/// Runs as the settings say; with `--every` until `stop`.
///
/// # Errors
/// When they cannot work.
pub async fn command(settings: &BandwidthSettings, stop: impl Future<Output = ()>) -> Result<ExitCode, WrongSetting> {
    let context = Context::prepare(settings)?;
    if let Some(code) = context.check(settings, async { Vec::new() }).await {
        return Ok(code);
    }
    let bandwidth = Bandwidth { settings, context, reserved: Mutex::default() };
    let code = run(&settings.run, settings.deadline, stop, async |until| bandwidth.once(until).await).await;
    // A run that a signal ended has left its reservation behind.
    bandwidth.settle(Instant::now() + MEMORY_TIMEOUT).await;
    Ok(code)
}

impl Bandwidth<'_> {
    async fn once(&self, until: Instant) -> RunReport {
        // A run that was cut off has left its reservation behind.
        self.settle(Instant::now() + MEMORY_TIMEOUT).await;
        let mut report = RunReport::new(Timestamp::now(), &self.settings.run);
        let meter = Arc::default();
        match self.plan(report.at, until, &meter).await {
            Plan::Unknown(why) => {
                report.ending = RunStatus::NotDone;
                report.say(format!("nothing was measured, because what past runs used is not known: {why}"));
                self.settle(Instant::now() + MEMORY_TIMEOUT).await;
                return report;
            }
            Plan::Skip(why) => {
                report.readings = self.skipped(report.at, &why);
                report.say(why);
            }
            Plan::Measure(bytes) => {
                let end = until - HANDING_OVER;
                let measured = measure(self.settings, bytes, &meter, end).await;
                if let Some(why) = self.settle(until - HANDING_OVER / 2).await {
                    report.say(format!(
                        "the whole allowance stays counted, because what was used is not remembered: {why}"
                    ));
                }
                add(&measured, &mut report);
            }
        }
        self.hand_over(&mut report, until).await;
        report
    }

    /// Hands over. Without a keeper a failure is recorded nowhere, so the exit code shows it.
    async fn hand_over(&self, report: &mut RunReport, until: Instant) {
        report.hand_over(&self.context.destination, until).await;
        let wanted = |reading: &Reading| matches!(reading.metric.as_str(), "bandwidth" | "upload");
        let failed = |reading: &Reading| wanted(reading) && matches!(reading.outcome, Outcome::Failure(_));
        let recorded = self.settings.keeper.keeper_url.is_some() && !self.settings.run.dry_run;
        if report.ending == RunStatus::Done && !recorded && report.readings.iter().any(failed) {
            report.ending = RunStatus::NotRecorded;
        }
    }

    /// What the run may use. Where runs are remembered, all of that counts as used from now on.
    async fn plan(&self, now: Timestamp, until: Instant, meter: &Arc<Meter>) -> Plan {
        let settings = self.settings;
        if self.context.memory.is_nowhere() {
            return Plan::Measure(settings.cap());
        }
        // A pod that has just been started may have to wait until the keeper's network lets it in.
        let timeout = MEMORY_TIMEOUT.max(settings.spare());
        let (line_use, version) = match self.context.memory.load::<LineUse>(STATE, Instant::now() + timeout).await {
            Ok(Loaded { state, version }) => (state.unwrap_or_default(), version),
            Err(error) => return Plan::Unknown(error.to_string()),
        };
        if budget::is_behind(&line_use, now) {
            tracing::warn!(month = line_use.month, "the clock is behind what is remembered, so the data counts there");
        }
        let limits = budget::Limits {
            max_bytes: settings.cap(),
            data_budget: settings.budget(),
            runs_per_day: settings.runs_per_day(),
        };
        let bytes = match budget::allowance(&line_use, now, &limits) {
            Ok(bytes) => bytes,
            Err(why) => return Plan::Skip(why),
        };
        if settings.run.dry_run {
            return Plan::Measure(bytes);
        }
        let left = (until - HANDING_OVER).saturating_duration_since(Instant::now());
        let latest = now.saturating_add(SignedDuration::try_from(left).unwrap_or_default()).unwrap_or(now);
        let known = LineUse { budget: Some(limits.data_budget), ..line_use };
        let line_use = budget::reserve(&known, bytes, now, latest);
        // From the first attempt on: it may be stored although the answer was lost.
        let reserved =
            Reserved { line_use: line_use.clone(), version: version.clone(), bytes, meter: Arc::clone(meter) };
        *self.reserved() = Some(reserved);
        match self.context.memory.replace(STATE, &version, &line_use, Instant::now() + MEMORY_TIMEOUT).await {
            Ok(version) => {
                self.reserved().iter_mut().for_each(|reserved| reserved.version = version.clone());
                Plan::Measure(bytes)
            }
            Err(MemoryError::Changed) => {
                *self.reserved() = None;
                Plan::Skip("left out: another test has taken the line just now".into())
            }
            Err(MemoryError::Unavailable(why)) => Plan::Unknown(why),
        }
    }

    /// Puts the real figures in the place of those reserved; why not, in words, where that fails.
    async fn settle(&self, until: Instant) -> Option<String> {
        let Reserved { line_use, version, bytes, meter } = self.reserved().clone()?;
        let settled = budget::settle(&line_use, bytes, meter.total(), Timestamp::now());
        let mut stored = self.context.memory.replace(STATE, &version, &settled, until).await;
        if let Err(MemoryError::Changed) = stored {
            // Perhaps it was our own reservation, whose answer was lost.
            stored = match self.context.memory.load::<LineUse>(STATE, until).await {
                Ok(Loaded { state: Some(state), version }) if state == line_use => {
                    self.context.memory.replace(STATE, &version, &settled, until).await
                }
                Ok(_) => Err(MemoryError::Changed),
                Err(error) => Err(error),
            };
        }
        // Whatever came of it: it is not tried again.
        *self.reserved() = None;
        stored.err().map(|error| {
            tracing::warn!("what was used is not remembered, so the whole allowance stays counted: {error}");
            error.to_string()
        })
    }

    fn reserved(&self) -> MutexGuard<'_, Option<Reserved>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn skipped(&self, at: Timestamp, why: &str) -> Vec<Reading> {
        let names = if self.settings.upload { &["bandwidth", "upload"][..] } else { &["bandwidth"] };
        names.iter().map(|name| Reading::new(MetricName::ours(name), at, Outcome::Skipped(why.to_owned()))).collect()
    }
}

/// Adds what was measured, as readings and for a person.
fn add(measured: &Measured, report: &mut RunReport) {
    for (name, result) in measured.values() {
        let outcome = match result {
            Ok(value) => Outcome::Value(value),
            Err(why) => Outcome::Failure(why.clone()),
        };
        let mut reading = Reading::new(MetricName::ours(name), report.at, outcome);
        reading.method = Some(measured.method.clone());
        reading.target.clone_from(&measured.target);
        report.readings.push(reading);
    }
    measured.said().into_iter().for_each(|line| report.say(line));
    report.details = measured.details();
}
