//! Runs a job once, or again and again, and tells how each run went.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::{
    online::{self, Asked},
    settings::Settings,
};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout_at};

use super::{
    destination::{Destination, HandedOver},
    settings::{KeeperSettings, RunSettings},
};
use crate::reading::Reading;

/// A run ends by itself at its deadline; one that does not is cut off so much later.
const GRACE: Duration = Duration::from_secs(5);

/// How a run ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Readings are where they belong, a failed measurement included, or there was nothing to do.
    Done,
    /// Readings could not be handed over, or what the job is there for could not be done for now.
    NotDone,
    /// What was set cannot work: a person has to look at it.
    WrongSetting,
    /// It could not be measured, and there is nowhere to record that.
    NotRecorded,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Done => 0,
            Ending::NotDone => 1,
            Ending::WrongSetting => shared::settings::EXIT_SETTINGS,
            Ending::NotRecorded => 3,
        })
    }
}

/// What a run tells.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    pub at: Timestamp,
    pub ending: Ending,
    /// What happened, for a person; one line each.
    pub said: Vec<String>,
    /// What was measured.
    pub readings: Vec<Reading>,
    /// What else a machine may want to know of the run; `null` where there is nothing.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// Whether lines are shown as soon as they are said: handing over to who does not answer takes its time.
    #[serde(skip)]
    aloud: bool,
}

impl Told {
    pub fn new(at: Timestamp, settings: &RunSettings) -> Self {
        let aloud = !settings.is_told_as_json();
        Self { at, ending: Ending::Done, said: Vec::new(), readings: Vec::new(), details: Value::Null, aloud }
    }

    /// Adds a line for a person.
    pub fn say(&mut self, line: impl Into<String>) {
        let line = line.into();
        if self.aloud {
            // Nobody is left to tell when stdout is gone; the exit code still says how it went.
            let _ = writeln!(io::stdout(), "{line}");
        }
        self.said.push(line);
    }

    /// Hands the readings over, and says how that went.
    pub async fn hand_over(&mut self, destination: &Destination, until: Instant) {
        match destination.hand_over(&self.readings, until).await {
            Ok(HandedOver::All) => (),
            Ok(HandedOver::Nothing) => {
                self.ending = Ending::NotRecorded;
                self.say("nothing was measured, and there is no keeper to record that");
            }
            Err(error) => {
                self.ending = Ending::NotDone;
                self.say(format!("not handed over: {error}"));
            }
        }
    }
}

/// The answer to `--check`, and with `--online` whether what readings go to is there, and what else the job asks for.
pub async fn check<S: Settings>(
    run: &RunSettings,
    keeper: &KeeperSettings,
    destination: &Destination,
    job: &str,
    told: &str,
    more: impl Future<Output = Vec<Asked>>,
) -> ExitCode {
    let looked = S::checked(told, &keeper.doubts());
    if !run.online {
        return looked;
    }
    let (asked, more) = tokio::join!(destination.ask(job), more);
    online::worse(looked, online::tell(&[asked, more].concat()))
}

/// Runs until it is done, or with `--every` until told to stop. Each run gets its deadline; one that is cut off by a
/// signal has not handed over.
pub async fn run(settings: &RunSettings, deadline: Duration, mut once: impl AsyncFnMut(Instant) -> Told) -> ExitCode {
    let stop = shared::shutdown::requested();
    tokio::pin!(stop);
    let mut round = async || {
        let until = Instant::now() + deadline;
        let told = timeout_at(until + GRACE, once(until)).await.unwrap_or_else(|_| {
            let mut late = Told::new(Timestamp::now(), settings);
            late.ending = Ending::NotDone;
            late.say("it did not end in time and was cut off");
            late
        });
        if settings.is_told_as_json() {
            let mut out = io::stdout().lock();
            let _ = serde_json::to_writer(&mut out, &told).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"));
        }
        told.ending
    };
    tokio::select! {
        () = sleep(settings.start_delay) => (),
        () = &mut stop => {
            tracing::warn!("asked to end before it began");
            return if settings.every.is_some() { ExitCode::SUCCESS } else { Ending::NotDone.into() };
        }
    }
    let Some(every) = settings.every else {
        return tokio::select! {
            ending = round() => ending.into(),
            () = &mut stop => {
                tracing::warn!("asked to end before it was done");
                Ending::NotDone.into()
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
