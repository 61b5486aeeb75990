//! Runs a job once, or again and again, and reports how each run went.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::message::JobFault;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout_at};

use super::{
    destination::{Destination, HandedOver},
    settings::RunSettings,
};
use crate::reading::Reading;

/// A run ends by itself at its deadline; one that does not is cut off so much later.
const GRACE: Duration = Duration::from_secs(5);

/// How a run ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    /// Readings are where they belong, a failed measurement included, or there was nothing to do.
    Done,
    /// Readings could not be handed over, or what the job is there for could not be done for now.
    NotDone,
    /// What was set cannot work: a person has to change it.
    WrongSetting,
    /// It could not be measured, and there is nowhere to record that.
    NotRecorded,
}

impl From<RunStatus> for ExitCode {
    fn from(ending: RunStatus) -> Self {
        Self::from(match ending {
            RunStatus::Done => 0,
            RunStatus::NotDone => 1,
            RunStatus::WrongSetting => shared::settings::EXIT_SETTINGS,
            RunStatus::NotRecorded => 3,
        })
    }
}

/// What a run reports: as lines for a person, or as one line of JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunReport {
    /// When the run began.
    pub(crate) at: Timestamp,
    /// How it ended.
    pub(crate) ending: RunStatus,
    /// What happened, for a person; one line each.
    pub(crate) said: Vec<String>,
    /// What was measured.
    pub(crate) readings: Vec<Reading>,
    /// What else a machine may want to know of the run; `null` where there is nothing.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) details: Value,
    /// Whether lines are printed as soon as they are added: handing over to a server that does not answer takes its time.
    #[serde(skip)]
    prints_lines: bool,
}

impl RunReport {
    /// The report of a run that begins at `at`: done, unless something is set otherwise.
    pub(crate) fn new(at: Timestamp, settings: &RunSettings) -> Self {
        let prints_lines = !settings.prints_json() && !settings.quiet;
        Self { at, ending: RunStatus::Done, said: Vec::new(), readings: Vec::new(), details: Value::Null, prints_lines }
    }

    /// Adds a line for a person.
    pub(crate) fn say(&mut self, line: impl Into<String>) {
        let line = line.into();
        if self.prints_lines {
            // When stdout is closed, the exit code still says how it went.
            let _ = writeln!(io::stdout(), "{line}");
        }
        self.said.push(line);
    }

    /// Adds what went wrong, with a link to what to do.
    pub(crate) fn say_fault(&mut self, fault: JobFault) {
        self.say(fault.entry().ending(fault.words()));
    }

    /// Hands the readings over, and says how that went.
    pub(crate) async fn hand_over(&mut self, destination: &Destination, until: Instant) {
        match destination.hand_over(&self.readings, until).await {
            Ok(HandedOver::All) => (),
            Ok(HandedOver::Nothing) => {
                self.ending = RunStatus::NotRecorded;
                self.say_fault(JobFault::NotRecorded);
            }
            Err(error) => {
                self.ending = RunStatus::NotDone;
                self.say(format!("not handed over: {error}"));
            }
        }
    }
}

/// Runs until it is done, or with `--every` until `stop`. Each run gets its deadline; one that is cut off by `stop` has not
/// handed over.
pub(crate) async fn run(
    settings: &RunSettings,
    deadline: Duration,
    stop: impl Future<Output = ()>,
    mut once: impl AsyncFnMut(Instant) -> RunReport,
) -> ExitCode {
    tokio::pin!(stop);
    let mut round = async || {
        let until = Instant::now() + deadline;
        let report = timeout_at(until + GRACE, once(until)).await.unwrap_or_else(|_| {
            let mut late = RunReport::new(Timestamp::now(), settings);
            late.ending = RunStatus::NotDone;
            late.say_fault(JobFault::CutOff);
            late
        });
        if settings.quiet && report.ending != RunStatus::Done {
            tracing::warn!("{}", report.said.join("; "));
        }
        if settings.prints_json() {
            let mut out = io::stdout().lock();
            let _ =
                serde_json::to_writer(&mut out, &report).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"));
        }
        report.ending
    };
    tokio::select! {
        () = sleep(settings.start_delay) => (),
        () = &mut stop => {
            if !settings.quiet {
                tracing::warn!("asked to end before it began");
            }
            return if settings.every.is_some() { ExitCode::SUCCESS } else { RunStatus::NotDone.into() };
        }
    }
    let Some(every) = settings.every else {
        return tokio::select! {
            ending = round() => ending.into(),
            () = &mut stop => {
                tracing::warn!("asked to end before it was done");
                RunStatus::NotDone.into()
            }
        };
    };
    let mut due = interval_at(Instant::now(), every);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let run = async {
            due.tick().await;
            round().await
        };
        tokio::select! {
            _ = run => (),
            () = &mut stop => return ExitCode::SUCCESS,
        }
    }
}
