//! The prober as a command: once, explained to a person, or again and again.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use shared::{
    online::{self, Asked},
    settings::{Settings, WrongSetting},
    telemetry::Reader,
};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{
    explain::{Explained, Incidents, OneLine, Summary, progress},
    pace::{LONGEST_RUN, Pace},
    report::{Report, TargetReport},
    run::Prober,
    settings::ProberSettings,
    target::Targets,
};

/// The page could not be made to say what it should.
const EXIT_NOT_PUBLISHED: u8 = 1;

/// Runs until it is done (`--once`) or told to stop (`--every`).
///
/// # Errors
/// When a setting that a command needs is missing.
pub async fn command(settings: &ProberSettings) -> Result<ExitCode, WrongSetting> {
    let (prober, targets) = (settings.prober()?, settings.targets()?);
    if targets.is_none() && settings.targets_parameter.is_none() {
        return Err(WrongSetting(
            "there is nothing to probe: set CANARY_URL, PAGE_ID and COMPONENT_ID, or TARGETS, or TARGETS_PARAMETER"
                .into(),
        ));
    }
    if settings.check {
        let code = ProberSettings::checked(&told(&prober, targets.as_ref()), &[]);
        return Ok(if settings.online { online::worse(code, ask(&prober, targets.as_ref()).await) } else { code });
    }
    ProberSettings::warn_of_doubts(&[]);
    let tell = match (settings.every, Reader::of(&io::stdout())) {
        _ if settings.json => Tell::Json,
        (_, Reader::Journal) => Tell::Journal,
        (Some(_), Reader::Terminal) => Tell::OneLine,
        (Some(_), Reader::Machine) => Tell::Json,
        (None, _) => Tell::Words,
    };
    let attempts = usize::from(settings.looking.attempts);
    Ok(match settings.every {
        None => once(&prober.with_progress(progress()), targets.as_ref(), &Pace::of(LONGEST_RUN, attempts), tell).await,
        Some(every) => keep_on(&prober, targets.as_ref(), every, attempts, tell).await,
    })
}

/// What the settings come to. A mistyped name of a key's variable would go unseen otherwise.
fn told(prober: &Prober, targets: Option<&Targets>) -> String {
    let Some(targets) = targets else { return "the targets are in Parameter Store".into() };
    let proven = targets.iter().filter(|target| prober.expects_proof(target)).count();
    let proof = match targets.iter().count() - proven {
        0 => "an answer must be proven".into(),
        without => format!("for {without} without a key any answer counts"),
    };
    format!("{} to probe; {proof}", count(targets.iter().count(), "target"))
}

/// Asks whether what the settings name is there, and says so; the exit code to end with.
async fn ask(prober: &Prober, targets: Option<&Targets>) -> ExitCode {
    let asked = prober.ask(targets).await;
    online::report(&asked.unwrap_or_else(|error| vec![Asked::wrong(error.to_string())]))
}

#[derive(Clone, Copy)]
enum Tell {
    Words,
    OneLine,
    /// A line without a time, which a journal has; and all that was seen, where there is more to say than that all is well.
    Journal,
    Json,
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

async fn once(prober: &Prober, targets: Option<&Targets>, pace: &Pace, tell: Tell) -> ExitCode {
    match prober.run(targets, pace).await {
        Ok(report) => {
            say(&report, tell);
            if report.published { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_PUBLISHED) }
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the run could not begin");
            ExitCode::from(EXIT_NOT_PUBLISHED)
        }
    }
}

/// Runs every so often until SIGINT or SIGTERM; a run in hand is cut off then, which is harmless by design.
async fn keep_on(prober: &Prober, targets: Option<&Targets>, every: Duration, attempts: usize, tell: Tell) -> ExitCode {
    let pace = Pace::every(every, attempts);
    let mut due = interval_at(Instant::now(), every);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let stop = shared::shutdown::requested();
    tokio::pin!(stop);
    loop {
        let run = async {
            due.tick().await;
            once(prober, targets, &pace, tell).await
        };
        tokio::select! {
            () = &mut stop => return ExitCode::SUCCESS,
            _ = run => (),
        }
    }
}

fn say(report: &Report, tell: Tell) {
    let mut out = io::stdout().lock();
    // Nobody is left to tell when stdout is gone; the exit code still says how it went.
    let _ = match tell {
        Tell::Journal if report.targets.iter().all(TargetReport::is_well) => {
            report.targets.iter().try_for_each(|target| writeln!(out, "{}", Summary(target)))
        }
        Tell::Words | Tell::Journal => write!(out, "{}", Explained(report)),
        Tell::OneLine => {
            let lines =
                report.targets.iter().try_for_each(|target| writeln!(out, "{}", OneLine { at: report.at, target }));
            lines.and_then(|()| write!(out, "{}", Incidents(report)))
        }
        Tell::Json => {
            serde_json::to_writer(&mut out, report).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"))
        }
    };
}
