//! The prober as a command: once, explained to a person, or repeatedly.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use shared::{
    online::{self, OnlineCheck},
    settings::{Settings, WrongSetting},
    telemetry::Reader,
};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{
    report::{
        Report, TargetReport,
        explain::{Explained, IncidentLines, OneLine, Summary, progress},
    },
    run::Prober,
    settings::ProberSettings,
    target::Targets,
    timing::{MAX_RUN, Timing},
};

/// A page does not say what it should.
const EXIT_NOT_PUBLISHED: u8 = 1;

/// Runs once (`--once`), or until SIGINT or SIGTERM (`--every`). Returns 0, or 1 where a page does not say what it
/// should.
///
/// # Errors
/// When a setting that a command needs is missing or wrong.
pub async fn command(settings: &ProberSettings) -> Result<ExitCode, WrongSetting> {
    let (prober, targets) = (settings.prober()?, settings.targets()?);
    if targets.is_none() && settings.targets_parameter.is_none() {
        return Err(WrongSetting(
            "there is nothing to probe: set CANARY_URL, PAGE_ID and COMPONENT_ID, or TARGETS, or TARGETS_PARAMETER"
                .into(),
        ));
    }
    if !cfg!(feature = "aws")
        && let Some(setting) = settings.of_aws(targets.as_ref())
    {
        return Err(WrongSetting(format!(
            "{setting} names a parameter of AWS, and this program was built without AWS: use lambda-prober, which reads \
             Parameter Store, or a variable or a file instead"
        )));
    }
    if settings.check {
        let code = ProberSettings::checked(&summary(&prober, targets.as_ref()), &[]);
        return Ok(if settings.online {
            online::worse(code, check_online(&prober, targets.as_ref()).await)
        } else {
            code
        });
    }
    ProberSettings::log_warnings(&[]);
    let output = match (settings.every, Reader::of(&io::stdout())) {
        _ if settings.json => Output::Json,
        (_, Reader::Journal) => Output::Journal,
        (Some(_), Reader::Terminal) => Output::OneLine,
        (Some(_), Reader::Machine) => Output::Json,
        (None, _) => Output::Words,
    };
    let attempts = usize::from(settings.probing.attempts);
    Ok(match settings.every {
        None => once(&prober.with_progress(progress()), targets.as_ref(), &Timing::of(MAX_RUN, attempts), output).await,
        Some(interval) => repeat(&prober, targets.as_ref(), interval, attempts, output).await,
    })
}

/// What the settings come to: so a mistyped name of a key's variable shows.
fn summary(prober: &Prober, targets: Option<&Targets>) -> String {
    let Some(targets) = targets else { return "the targets are in Parameter Store".into() };
    let proven = targets.iter().filter(|target| prober.expects_proof(target)).count();
    let proof = match targets.iter().count() - proven {
        0 => "an answer must be proven".into(),
        without => format!("for {without} without a key any answer counts"),
    };
    format!("{} to probe; {proof}", count(targets.iter().count(), "target"))
}

/// Checks online that what the settings name exists, and prints the results; returns the exit code.
async fn check_online(prober: &Prober, targets: Option<&Targets>) -> ExitCode {
    let results = prober.check_online(targets).await;
    online::report(&results.unwrap_or_else(|error| vec![OnlineCheck::wrong(error.to_string())]))
}

#[derive(Clone, Copy)]
enum Output {
    Words,
    OneLine,
    /// A line without a time, which the journal adds; all that was seen where a home is not up or its page has changed.
    Journal,
    Json,
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

async fn once(prober: &Prober, targets: Option<&Targets>, timing: &Timing, output: Output) -> ExitCode {
    match prober.run(targets, timing).await {
        Ok(report) => {
            print(&report, output);
            if report.published { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_PUBLISHED) }
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the run could not begin");
            ExitCode::from(EXIT_NOT_PUBLISHED)
        }
    }
}

/// Runs at that interval until SIGINT or SIGTERM, which cut off a run in progress: its successor continues where it
/// ended.
async fn repeat(
    prober: &Prober,
    targets: Option<&Targets>,
    interval: Duration,
    attempts: usize,
    output: Output,
) -> ExitCode {
    let timing = Timing::every(interval, attempts);
    let mut due = interval_at(Instant::now(), interval);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let stop = shared::shutdown::requested();
    tokio::pin!(stop);
    loop {
        let run = async {
            due.tick().await;
            once(prober, targets, &timing, output).await
        };
        tokio::select! {
            () = &mut stop => return ExitCode::SUCCESS,
            _ = run => (),
        }
    }
}

fn print(report: &Report, output: Output) {
    let mut out = io::stdout().lock();
    // A closed stdout is no error of the run; the exit code still says how it went.
    let _ = match output {
        Output::Journal if report.targets.iter().all(TargetReport::is_well) => {
            report.targets.iter().try_for_each(|target| writeln!(out, "{}", Summary(target)))
        }
        Output::Words | Output::Journal => write!(out, "{}", Explained(report)),
        Output::OneLine => {
            let lines =
                report.targets.iter().try_for_each(|target| writeln!(out, "{}", OneLine { at: report.at, target }));
            lines.and_then(|()| write!(out, "{}", IncidentLines(report)))
        }
        Output::Json => {
            serde_json::to_writer(&mut out, report).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"))
        }
    };
}
