//! The job: what a run may use, the measurement, and what becomes of both.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use shared::settings::{Settings, WrongSetting};
use tokio::time::Instant;

use super::{
    BandwidthSettings, budget,
    measure::{Measured, measure},
    meter::Meter,
    record::{JOB, Record},
};
use crate::{
    job::{
        destination::{Destination, Feed, HANDING_OVER},
        memory::{Forgotten, Memory, Recalled, Version},
        run::{Ending, Told, check, run},
    },
    reading::{Field, Metric, Outcome, Reading},
};

/// How long what is remembered may take to be had, and to be changed afterwards.
const REMEMBERING: Duration = Duration::from_secs(5);

struct Bandwidth<'a> {
    settings: &'a BandwidthSettings,
    destination: Destination,
    memory: Memory,
    /// What is remembered while a run is under way.
    reserved: Mutex<Option<Reserved>>,
}

/// A share of the budget, until the real figures are known.
#[derive(Clone)]
struct Reserved {
    record: Record,
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

/// Runs as the settings say.
///
/// # Errors
/// When they cannot work.
pub async fn command(settings: &BandwidthSettings) -> Result<ExitCode, WrongSetting> {
    settings.look()?;
    let keeper = Destination::keeper(&settings.keeper)?;
    let memory = Memory::new(keeper.clone(), settings.keeper.state_dir.clone());
    let destination = Destination::choose(&settings.run, keeper, &settings.statuspage, feeds(settings))?;
    settings.warn();
    if settings.run.check {
        let (run, told) = (&settings.run, destination.told());
        return Ok(
            check::<BandwidthSettings>(run, &settings.keeper, &destination, JOB, told, async { Vec::new() }).await
        );
    }
    BandwidthSettings::warn_of_doubts(&settings.keeper.doubts());
    let bandwidth = Bandwidth { settings, destination, memory, reserved: Mutex::default() };
    let code = run(&settings.run, settings.deadline, async |until| bandwidth.once(until).await).await;
    // A run that a signal ended has left its reservation behind.
    bandwidth.settle(Instant::now() + REMEMBERING).await;
    Ok(code)
}

fn feeds(settings: &BandwidthSettings) -> Vec<Feed> {
    let ids = [("bandwidth", &settings.statuspage.metric_id), ("upload", &settings.metric_id_upload)];
    let feed = |(name, id): (_, &Option<_>)| Some(Feed { metric: metric(name), field: Field::Value, id: id.clone()? });
    ids.into_iter().filter_map(feed).collect()
}

fn metric(name: &str) -> Metric {
    name.parse().unwrap_or_else(|_| unreachable!("{name} names a metric"))
}

impl Bandwidth<'_> {
    async fn once(&self, until: Instant) -> Told {
        // A run that was cut off has left its reservation behind.
        self.settle(Instant::now() + REMEMBERING).await;
        let mut told = Told::new(Timestamp::now(), &self.settings.run);
        let meter = Arc::default();
        match self.plan(told.at, until, &meter).await {
            Plan::Unknown(why) => {
                told.ending = Ending::NotDone;
                told.say(format!("nothing was measured, because what past runs used is not known: {why}"));
                self.settle(Instant::now() + REMEMBERING).await;
                return told;
            }
            Plan::Skip(why) => {
                told.readings = self.skipped(told.at, &why);
                told.say(why);
            }
            Plan::Measure(bytes) => {
                let end = until - HANDING_OVER;
                let measured = measure(self.settings, bytes, &meter, end).await;
                if let Some(why) = self.settle(until - HANDING_OVER / 2).await {
                    told.say(format!(
                        "the whole allowance stays counted, because what was used is not remembered: {why}"
                    ));
                }
                tell(&mut told, &measured);
            }
        }
        self.hand_over(&mut told, until).await;
        told
    }

    /// Hands over. Without a keeper nobody records a failure, so the exit code tells it.
    async fn hand_over(&self, told: &mut Told, until: Instant) {
        told.hand_over(&self.destination, until).await;
        let wanted = |reading: &Reading| matches!(reading.metric.as_str(), "bandwidth" | "upload");
        let failed = |reading: &Reading| wanted(reading) && matches!(reading.outcome, Outcome::Failure(_));
        let recorded = self.settings.keeper.keeper_url.is_some() && !self.settings.run.dry_run;
        if told.ending == Ending::Done && !recorded && told.readings.iter().any(failed) {
            told.ending = Ending::NotRecorded;
        }
    }

    /// What the run may use. Where runs are remembered, all of that counts as used from now on.
    async fn plan(&self, now: Timestamp, until: Instant, meter: &Arc<Meter>) -> Plan {
        let settings = self.settings;
        if self.memory.is_nowhere() {
            return Plan::Measure(settings.cap());
        }
        // A pod that has just been started may have to wait until the keeper's network lets it in.
        let patience = REMEMBERING.max(settings.spare());
        let (record, version) = match self.memory.recall::<Record>(JOB, Instant::now() + patience).await {
            Ok(Recalled { state, version }) => (state.unwrap_or_default(), version),
            Err(forgotten) => return Plan::Unknown(forgotten.to_string()),
        };
        if budget::is_behind(&record, now) {
            tracing::warn!(month = record.month, "the clock is behind what is remembered, so the data counts there");
        }
        let limits = budget::Limits {
            max_bytes: settings.cap(),
            data_budget: settings.budget(),
            runs_per_day: settings.runs_per_day(),
        };
        let bytes = match budget::allowance(&record, now, &limits) {
            Ok(bytes) => bytes,
            Err(why) => return Plan::Skip(why),
        };
        if settings.run.dry_run {
            return Plan::Measure(bytes);
        }
        let left = (until - HANDING_OVER).saturating_duration_since(Instant::now());
        let latest = now.saturating_add(SignedDuration::try_from(left).unwrap_or_default()).unwrap_or(now);
        let record = budget::reserve(&record, bytes, now, latest);
        // From the first try on: it may be remembered although nobody said so.
        let reserved = Reserved { record: record.clone(), version: version.clone(), bytes, meter: Arc::clone(meter) };
        *self.reserved() = Some(reserved);
        match self.memory.replace(JOB, &version, &record, Instant::now() + REMEMBERING).await {
            Ok(version) => {
                self.reserved().iter_mut().for_each(|reserved| reserved.version = version.clone());
                Plan::Measure(bytes)
            }
            Err(Forgotten::Changed) => {
                *self.reserved() = None;
                Plan::Skip("left out: another test has taken the line just now".into())
            }
            Err(Forgotten::Unavailable(why)) => Plan::Unknown(why),
        }
    }

    /// Puts the real figures in the place of those reserved; why not, in words, where that fails.
    async fn settle(&self, until: Instant) -> Option<String> {
        let Reserved { record, version, bytes, meter } = self.reserved().clone()?;
        let settled = budget::settle(&record, bytes, meter.total(), Timestamp::now());
        let mut remembered = self.memory.replace(JOB, &version, &settled, until).await;
        if let Err(Forgotten::Changed) = remembered {
            // Perhaps it was the reservation that nobody said was kept.
            remembered = match self.memory.recall::<Record>(JOB, until).await {
                Ok(Recalled { state: Some(state), version }) if state == record => {
                    self.memory.replace(JOB, &version, &settled, until).await
                }
                Ok(_) => Err(Forgotten::Changed),
                Err(forgotten) => Err(forgotten),
            };
        }
        // Whatever came of it: it is not tried again.
        *self.reserved() = None;
        remembered.err().map(|forgotten| {
            tracing::warn!("what was used is not remembered, so the whole allowance stays counted: {forgotten}");
            forgotten.to_string()
        })
    }

    fn reserved(&self) -> MutexGuard<'_, Option<Reserved>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn skipped(&self, at: Timestamp, why: &str) -> Vec<Reading> {
        let names = if self.settings.upload { &["bandwidth", "upload"][..] } else { &["bandwidth"] };
        names.iter().map(|name| Reading::new(metric(name), at, Outcome::Skipped(why.to_owned()))).collect()
    }
}

/// What was measured, as readings and for a person.
fn tell(told: &mut Told, measured: &Measured) {
    for (name, result) in measured.values() {
        let outcome = match result {
            Ok(value) => Outcome::Value(value),
            Err(why) => Outcome::Failure(why.clone()),
        };
        let mut reading = Reading::new(metric(name), told.at, outcome);
        reading.method = Some(measured.method.clone());
        reading.target.clone_from(&measured.target);
        told.readings.push(reading);
    }
    measured.said().into_iter().for_each(|line| told.say(line));
    told.details = measured.details();
}
